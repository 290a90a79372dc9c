/**
 * A connection as plain data: two halves, one for each direction. It is small, because thousands stay open: an idle
 * connection holds no buffer, no pipe and no timer.
 */
import { AccessLevel, type AccessLevelId } from './access-record.ts';
import type { Exchange } from './exchange.ts';
import type { Examiner, Gate, Route, Arrival } from './gate.ts';
import type { Endpoint } from '../wire/proxy-protocol.ts';
import type { Pipe } from './pipe-pool.ts';

/** The phases of a connection. */
export const Phase = {
  /** Waits for the client's first bytes, which determine the server. */
  opening: 0,
  /** connect(2) to the server is in progress. */
  dialing: 1,
  /** Bytes pass in both directions. */
  relaying: 2,
  /** Answered and half-closed. What the client still sends is discarded, so that no reset destroys the answer. */
  lingering: 3,
  closed: 4,
  /** The gate's conversation handles every event (gate.ts): a protocol in which more than the first bytes decides. */
  conversing: 5,
  /** The gate waits for something that another thread finds out (waiting.ts). */
  waiting: 6,
  /** Waits for the PROXY header of a trusted proxy. */
  introducing: 7,
} as const;

/** Where a connection to a server comes from. */
export const Origin = {
  /** The appliance's own address. */
  own: 0,
  /** The address in `Route.source`. */
  source: 1,
  /** The appliance's own address, because nothing came back to the address in `Route.source`. */
  ownInstead: 2,
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
  /** Whether events of `to` say that it takes more: most clients always do, so theirs are watched when it is needed first. */
  isWatched: boolean;
  /** An error or urgent data is in the queue: a short read does not mean that the queue is empty. */
  exhaustive: boolean;
  /** The FIN of `from` is in the queue: a short read is the last one. */
  ending: boolean;
  /** `from` was reset: nothing can be sent to it any more, not even a reset. */
  dead: boolean;
  /** `from` has sent its FIN, or cannot be read any more. */
  ended: boolean;
  /** The FIN was passed on to `to`, or nothing more can be sent there. */
  finished: boolean;
  /** It is in the list of halves that have used up their share of a turn. */
  queued: boolean;
  /** Bytes that were read, but not taken by `to` yet. */
  held: Uint8Array | null;
  pipe: Pipe | null;
  /** Bytes inside `pipe`. */
  pipedBytes: number;
  /** Bytes moved so far, only counted up to the number that decides between copying and splicing. */
  movedBytes: number;
  /** All bytes so far. */
  totalBytes: number;
}

export interface Connection extends Arrival {
  readonly gate: Gate;
  /** Milliseconds of the loop's clock. */
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
  /** The destination; set while dialling, and during an exchange. */
  route: Route | null;
  /** The state of the gate's conversation; null when there is none. */
  conversation: object | null;
  /** While dialling a server with several addresses: which have been tried (a bit for each), and which one is dialled now. */
  tried: number;
  address: number;
  /** While lingering: what the client has not acknowledged yet, and when that changed. */
  unsentBytes: number;
  progressMs: number;
  /** The event "opened" was recorded: its end is a "closed", not a "refused". */
  opened: boolean;
  /** One side was reset: the other side will be reset too. */
  failed: boolean;
  destination: Endpoint | null;
  uniqueId: Uint8Array | null;
  /** A trusted proxy has opened it for itself, as it does every few seconds to see whether we are there: it is no event. */
  isProbe: boolean;
  /** The socket on which it was accepted; only for a connection of a trusted proxy. */
  listener: number;
  /** It has been half closed and silent: the peer that has sent its FIN is probed to see whether it is gone. */
  isAsked: boolean;
  /** The name that the client asked for, and the name of the server; null while unknown. */
  name: string | null;
  server: string | null;
  /** Where the counters of its server begin (host-slots.ts); -1 before it has a server, and after its end. */
  hostAt: number;
  /** It counts among the attempts to reach that server (server-shares.ts). */
  isDialling: boolean;
  /** Its silent peers are probed (TCP keepalive). */
  isProbed: boolean;
  /** Where the connection to the server comes from. */
  origin: (typeof Origin)[keyof typeof Origin];
  /** Position of the counter that counted the end; -1 while there is none. */
  reason: number;
  /** Whether its end is written to the access log; of a conversation, each exchange is instead. */
  accessLog: AccessLevelId;
  /** The request under way, if it may be written to the access log. */
  exchange: Exchange | null;
  /** From its acceptance until its server was reached; -1: not yet. Milliseconds. */
  connectMs: number;
  /** Its slots (admission.ts): among all connections, and among those whose server is not reached yet; 0 for none. */
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
    isWatched: false,
    exhaustive: false,
    ending: false,
    dead: false,
    ended: false,
    finished: false,
    queued: false,
    held: null,
    pipe: null,
    pipedBytes: 0,
    movedBytes: 0,
    totalBytes: 0,
  };
}

let lastNumber = 0;
let numberStep = 1;

/** This thread gives its connections the numbers `first`, `first + step` and so on, and other threads give theirs others. */
export function numberConnections(first: number, step: number): void {
  lastNumber = first - step;
  numberStep = step;
}

/** Makes the connection for a client that was just accepted. */
export function createConnection(gate: Gate, clientFd: number, nowMs: number): Connection {
  lastNumber = (lastNumber + numberStep) | 0;
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
    conversation: null,
    tried: 0,
    address: -1,
    unsentBytes: 0,
    progressMs: 0,
    opened: false,
    failed: false,
    destination: null,
    uniqueId: null,
    isProbe: false,
    listener: -1,
    isAsked: false,
    name: null,
    server: null,
    hostAt: -1,
    isDialling: false,
    isProbed: false,
    origin: Origin.own,
    reason: -1,
    accessLog: gate.accessLog ?? AccessLevel.off,
    exchange: null,
    connectMs: -1,
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
