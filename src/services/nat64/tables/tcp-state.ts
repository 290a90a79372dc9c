/**
 * The TCP state machine of RFC 6146 section 3.5.2.2, as a table. In the state CLOSED there is no session. There is none for a
 * stored SYN either: its connection is known only to stored-syns.ts.
 */
import { TCP_FLAG } from '../../../wire/tcp-udp.ts';
import type { Lifetimes } from '../settings/settings.ts';

/** States of a session; sessions other than TCP have the state 0. */
export const TCP_STATE = {
  V4_INIT: 1,
  V6_INIT: 2,
  ESTABLISHED: 3,
  V4_FIN: 4,
  V6_FIN: 5,
  V4_V6_FIN: 6,
  TRANS: 7,
} as const;

/** Events of the state machine, one per segment; FROM_V4 is added if the segment came from the IPv4 side. */
export const TCP_EVENT = { OTHER: 0, SYN: 1, FIN: 2, RST: 3 } as const;
export const FROM_V4 = 4;

const { V4_INIT, V6_INIT, ESTABLISHED, V4_FIN, V6_FIN, V4_V6_FIN, TRANS } = TCP_STATE;
/** Values of the lifetime table. KEEP: the segment does not prolong the session. Others: it sets this lifetime. */
const KEEP = 0;
const EST = 1;
const SHORT = 2;

/** By state: the next state after OTHER, SYN, FIN, RST from IPv6, then the same from IPv4. */
const NEXT_STATE: readonly (readonly number[])[] = [
  [],
  // V4 INIT: "If a V6 SYN is received ... the state is moved to ESTABLISHED"; any other event keeps the state.
  [V4_INIT, ESTABLISHED, V4_INIT, V4_INIT, V4_INIT, V4_INIT, V4_INIT, V4_INIT],
  // V6 INIT: a V4 SYN (with or without ACK) establishes.
  [V6_INIT, V6_INIT, V6_INIT, V6_INIT, V6_INIT, ESTABLISHED, V6_INIT, V6_INIT],
  [ESTABLISHED, ESTABLISHED, V6_FIN, TRANS, ESTABLISHED, ESTABLISHED, V4_FIN, TRANS],
  [V4_FIN, V4_FIN, V4_V6_FIN, V4_FIN, V4_FIN, V4_FIN, V4_FIN, V4_FIN],
  [V6_FIN, V6_FIN, V6_FIN, V6_FIN, V6_FIN, V6_FIN, V4_V6_FIN, V6_FIN],
  // After both FINs, all segments are late ones, except a SYN. A SYN opens a new connection between the same ports (RFC 9293
  // section 3.6.1), which gets the normal lifetimes (RFC 5382 REQ-5), not four minutes.
  [V4_V6_FIN, V6_INIT, V4_V6_FIN, V4_V6_FIN, V4_V6_FIN, V4_INIT, V4_V6_FIN, V4_V6_FIN],
  // TRANS: any segment other than a RST shows that the connection is alive (the RST before may have been forged).
  [ESTABLISHED, ESTABLISHED, ESTABLISHED, TRANS, ESTABLISHED, ESTABLISHED, ESTABLISHED, TRANS],
];

/** By state and event: the lifetime that the segment gives the session. */
const LIFETIMES: readonly (readonly number[])[] = [
  [],
  [KEEP, EST, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP],
  [KEEP, SHORT, KEEP, KEEP, KEEP, EST, KEEP, KEEP],
  // A FIN does not change the lifetime: the other direction may stay open for hours.
  [EST, EST, KEEP, SHORT, EST, EST, KEEP, SHORT],
  [EST, EST, SHORT, EST, EST, EST, EST, EST],
  [EST, EST, EST, EST, EST, EST, SHORT, EST],
  [KEEP, SHORT, KEEP, KEEP, KEEP, SHORT, KEEP, KEEP],
  [EST, EST, EST, KEEP, EST, EST, EST, KEEP],
];

const nextStates = Uint8Array.from(NEXT_STATE.flatMap((row) => (row.length === 0 ? Array(8).fill(0) : row)));
const lifetimeNames = Uint8Array.from(
  LIFETIMES.flatMap((row) => (row.length === 0 ? Array(8).fill(0) : row)),
);

/** The event of a segment with these flags. RST has priority over all, SYN over FIN. */
export function tcpEvent(flags: number): number {
  if ((flags & (TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST)) === 0) return TCP_EVENT.OTHER;
  if ((flags & TCP_FLAG.RST) !== 0) return TCP_EVENT.RST;
  return (flags & TCP_FLAG.SYN) === 0 ? TCP_EVENT.FIN : TCP_EVENT.SYN;
}

/** The state after an event. */
export const nextTcpState = (state: number, event: number): number => nextStates[(state << 3) | event];

/** The lifetime in seconds that an event in this state gives the session, or 0 if the lifetime does not change. */
export function tcpLifetimeSeconds(lifetimes: Lifetimes, state: number, event: number): number {
  const name = lifetimeNames[(state << 3) | event];
  if (name === KEEP) return 0;
  return name === EST ? lifetimes.tcpEstablishedSeconds : lifetimes.tcpTransitorySeconds;
}
