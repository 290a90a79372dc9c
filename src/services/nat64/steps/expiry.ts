/** Timeouts: sessions end, and for some of them a packet is sent. */
import { checksumOf } from '../../../wire/checksum.ts';
import { ICMP4_PORT_UNREACHABLE } from '../../../wire/icmp.ts';
import { IP_PROTOCOL } from '../../../wire/ipv4.ts';
import { IPV6, IPV6_HEADER_BYTES, writeIpv6Start, writeWords, sumOfIpv6Payload } from '../../../wire/ipv6.ts';
import { writeEmbeddedIpv4 } from '../../../wire/nat64-prefix.ts';
import { TCP, TCP_FLAG, TCP_HEADER_BYTES } from '../../../wire/tcp-udp.ts';
import { answerWith } from './answer.ts';
import { bibProtocol } from '../tables/bib.ts';
import { prolongFromKernel, takeBack } from './hand-over.ts';
import { COUNTER } from '../counters.ts';
import { HEADROOM_BYTES, TRANSPORT, clearOffload } from '../packet/packet.ts';
import { removeSession, setExpiry } from '../tables/sessions.ts';
import { nextOverdueSyn } from '../tables/stored-syns.ts';
import {
  BIB,
  CONTROL,
  PREFIX_MASK,
  PREFIX_SHIFT,
  RECORD_WORDS,
  SESSION,
  STATE_MASK,
} from '../tables/tables.ts';
import { TCP_STATE } from '../tables/tcp-state.ts';
import { SWEEP, sweepStep } from '../tables/timer-wheel.ts';
import type { Translator } from './translator.ts';
import { errorComesBackIn } from './pipeline.ts';

const HOP_LIMIT = 64;

/**
 * Steps of the sweep in one turn of the loop. They take a fraction of a millisecond, and are several times the number of
 * sessions that the packets of a turn can make. If a turn does not finish the sweep, the next turn follows at once.
 */
export const SWEEP_STEPS_PER_TURN = 2048;

/**
 * Removes expired sessions, in at most `steps` steps of the sweep, so that a turn of the loop stays short. True if `packet` now
 * holds a packet to send because of a timeout; then there may be more to do.
 */
export function expire(translator: Translator, steps: number): boolean {
  const { tables, counters, nowSeconds } = translator;
  if (answerOverdueSyn(translator)) return true;
  for (let step = 0; step < steps; step++) {
    const index = sweepStep(tables, nowSeconds);
    if (index === SWEEP.done) return false;
    if (index === SWEEP.more) continue;
    if (prolongFromKernel(translator, index)) continue;
    takeBack(translator, index);
    const at = index * RECORD_WORDS;
    const protocol = bibProtocol(tables, tables.sessions[at + SESSION.BIB]);
    if (
      protocol === TRANSPORT.TCP &&
      (tables.sessions[at + SESSION.REMOTE_PORT_AND_STATE] & STATE_MASK) === TCP_STATE.ESTABLISHED
    ) {
      probe(translator, index);
      return true;
    }
    counters[COUNTER['sessions-removed-tcp'] + protocol]++;
    if (removeSession(tables, index, nowSeconds)) counters[COUNTER['bib-removed']]++;
  }
  return false;
}

/** N11: if the host has not opened the connection from its side in time, the sender of the stored SYN gets "port unreachable". */
function answerOverdueSyn(translator: Translator): boolean {
  const { packet, storedSyns, tables, nowSeconds } = translator;
  while (nextOverdueSyn(storedSyns, packet, HEADROOM_BYTES, nowSeconds)) {
    tables.control[CONTROL.STORED_SYNS] = storedSyns.shares.usedSlots;
    clearOffload(packet);
    packet.cut.next = 0;
    if (!answerWith(translator, ICMP4_PORT_UNREACHABLE, 4)) continue;
    if (!packet.isHairpinned || errorComesBackIn(translator)) return true;
  }
  return false;
}

/**
 * N14: before an established connection is removed, it is probed. The host gets a segment that it must answer if it still
 * knows the connection (RFC 6146 section 3.5.2.2). The session gets the transitory lifetime to wait for the answer.
 */
function probe(translator: Translator, session: number): void {
  const { packet, tables, settings, nowSeconds } = translator;
  const { view } = packet;
  const at = session * RECORD_WORDS;
  const bibAt = tables.sessions[at + SESSION.BIB] * RECORD_WORDS;
  const portAndState = tables.sessions[at + SESSION.REMOTE_PORT_AND_STATE];
  tables.sessions[at + SESSION.REMOTE_PORT_AND_STATE] = (portAndState & ~STATE_MASK) | TCP_STATE.TRANS;
  setExpiry(tables, session, nowSeconds, nowSeconds + settings.lifetimes.tcpTransitorySeconds);

  const { bib } = tables;
  const start = HEADROOM_BYTES;
  const tcp = start + IPV6_HEADER_BYTES;
  const end = tcp + TCP_HEADER_BYTES;
  packet.start = start;
  packet.end = end;
  packet.cut.next = 0;
  clearOffload(packet);
  writeIpv6Start(view, start, 0, TCP_HEADER_BYTES, IP_PROTOCOL.TCP, HOP_LIMIT);
  const prefix = settings.prefixes[(portAndState & PREFIX_MASK) >> PREFIX_SHIFT];
  writeEmbeddedIpv4(prefix, tables.sessions[at + SESSION.REMOTE_ADDRESS], view, start + IPV6.SOURCE);
  writeWords(view, start + IPV6.DESTINATION, bib, bibAt);
  packet.bytes.fill(0, tcp, end);
  view.setUint16(tcp + TCP.SOURCE_PORT, portAndState >>> 16);
  view.setUint16(tcp + TCP.DESTINATION_PORT, bib[bibAt + BIB.PORTS] >>> 16);
  view.setUint16(tcp + TCP.DATA_OFFSET, ((TCP_HEADER_BYTES >> 2) << 12) | TCP_FLAG.ACK);
  view.setUint16(tcp + TCP.CHECKSUM, checksumOf(sumOfIpv6Payload(view, start, tcp, end, IP_PROTOCOL.TCP)));
  translator.counters[COUNTER['probes-sent']]++;
}
