/**
 * Whether a server's answers to a source address that is not the appliance's own (`Route.source`) come back. A server without a
 * route for such addresses sends its answers elsewhere, and nobody tells us: the connection only stays silent. So
 *
 * - a connection from such an address waits WAIT_MS for the server, and then is made from the appliance's own address. If the
 *   server answers that one, the way back is missing.
 * - while the way back is missing, connections come from the own address at once. Every TRIAL_INTERVAL_MS one of them also starts
 *   a trial: a connection from `Source.trial` that no client waits for. If the server answers it, the way back exists.
 *
 * So no client waits but those of the first WAIT_MS, and only if the main thread has not found the missing way before them
 * (found-ways.ts). A refused connection is an answer.
 */
import type { FdLedger } from '../os/fd-ledger.ts';
import { E, IPPROTO_TCP, TCP_CLOSE, TCP_INFO, getsockopt, int32, pinned } from '../os/libc.ts';
import { socketError } from '../os/socket-error.ts';
import type { Closer } from './closing.ts';
import { type Connection, Origin, Phase } from './connection.ts';
import { dial } from './dial.ts';
import { wayKey } from './found-ways.ts';
import type { Source } from './gate.ts';

/** A lost SYN is sent again after a second (RFC 6298 section 2.1). */
export const WAIT_MS = 1200;
export const TRIAL_INTERVAL_MS = 10_000;
const TRIAL_MS = 3000;
/** How often waiting connections and trials are looked at. */
const LOOK_MS = 100;
const TCP_ESTABLISHED = 1;
/** Servers that are remembered. One more, and the one that was found first is forgotten. */
const MOST_MISSING = 4096;

interface MissingWay {
  /** When the last trial began; at first, when the way back was found to be missing. */
  triedMs: number;
  /** The descriptor of the trial; -1 for none. */
  trial: number;
  /** The number by which the main thread told of it, if it did. */
  readonly found: Int32Array | undefined;
}

interface Waiting {
  readonly connection: Connection;
  /** The descriptor of the connection to the server. */
  readonly fd: number;
  readonly sinceMs: number;
}

export interface WaysBack {
  /** Servers whose answers do not come back, by their address. */
  readonly missing: Map<string, MissingWay>;
  /** Connections from a source that wait for their server, the oldest first; and some that no longer wait. */
  waiting: Waiting[];
  /** So many of them have been dealt with. */
  past: number;
  trials: number;
}

export const createWaysBack = (): WaysBack => ({ missing: new Map(), waiting: [], past: 0, trials: 0 });

/** The parts of the loop that are needed here. */
interface Means {
  readonly ledger: FdLedger;
  readonly closer: Closer;
  readonly waysBack: WaysBack;
  readonly nowMs: number;
}

/** Whether the own address may be used instead, if nothing comes back to the source. */
export const mayComeWithout = (source: Source | undefined): source is Source =>
  source !== undefined && source.withoutCounter >= 0;

/** Where a new connection comes from. May start a trial. */
export function originOf(
  means: Means,
  source: Source | undefined,
  serverAddress: Uint8Array,
): Connection['origin'] {
  if (!mayComeWithout(source)) return source === undefined ? Origin.own : Origin.source;
  const { waysBack, nowMs } = means;
  const key = keyOf(serverAddress);
  const way = waysBack.missing.get(key) ?? wayFound(means, source, key);
  if (way === undefined) return Origin.source;
  if (way.trial < 0 && ((nowMs - way.triedMs) | 0) >= TRIAL_INTERVAL_MS) {
    way.triedMs = nowMs;
    way.trial = Math.max(-1, dial(means.ledger, serverAddress, false, false, source.trial));
    if (way.trial >= 0) waysBack.trials++;
  }
  return Origin.own;
}

