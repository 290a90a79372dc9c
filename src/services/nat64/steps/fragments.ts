/**
 * Fragments (RFC 6146 section 3.4). Only the first fragment of a datagram shows the ports. The result of its translation is
 * kept, and each other fragment is translated on its own, with its own hop limit, traffic class and flags (RFC 7915 sections
 * 4.1 and 5.1.1). Fragments may come in any order: those that come before the first wait for it. ICMP messages, and UDP
 * datagrams without a checksum, wait until they are complete, because the checksum for the other side covers the length or
 * all the data.
 *
 * For a host that has an IPv4 address of its own, ports are not needed, so its fragments pass without being recorded; ICMP is
 * the exception. Overlapping fragments show an attack or a broken sender (RFC 1858, RFC 3128): no further fragment of their
 * datagram passes. RFC 5722 requires this for IPv6; we do it for IPv4 too, where by RFC 791 the later fragment would count.
 */
import { MAPPED_WORD2 } from '../../../net/client.ts';
import { IPV4, IPV4_HEADER_BYTES } from '../../../wire/ipv4.ts';
import { IPV6 } from '../../../wire/ipv6.ts';
import { TCP_HEADER_BYTES } from '../../../wire/tcp-udp.ts';
import { GSO, NEEDS_CHECKSUM } from '../../../wire/virtio-net.ts';
import { CONTINUE, COUNTER, HELD, type Verdict } from '../counters.ts';
import {
  addDatagram,
  findDatagram,
  proveDatagram,
  removeDatagram,
  removeExpired,
} from '../tables/fragment-memory.ts';
import { PLACE, addFragment, nextWaiting, placeOf, releaseDatagram } from '../tables/fragment-pieces.ts';
import { mayPass4 } from './incoming-tuple-4.ts';
import {
  HEADROOM_BYTES,
  LONGEST_PACKET_BYTES,
  type Packet,
  TRANSPORT,
  clearOffload,
} from '../packet/packet.ts';
import { isOurs4 } from '../settings/settings.ts';
import { fragmentsOf } from '../tables/fragment-sides.ts';
import type { Translator } from './translator.ts';
import {
  isUdpWithoutChecksum,
  passWithoutPorts,
  protocolNumber4,
  protocolNumber6,
} from '../packet/transport.ts';
import { filterFrom4 } from './filter-from4.ts';
import { filterFrom6 } from './filter-from6.ts';
import { isForKernel, isHairpinByTuple } from './hairpin.ts';
import { giveUp, passOn, readFirst } from './fragment-tuples.ts';
import { DATAGRAM, type FragmentMemory, STATE, field, setField } from '../tables/fragment-records.ts';

/** The longest data of an IPv4 datagram after a header without options: it must fit on both sides. */
const LONGEST_DATA_BYTES = LONGEST_PACKET_BYTES - IPV4_HEADER_BYTES;

/**
 * Handles the fragment that has been read (`determineTuple4` or `determineTuple6`). CONTINUE: its tuple is complete, as after
 * filtering, and it may be translated. HELD: it waits for others. Any other verdict drops it, or passes it to the kernel.
 */
export function takeFragment(translator: Translator, isIpv6: boolean): Verdict {
  const { packet, fragments, tables } = translator;
  const wasReleased = fragments.isReleased;
  fragments.isReleased = false;
  const bounds = checkBounds(translator);
  if (bounds !== CONTINUE) return bounds;
  const { settings } = translator;
  if (packet.isStateless && packet.protocol !== TRANSPORT.ICMP) {
    // For a fragment to one of our addresses, only the ports show whether it is for a mapping.
    const isToUs = isIpv6 && isOurs4(settings, packet.remoteAddress);
    if (!isToUs) return passStateless(translator, isIpv6);
  } else if (!packet.isStateless) {
    if (settings.isStateless) return COUNTER['drop-untranslatable'];
    if (isIpv6 && packet.remoteHasEam) return COUNTER['drop-destination'];
    if (isIpv6 && settings.pools.length === 0) return COUNTER['drop-no-pool4'];
  }
  const memory = fragmentsOf(fragments, isIpv6, tables.hashSeed);
  noteClient(memory, packet, isIpv6);
  if (wasReleased) return passOn(translator, memory, memory.released, isIpv6);
  // A fragment that may be for one of the appliance's own programs is checked later, when it is known that it is not.
  if (!isIpv6 && !mayBeForKernel(translator)) {
    const mayPass = mayPass4(settings, packet);
    if (mayPass !== CONTINUE) return mayPass;
  }
  return take(translator, memory, isIpv6);
}

