/**
 * A connection as plain data: two halves, one for each direction. Kept small, since thousands stay open: an idle one
 * holds no buffer, no pipe and no timer.
 */
import type { AnswerExaminer, Examiner, Gate, Route, UploadScanner } from './gate.ts';
import type { Pipe } from './pipe-pool.ts';

/** Where a connection is in its life. */
export const Phase = {
  /** The client's first bytes are awaited: they tell its server. */
  opening: 0,
  /** connect(2) to the server is under way. */
  dialing: 1,
  /** Bytes pass both ways. */
  relaying: 2,
  /** Answered and half-closed; what the client still sends is discarded, so that the answer is not lost to a reset. */
  lingering: 3,
  closed: 4,
} as const;

/** One direction: bytes that arrive at `from` and leave at `to`. */
export interface Half {
  readonly connection: Connection;
  /** The descriptor read from; -1 before the server is dialled. */
  from: number;
  to: number;
  /** The kernel may have bytes for us: cleared by EAGAIN, set by an edge. */
  readable: boolean;
  writable: boolean;
  /** A FIN, an error or urgent data is in the queue: a short read does not mean that the queue is empty. */
  exhaustive: boolean;
  /** `from` has sent its FIN, or can be read no more. */
  ended: boolean;
  /** The FIN was passed on to `to`, or nothing more can be. */
  finished: boolean;
  /** In the list of halves that used up their share of a turn. */
  queued: boolean;
  /** Bytes read that `to` did not take yet. */
  held: Uint8Array | null;
  pipe: Pipe | null;
  /** Bytes inside `pipe`. */
  pipedBytes: number;
  /** Bytes moved so far, no more counted than decides between copying and splicing. */
  movedBytes: number;
  /** All bytes so far. */
  totalBytes: number;
  /** Bytes that may still pass; what follows is discarded, or, of an answer, ends it. Negative: no limit. */
  remainingBytes: number;
  /** Nothing is read: what becomes of it depends on the other side's answer. */
  waiting: boolean;
}

export interface Connection {
  readonly gate: Gate;
  /** Counts up; wraps at 2^32. */
  readonly number: number;
  /** By the loop's clock. */
  readonly acceptedMs: number;
  phase: (typeof Phase)[keyof typeof Phase];
  /** Client to server. Its `from` is the client's socket. */
  readonly up: Half;
  /** Server to client. Its `from` is the server's socket. */
  readonly down: Half;
  /** When the phase began; while relaying, when bytes last moved. Milliseconds of the loop's clock, which wraps. */
  sinceMs: number;
  openingBytes: number;
  examiner: Examiner | null;
  /** Where to: while dialling, and during one exchange. */
  route: Route | null;
  /** Finds the end of what the client may send; null when nobody looks. */
  upload: UploadScanner | null;
  /** Judges the server's first bytes; null when they simply pass. */
  answer: AnswerExaminer | null;
  /** The connection ends when the server's answer does. */
  oneExchange: boolean;
  /** One side was reset: the other will be. */
  failed: boolean;
  /** It has been half closed and silent: who has ended is asked whether he is gone. */
  isAsked: boolean;
  /** What the client asked for, and the name of the server that it leads to; null while not known. */
  name: string | null;
  server: string | null;
  /** Where its server's counters begin (host-slots.ts); -1 while it has no server, and after. */
  hostAt: number;
  /** Position of the counter that counted the end; -1 while there is none. */
  reason: number;
  /** Its client's slots (admission.ts): of all connections, and of those whose server is not reached yet; 0 for none. */
  slot: number;
  openingSlot: number;
}

function createHalf(connection: Connection): Half {
  return {
    connection,
    from: -1,
    to: -1,
    readable: false,
    writable: false,
    exhaustive: false,
    ended: false,
    finished: false,
    queued: false,
    held: null,
    pipe: null,
    pipedBytes: 0,
    movedBytes: 0,
    totalBytes: 0,
    remainingBytes: -1,
    waiting: false,
  };
}

let lastNumber = 0;

/** A connection of a client just accepted. */
export function createConnection(gate: Gate, clientFd: number, nowMs: number): Connection {
  lastNumber = (lastNumber + 1) | 0;
  const connection = {
    gate,
    number: lastNumber,
    acceptedMs: nowMs,
    phase: Phase.opening,
    up: undefined,
    down: undefined,
    sinceMs: nowMs,
    openingBytes: 0,
    examiner: null,
    route: null,
    upload: null,
    answer: null,
    oneExchange: false,
    failed: false,
    isAsked: false,
    name: null,
    server: null,
    hostAt: -1,
    reason: -1,
    slot: 0,
    openingSlot: 0,
  } as unknown as { -readonly [Key in keyof Connection]: Connection[Key] };
  connection.up = createHalf(connection);
  connection.down = createHalf(connection);
  connection.up.from = connection.down.to = clientFd;
  connection.down.writable = true; // a fresh socket has room
  return connection;
}

/** The other direction of the same connection. */
export const oppositeOf = (half: Half): Half =>
  half === half.connection.up ? half.connection.down : half.connection.up;
