/**
 * What the connections of one loop share, as plain data. The phases of a connection are functions over it and over the
 * connection (admit.ts, opening.ts, dialling.ts, relaying.ts with relay.ts, ending.ts, deadlines.ts). Each module
 * imports only the phases that it passes a connection to; connections.ts dispatches events to them. Nothing here is allocated
 * per connection, event or chunk of bytes.
 */
import type { FdLedger } from '../os/fd-ledger.ts';
import {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  pinned,
  placeOf,
} from '../os/libc.ts';
import type { Ourselves } from '../os/ourselves.ts';
import { type AccessWriter, NO_ACCESS_LOG } from './access-log.ts';
import type { Admission } from './admission.ts';
import type { Closer } from './closing.ts';
import type { Connection, Half } from './connection.ts';
import type { TcpCounters } from './counters.ts';
import type { Epoll } from './epoll.ts';
import type { TcpEvents } from './events.ts';
import type { Holders } from './holders.ts';
import type { HostCounters } from './host-slots.ts';
import type { PipePool } from './pipe-pool.ts';
import type { ConnectionLimits } from './timeouts.ts';
import { type WaysBack, createWaysBack } from './way-back.ts';

/** The events that are watched on the socket of a client, edge-triggered. */
export const ARRIVALS = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;
/** The same, and that the socket is connected, or takes more again. */
export const EDGES = ARRIVALS | EPOLLOUT;
/** After these events, a short read does not mean that the queue is empty. */
const UNCLEAR = EPOLLERR | EPOLLPRI;
/** After these, no more data arrives than is in the queue. */
const ENDING = EPOLLRDHUP | EPOLLHUP;
/** After these, there is more in the queue than bytes. */
export const EXHAUSTIVE = UNCLEAR | ENDING;
export const READABLE = EPOLLIN | EXHAUSTIVE;

/** Notes what the events say about the queue of `half.from`. True if they say more than that there is something to read. */
export function noteEvents(half: Half, events: number): boolean {
  if ((events & EXHAUSTIVE) === 0) return false;
  if ((events & UNCLEAR) !== 0) half.exhaustive = true;
  if ((events & ENDING) !== 0) half.ending = true;
  if ((events & EPOLLERR) !== 0) half.dead = true;
  return true;
}

/** The limit of one read. */
export const CHUNK_BYTES = 64 * 1024;
/** About how much all connections together move in one turn of the loop, and how much one direction of one may. */
const TURN_BYTES = 8 * 1024 * 1024;
const MAX_SHARE_BYTES = 1024 * 1024;

/**
 * How much one direction may move in a turn with so many that have work: one client with hundreds of connections must not make the
 * turn long. At least a chunk.
 */
export const shareOfTurn = (working: number): number =>
  Math.min(MAX_SHARE_BYTES, Math.max(CHUNK_BYTES, Math.floor(TURN_BYTES / Math.max(working, 1))));

/** The values before the first configuration, when there are no listeners either. */
const NOT_TOLD: Ourselves = { own: [], rows: new Int32Array() };
const NO_LIMITS: ConnectionLimits = { halfClosedTimeoutMs: 0 };

export interface LoopOptions {
  readonly epoll: Epoll;
  readonly ledger: FdLedger;
  readonly closer: Closer;
  readonly pipes: PipePool;
  readonly counters: TcpCounters;
  readonly hosts: HostCounters;
  readonly events: TcpEvents;
  /** Absent: nothing is written. */
  readonly access?: AccessWriter | undefined;
  readonly admission: Admission;
  /** Who holds most, and who was refused. */
  readonly holders: Holders;
}

/** The owner of a descriptor that belongs to no connection at present. */
export interface Parked {
  onEvents(loop: Loop): void;
  /** Called about once per second. */
  onDeadline(loop: Loop): void;
}

export interface Loop extends Omit<LoopOptions, 'counters' | 'access'> {
  readonly access: AccessWriter;
  readonly values: TcpCounters['values'];
  readonly index: TcpCounters['index'];
  /** A buffer of CHUNK_BYTES, free between calls. */
  readonly scratch: Uint8Array;
  /** Its address. */
  readonly scratchAt: number;
  /** By descriptor: the half that reads from it. */
  readonly halves: (Half | undefined)[];
  /** By descriptor: a connection to a server that waits for its next use. Whatever happens on it ends it. */
  readonly parked: (Parked | undefined)[];
  readonly waysBack: WaysBack;
  limits: ConnectionLimits;
  /** The number of workers: bounds on memory that are not counted together are divided by it. */
  workers: number;
  /** Number of open connections, and of those whose server is not reached yet. */
  open: number;
  openings: number;
  /** Bytes that all halves together hold. */
  heldBytes: number;
  /** Halves that have more work at once: call `runQueued` without waiting. */
  queued: Half[];
  /** Attempts to reach one of several addresses of a server, the oldest first: `giveUpSlow` looks at them. */
  attempts: Attempt[];
  /** How much one direction may move in this turn. */
  shareBytes: number;
  /** Counts the turns; wraps at 2^31. */
  turn: number;
  /** The time that handlers use: milliseconds that wrap at 2^31. */
  nowMs: number;
  /** Our own addresses, which must not be dialled. */
  ourselves: Ourselves;
  /** The process is about to end, or this worker is no longer needed. */
  isDraining: boolean;
}

export function createLoop(options: LoopOptions): Loop {
  const { epoll, ledger, closer, pipes, counters, hosts, events, admission, holders } = options;
  const scratch = pinned(CHUNK_BYTES);
  return {
    epoll,
    ledger,
    closer,
    pipes,
    hosts,
    events,
    access: options.access ?? NO_ACCESS_LOG,
    admission,
    holders,
    values: counters.values,
    index: counters.index,
    scratch,
    scratchAt: placeOf(scratch),
    halves: [],
    parked: [],
    waysBack: createWaysBack(),
    limits: NO_LIMITS,
    workers: 1,
    open: 0,
    openings: 0,
    heldBytes: 0,
    queued: [],
    attempts: [],
    shareBytes: MAX_SHARE_BYTES,
    turn: 0,
    nowMs: 0,
    ourselves: NOT_TOLD,
    isDraining: false,
  };
}

/** One of several addresses is being dialled. */
export interface Attempt {
  readonly connection: Connection;
  /** The value of `connection.tried` with it. */
  readonly tried: number;
  readonly sinceMs: number;
}

/** The half has work: it continues in this turn, after the other events. */
export function queue({ queued }: Loop, half: Half): void {
  if (half.queued) return;
  half.queued = true;
  queued.push(half);
}
