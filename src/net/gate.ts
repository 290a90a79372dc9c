/**
 * The gate of a listener: what decides, on a connection's first bytes, which server it leads to. The engine owns the
 * sockets; a gate only judges bytes, and says what to send and what to count.
 */

/** A connection's server, and what to send it first. */
export interface Route {
  /** The server's name in the configuration. */
  readonly server: string;
  /** sockaddr_in6 of the server. */
  readonly serverAddress: Uint8Array;
  /** Sent first: what the gate has consumed (as it was, or rewritten), after a PROXY header where one is due. */
  readonly preamble: Uint8Array | null;
  /** Bytes of the client that may follow `preamble`, the rest being discarded; -1 for no limit. */
  readonly uploadBytes: number;
  /** Finds the end of what may follow `preamble` in the bytes themselves; made for one connection. */
  readonly upload?: UploadScanner;
  /** The connection is over when the server ends its answer (an HTTP exchange), not when both sides have closed. */
  readonly oneExchange: boolean;
  /** The client asked with HEAD: refusals carry no body. */
  readonly withoutBody?: boolean;
  /**
   * The judge of the server's first bytes, when its answer decides what more may pass. Until its verdict nothing passes
   * either way but `preamble`. Such a route is of one exchange, and made for one connection.
   */
  readonly answer?: AnswerExaminer;
  /** What the client sent behind `preamble`: passed when the answer makes a tunnel of the connection, else dropped. */
  readonly tunnelled?: Uint8Array;
}

/** Reads what a client sends behind a preamble, as it passes. */
export interface UploadScanner {
  /** How many of the bytes may pass; what follows these, when they are fewer, is discarded. -1: malformed, the connection ends. */
  push(chunk: Uint8Array): number;
  /** Position of the counter of connections that end so. */
  readonly malformedCounter: number;
}

/** Judges a server's first bytes as they arrive. */
export interface AnswerExaminer {
  /** `chunk` is valid during the call only. */
  push(chunk: Uint8Array): AnswerVerdict;
}

export type AnswerVerdict =
  | { readonly kind: 'more' }
  | {
      readonly kind: 'pass';
      /** Position of what counts it; -1 for none. */
      readonly counter: number;
      /** What the client gets for the bytes so far. */
      readonly bytes: Uint8Array;
      /** Everything passes both ways from now on; else what the client still sends is discarded. */
      readonly isTunnel: boolean;
      /** What of the answer is still to come, after which the exchange is over; -1 when the server's end tells. */
      readonly remainingBytes: number;
    }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** Why a connection goes no further. */
export interface Refusal {
  /** Position of its counter; -1 when the engine counts it. */
  readonly counter: number;
  /** Sent before the end; null for none. */
  readonly answer: Uint8Array | null;
  /** End with a reset, where the protocol has no words for a refusal. */
  readonly reset: boolean;
}

export type Verdict =
  | { readonly kind: 'more' }
  /** `counter`: the position of what counts such routes. `name`: what the client asked for. */
  | { readonly kind: 'route'; readonly route: Route; readonly counter: number; readonly name: string }
  | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly name?: string };

export const MORE: { readonly kind: 'more' } = { kind: 'more' };

/** Why a server could not be reached; ourselves: its address is our own, and nobody may come in that way. */
export type DialFailure = 'refused' | 'unreachable' | 'timeout' | 'no-socket' | 'ourselves';
/** ... or that it ended an exchange without an answer. */
export type ServerFailure = DialFailure | 'no-answer';

/** Judges one connection's first bytes as they arrive. */
export interface Examiner {
  /** `chunk` is valid during the call only. */
  push(chunk: Uint8Array, clientFd: number): Verdict;
  /** What to answer when the rest does not come in time. */
  timedOut(): Refusal;
}

export interface Gate {
  /** The judge of a new connection's bytes; or, where no bytes are needed, its route at once. */
  readonly begin: (() => Examiner) | null;
  readonly route: Route | null;
  /** What to answer when the server fails before its first byte. */
  serverFailed(route: Route, failure: ServerFailure): Refusal;
}

/** Ends with a reset and nothing said. */
export const RESET: Refusal = { counter: -1, answer: null, reset: true };
/** Ends in order with nothing said. */
export const CLOSE: Refusal = { counter: -1, answer: null, reset: false };