/** What the main thread has found. The first connection tries whether that still holds. */
function wayFound({ waysBack, nowMs }: Means, { known }: Source, key: string): MissingWay | undefined {
  const found = known?.get(key);
  if (found === undefined || found[0] === 0) return undefined;
  remember(waysBack, key, { triedMs: (nowMs - TRIAL_INTERVAL_MS) | 0, trial: -1, found });
  return waysBack.missing.get(key);
}

/** A connection from a source begins to wait for its server. */
export const waitForWayBack = ({ waysBack, nowMs }: Means, connection: Connection, fd: number): void =>
  void waysBack.waiting.push({ connection, fd, sinceMs: nowMs });

/** The server has answered a connection from the own address, after nothing came back to the source. */
export function noteNoWayBack({ waysBack, nowMs }: Means, serverAddress: Uint8Array): void {
  const key = keyOf(serverAddress);
  if (waysBack.missing.has(key)) return;
  remember(waysBack, key, { triedMs: nowMs, trial: -1, found: undefined });
}

function remember({ missing }: WaysBack, key: string, way: MissingWay): void {
  if (missing.size >= MOST_MISSING) forgetFirst(missing);
  missing.set(key, way);
}

function forgetFirst(missing: WaysBack['missing']): void {
  for (const [key, { trial }] of missing) {
    if (trial >= 0) continue;
    missing.delete(key);
    return;
  }
}

/**
 * Call once per turn: passes on connections that have waited long enough, and looks at the trials. `timeoutMs`: for the whole time
 * until the server answers.
 */
export function lookAtWaysBack(
  means: Means,
  timeoutMs: number,
  waitedEnough: (connection: Connection) => void,
): void {
  const { waysBack, nowMs } = means;
  const { waiting } = waysBack;
  const waitMs = Math.min(WAIT_MS, timeoutMs / 2);
  for (; waysBack.past < waiting.length; waysBack.past++) {
    const { connection, fd, sinceMs } = waiting[waysBack.past];
    const { origin, phase, down } = connection;
    if (origin !== Origin.source || phase === Phase.closed || down.from !== fd) continue;
    if (((nowMs - sinceMs) | 0) < waitMs) break;
    waitedEnough(connection);
  }
  // Not each time: what is copied is less than what was dealt with since the last copy.
  if (waysBack.past * 2 > waiting.length) {
    waysBack.waiting = waiting.slice(waysBack.past);
    waysBack.past = 0;
  }
  if (waysBack.trials > 0) lookAtTrials(means);
}

/** The longest time until the next call of `lookAtWaysBack`. */
export const waysBackWaitMs = ({ waiting, trials }: WaysBack): number =>
  waiting.length > 0 || trials > 0 ? LOOK_MS : Number.POSITIVE_INFINITY;

function lookAtTrials({ waysBack, closer, nowMs }: Means): void {
  for (const [key, way] of waysBack.missing) {
    if (way.trial < 0) continue;
    const state = stateOf(way.trial);
    const isOver = state === TCP_ESTABLISHED || state === TCP_CLOSE;
    if (!isOver && ((nowMs - way.triedMs) | 0) < TRIAL_MS) continue;
    const isAnswered =
      state === TCP_ESTABLISHED || (state === TCP_CLOSE && socketError(way.trial) === E.ECONNREFUSED);
    // A reset: the server must not keep a connection that nobody uses.
    closer.reset(way.trial, nowMs);
    way.trial = -1;
    waysBack.trials--;
    if (!isAnswered) continue;
    waysBack.missing.delete(key);
    if (way.found !== undefined) way.found[0] = 0;
  }
}

/** struct tcp_info, whose first byte is the state. */
const info = pinned(1);
const infoBytes = int32(1);

function stateOf(fd: number): number {
  infoBytes[0] = 1;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, infoBytes) < 0 ? TCP_CLOSE : info[0];
}

/** Of a sockaddr_in6: its address. */
const keyOf = (sockaddr: Uint8Array): string => wayKey(sockaddr.subarray(8, 24));
