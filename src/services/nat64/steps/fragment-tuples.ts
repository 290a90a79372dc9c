/** The tuple of a fragment that need not wait: read from the first fragment itself, or from the record that the first one left. */
import { ICMP, ICMP4, ICMP6 } from '../../../wire/icmp.ts';
import { UDP } from '../../../wire/tcp-udp.ts';
import { CONTINUE, COUNTER, RETURN_TO_KERNEL, type Reason, type Verdict } from '../counters.ts';
import { proveDatagram, removeFragments } from '../tables/fragment-memory.ts';
import { releaseDatagram, sumOfWaiting } from '../tables/fragment-pieces.ts';
import { mayPass4, readPorts4 } from './incoming-tuple-4.ts';
import { readPorts6 } from './incoming-tuple-6.ts';
import { TRANSPORT } from '../packet/packet.ts';
import { computeOutgoingTuple } from './outgoing-tuple.ts';
import type { Translator } from './translator.ts';
import {
  isUdpWithoutChecksum,
  passWithoutPorts,
  protocolNumber4,
  protocolNumber6,
  readTransport,
} from '../packet/transport.ts';
import { filterFrom4 } from './filter-from4.ts';
import { filterFrom6 } from './filter-from6.ts';
import { isHairpin } from './hairpin.ts';
import {
  DATAGRAM,
  type FragmentMemory,
  STATE,
  field,
  recordOffset,
  setField,
} from '../tables/fragment-records.ts';

/** Reads the transport header of a first fragment. Any verdict other than CONTINUE drops it. */
export function readFirst({ packet, settings }: Translator, isIpv6: boolean): Verdict {
  const transport = readTransport(packet);
  if (transport !== CONTINUE) return transport;
  if (packet.protocol === TRANSPORT.ICMP) {
    const type = packet.view.getUint8(packet.transport + ICMP.TYPE);
    // Errors are too short to be fragmented.
    const isEcho = isIpv6
      ? type === ICMP6.ECHO_REQUEST || type === ICMP6.ECHO_REPLY
      : type === ICMP4.ECHO_REQUEST || type === ICMP4.ECHO_REPLY;
    if (!isEcho) return COUNTER['drop-icmp-type'];
  }
  if (isIpv6) readPorts6(packet);
  else readPorts4(packet);
  const drops = isIpv6 ? settings.dropsZeroUdpChecksum6 : settings.dropsZeroUdpChecksum;
  return drops && isUdpWithoutChecksum(packet) ? COUNTER['drop-udp-no-checksum'] : CONTINUE;
}

/** Stops translating a datagram. Its waiting fragments are counted as `lost`; `reason` is why this fragment is dropped. */
export function giveUp(
  { counters }: Translator,
  memory: FragmentMemory,
  datagram: number,
  state: number,
  lost: Reason,
  reason: Verdict,
): Verdict {
  counters[lost] += removeFragments(memory, datagram);
  setField(memory, datagram, DATAGRAM.STATE, state);
  // The record remains as a mark, which is never complete.
  setField(memory, datagram, DATAGRAM.BYTES, -1);
  if (memory.released === datagram) memory.released = 0;
  return reason;
}

/** Fills in the tuple of a fragment that need not wait. */
export function passOn(
  translator: Translator,
  memory: FragmentMemory,
  datagram: number,
  isIpv6: boolean,
): Verdict {
  const { packet, settings } = translator;
  const state = field(memory, datagram, DATAGRAM.STATE);
  if (state === STATE.KERNEL) return RETURN_TO_KERNEL;
  if (packet.fragmentOffset === 0) {
    const verdict = passFirst(translator, memory, datagram, isIpv6);
    if (verdict === CONTINUE) return CONTINUE;
    return giveUp(translator, memory, datagram, STATE.REFUSED, COUNTER['drop-fragment-refused'], verdict);
  }
  if (!isIpv6) {
    const mayPass = mayPass4(settings, packet);
    if (mayPass !== CONTINUE) return mayPass;
  }
  const { records } = memory;
  const at = recordOffset(datagram);
  packet.fragmentIsHairpin = records[at + DATAGRAM.IS_HAIRPIN] !== 0;
  passWithoutPorts(packet, records[at + DATAGRAM.PROTOCOL]);
  if (isIpv6) packet.mappedAddress = records[at + DATAGRAM.MAPPED_ADDRESS];
  else {
    for (let word = 0; word < 4; word++) packet.host[word] = records[at + DATAGRAM.HOST + word];
    packet.prefixIndex = records[at + DATAGRAM.PREFIX_INDEX];
  }
  return CONTINUE;
}

/** The first fragment: it is filtered like a whole packet, and its addresses and prefix are kept for the other fragments. */
function passFirst(
  translator: Translator,
  memory: FragmentMemory,
  datagram: number,
  isIpv6: boolean,
): Verdict {
  const { packet, settings } = translator;
  const { view, transport } = packet;
  const first = readFirst(translator, isIpv6);
  if (first !== CONTINUE) return first;
  const mayPass = isIpv6 ? CONTINUE : mayPass4(settings, packet);
  if (mayPass !== CONTINUE) return mayPass;
  if (field(memory, datagram, DATAGRAM.STATE) === STATE.WHOLE) {
    packet.messageBytes = field(memory, datagram, DATAGRAM.BYTES);
    if (packet.protocol === TRANSPORT.UDP) {
      const udpBytes = view.getUint16(transport + UDP.LENGTH);
      if (udpBytes > packet.messageBytes) return COUNTER['drop-bad-length'];
      packet.otherDataSum = sumOfWaiting(memory, datagram, udpBytes);
    }
  }
  const filtered = isIpv6 ? filterFrom6(translator) : filterFrom4(translator);
  if (filtered !== CONTINUE) return filtered;
  computeOutgoingTuple(translator, isIpv6);
  const { records } = memory;
  const at = recordOffset(datagram);
  records[at + DATAGRAM.STATE] = STATE.PASSING;
  records.set(packet.host, at + DATAGRAM.HOST);
  records[at + DATAGRAM.MAPPED_ADDRESS] = packet.mappedAddress;
  records[at + DATAGRAM.PREFIX_INDEX] = packet.prefixIndex;
  records[at + DATAGRAM.IS_HAIRPIN] = isIpv6 && isHairpin(translator) ? 1 : 0;
  records[at + DATAGRAM.PROTOCOL] = isIpv6 ? protocolNumber4(packet) : protocolNumber6(packet);
  proveDatagram(memory, datagram);
  if (memory.released !== datagram) releaseDatagram(memory, datagram);
  return CONTINUE;
}
