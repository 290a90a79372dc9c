/** How packets open sessions and keep them alive (RFC 6146 section 3.5, N36). */
import { TCP_FLAG } from '../../../wire/tcp-udp.ts';
import { COUNTER } from '../counters.ts';
import { type Packet, TRANSPORT } from '../packet/packet.ts';
import type { Lifetimes } from '../settings/settings.ts';
import { addSession, setExpiry } from '../tables/sessions.ts';
import { PREFIX_SHIFT, RECORD_WORDS, SESSION, STATE_MASK } from '../tables/tables.ts';
import { nextTcpState, tcpEvent, tcpLifetimeSeconds } from '../tables/tcp-state.ts';
import type { Translator } from './translator.ts';

/** The state of sessions other than TCP. */
export const NO_STATE = 0;

/** Whether a TCP segment opens a connection. */
export const opensConnection = ({ tcpFlags }: Packet): boolean =>
  (tcpFlags & (TCP_FLAG.SYN | TCP_FLAG.RST)) === TCP_FLAG.SYN;

/** Opens the session of the packet, whose BIB entry is known; false if there is no room for it. */
export function openSession(translator: Translator, state: number, lifetimeSeconds: number): boolean {
  const { packet, tables, nowSeconds } = translator;
  const { bib, remoteAddress, remotePort } = packet;
  const expiresAt = nowSeconds + lifetimeSeconds;
  const stateAndPrefix = state | (packet.prefixIndex << PREFIX_SHIFT);
  const session = addSession(tables, bib, remoteAddress, remotePort, stateAndPrefix, nowSeconds, expiresAt);
  if (session === 0) return false;
  packet.session = session;
  packet.opensSession = true;
  translator.counters[COUNTER['sessions-created-tcp'] + packet.protocol]++;
  return true;
}

export function initialLifetimeSeconds(lifetimes: Lifetimes, protocol: number): number {
  if (protocol === TRANSPORT.TCP) return lifetimes.tcpTransitorySeconds;
  return protocol === TRANSPORT.UDP ? lifetimes.udpSeconds : lifetimes.icmpSeconds;
}

/** Updates an existing session for a packet: its lifetime, and for TCP its state. `side` is 0 or FROM_V4. */
export function refreshSession({ packet, tables, settings, nowSeconds }: Translator, side: number): void {
  const { session, protocol } = packet;
  const { lifetimes } = settings;
  if (protocol !== TRANSPORT.TCP) {
    setExpiry(tables, session, nowSeconds, nowSeconds + initialLifetimeSeconds(lifetimes, protocol));
    return;
  }
  const at = session * RECORD_WORDS + SESSION.REMOTE_PORT_AND_STATE;
  const portAndState = tables.sessions[at];
  const state = portAndState & STATE_MASK;
  const event = tcpEvent(packet.tcpFlags) | side;
  const next = nextTcpState(state, event);
  if (next !== state) tables.sessions[at] = (portAndState & ~STATE_MASK) | next;
  const lifetimeSeconds = tcpLifetimeSeconds(lifetimes, state, event);
  if (lifetimeSeconds !== 0) setExpiry(tables, session, nowSeconds, nowSeconds + lifetimeSeconds);
}