/** Loads the next fragment that has waited and can now be translated; false if there is none. */
export function nextFragmentThatWaited(translator: Translator): boolean {
  const { from4, from6 } = translator.fragments;
  // Hairpinned fragments (in `from4`) go out before the next ones of the IPv6 side are loaded.
  return (
    (from4 !== undefined && loadReleased(translator, from4)) ||
    (from6 !== undefined && loadReleased(translator, from6))
  );
}

function loadReleased({ packet, fragments, counters }: Translator, memory: FragmentMemory): boolean {
  const datagram = memory.released;
  if (datagram === 0) return false;
  const bytes = nextWaiting(memory, packet.bytes);
  if (bytes === 0) {
    memory.released = 0;
    forgetIfComplete(memory, datagram, counters);
    return false;
  }
  packet.isHairpinned = field(memory, datagram, DATAGRAM.IS_HAIRPINNED) !== 0;
  packet.start = HEADROOM_BYTES;
  packet.end = HEADROOM_BYTES + bytes;
  packet.cut.next = 0;
  clearOffload(packet);
  fragments.isReleased = true;
  return true;
}

/** The checks that every fragment must pass. */
function checkBounds({ packet }: Translator): Verdict {
  const { fragmentOffset, hasMoreFragments, protocol } = packet;
  const bytes = packet.end - packet.transport;
  if ((packet.offloadFlags & NEEDS_CHECKSUM) !== 0 || packet.gsoType !== GSO.NONE)
    return COUNTER['drop-bad-offload'];
  if (bytes === 0 || fragmentOffset + bytes > LONGEST_DATA_BYTES) return COUNTER['drop-fragment-bad'];
  if (hasMoreFragments && (bytes & 7) !== 0) return COUNTER['drop-fragment-bad'];
  // RFC 3128: it would lie inside the TCP header, which the first fragment must contain completely.
  if (protocol === TRANSPORT.TCP && fragmentOffset !== 0 && fragmentOffset < TCP_HEADER_BYTES)
    return COUNTER['drop-fragment-bad'];
  return CONTINUE;
}

const mayBeForKernel = ({ packet, settings }: Translator): boolean =>
  !packet.isStateless && settings.isOwnAddress[packet.mappedSlot];

/** A fragment of a host with an IPv4 address of its own: each is translated on its own (RFC 7915 section 1.3). */
function passStateless(translator: Translator, isIpv6: boolean): Verdict {
  const { packet, settings } = translator;
  if (!isIpv6) {
    const mayPass = mayPass4(settings, packet);
    if (mayPass !== CONTINUE) return mayPass;
  }
  if (packet.fragmentOffset !== 0) {
    passWithoutPorts(packet, isIpv6 ? protocolNumber4(packet) : protocolNumber6(packet));
    packet.fragmentIsHairpin = isIpv6 && isHairpinByTuple(translator);
    return CONTINUE;
  }
  const first = readFirst(translator, isIpv6);
  if (first !== CONTINUE) return first;
  // RFC 7915 section 4.5: the checksum of the datagram cannot be computed.
  if (!isIpv6 && isUdpWithoutChecksum(packet)) return COUNTER['drop-udp-no-checksum'];
  return isIpv6 ? filterFrom6(translator) : filterFrom4(translator);
}

/** Records a new fragment, and decides whether it waits. */
function take(translator: Translator, memory: FragmentMemory, isIpv6: boolean): Verdict {
  const { packet, counters } = translator;
  const { fragmentOffset: from, hasMoreFragments } = packet;
  const to = from + packet.end - packet.transport;
  let isKernels = false;
  if (from === 0) {
    const first = readFirst(translator, isIpv6);
    isKernels = !isIpv6 && mayBeForKernel(translator) && isKernelsFirst(translator, first);
    if (first !== CONTINUE && !isKernels) return first;
  }
  // If filtering refuses the first fragment later, the record stays as a mark, so that the others need not wait.
  const datagram = findOrAdd(translator, memory, isIpv6);
  const state = field(memory, datagram, DATAGRAM.STATE);
  if (state === STATE.SPOILT) return COUNTER['drop-fragment-overlap'];
  if (state === STATE.REFUSED) return COUNTER['drop-fragment-refused'];
  const place = placeOf(memory, datagram, from, to, hasMoreFragments);
  // The contents of a duplicate are not compared: the fragment that came first counts.
  if (place === PLACE.DUPLICATE) return COUNTER['drop-fragment-duplicate'];
  if (place < 0) {
    const reason = COUNTER[place === PLACE.OVERLAP ? 'drop-fragment-overlap' : 'drop-fragment-many'];
    return giveUp(translator, memory, datagram, STATE.SPOILT, reason, reason);
  }
  const waits = state === STATE.WAITING && !isKernels && (from !== 0 || needsAll(translator));
  const bytes = waits ? packet.bytes.subarray(packet.start, packet.end) : undefined;
  const dataAt = packet.transport - packet.start;
  if (!addFragment(memory, counters, datagram, place, (from << 16) | to, bytes, dataAt))
    return COUNTER['drop-fragment-memory'];
  if (!hasMoreFragments) setField(memory, datagram, DATAGRAM.BYTES, to);
  if (isKernels) {
    setField(memory, datagram, DATAGRAM.STATE, STATE.KERNEL);
    proveDatagram(memory, datagram);
    releaseDatagram(memory, datagram);
  } else if (waits) {
    if (isComplete(memory, datagram)) {
      setField(memory, datagram, DATAGRAM.STATE, STATE.WHOLE);
      releaseDatagram(memory, datagram);
    }
    return HELD;
  }
  const verdict = passOn(translator, memory, datagram, isIpv6);
  if (memory.released === 0) forgetIfComplete(memory, datagram, counters);
  return verdict;
}

/** Whether a first fragment, as it was read, is for one of the appliance's own programs. ICMP other than echo always is. */
const isKernelsFirst = (translator: Translator, read: Verdict): boolean =>
  read === COUNTER['drop-icmp-type'] ||
  ((read === CONTINUE || read === COUNTER['drop-udp-no-checksum']) && isForKernel(translator));

function findOrAdd(translator: Translator, memory: FragmentMemory, isIpv6: boolean): number {
  const { packet, counters, nowSeconds, settings } = translator;
  const { fragmentSeconds } = settings.lifetimes;
  removeExpired(memory, counters, nowSeconds, fragmentSeconds);
  readKey(memory.key, translator, isIpv6);
  const found = findDatagram(memory);
  if (found !== 0 && nowSeconds - field(memory, found, DATAGRAM.STARTED_AT) <= fragmentSeconds) return found;
  if (found !== 0) removeDatagram(memory, found, counters, COUNTER['drop-fragment-timeout']);
  const added = addDatagram(memory, counters, nowSeconds);
  setField(memory, added, DATAGRAM.IS_HAIRPINNED, packet.isHairpinned ? 1 : 0);
  return added;
}

/** Notes the client whose share of the memory the fragment counts in. */
function noteClient({ client }: FragmentMemory, { host, remoteAddress }: Packet, isIpv6: boolean): void {
  if (isIpv6) client.set(host);
  else {
    client.fill(0, 0, 2);
    client[2] = MAPPED_WORD2;
    client[3] = remoteAddress;
  }
}

/** The key of a datagram. RFC 791: addresses, protocol and identification; RFC 8200 section 4.5: the same without the protocol. */
function readKey(key: Int32Array, { packet }: Translator, isIpv6: boolean): void {
  const { view, start } = packet;
  key.fill(0);
  key[0] = packet.fragmentId;
  if (isIpv6) {
    for (let word = 0; word < 8; word++) key[2 + word] = view.getInt32(start + IPV6.SOURCE + word * 4);
    return;
  }
  key[1] = packet.fragmentProtocol;
  key[2] = view.getInt32(start + IPV4.SOURCE);
  key[3] = view.getInt32(start + IPV4.DESTINATION);
}

/** Whether a first fragment waits for all others: the checksum for the other side covers their length or their data. */
const needsAll = ({ packet }: Translator): boolean =>
  packet.protocol === TRANSPORT.ICMP || isUdpWithoutChecksum(packet);

const isComplete = (memory: FragmentMemory, datagram: number): boolean =>
  field(memory, datagram, DATAGRAM.RECEIVED) === field(memory, datagram, DATAGRAM.BYTES);

function forgetIfComplete(memory: FragmentMemory, datagram: number, counters: Float64Array): void {
  if (!isComplete(memory, datagram)) return;
  counters[COUNTER.reassembled]++;
  removeDatagram(memory, datagram, counters, COUNTER['drop-fragment-refused']);
}
