/**
 * The gate of a listener decides, from the first bytes of a connection, which server the connection goes to. The engine owns the
 * sockets. A gate only examines bytes, and says what to send and what to count.
 */

import type { ServerAddresses } from './server-addresses.ts';
/** An address that the connection to a server comes from, instead of the appliance's own. */
export interface Source {
  /** sockaddr_in6 with port 0. A local route must lead its packets here. */
  readonly address: Uint8Array;
  /** Such an address that belongs to nobody: it is used to try whether the server's answers come back by now. */
  readonly trial: Uint8Array;
  /**
   * What happens if the server's answers do not come back (way-back.ts). Position of the counter for connections that then come
   * from the appliance's own address; -1: they fail.
   */
  readonly withoutCounter: number;
}

/** The server for a connection, and what to send to it first. */
export interface Route {
  /** The server's name in the configuration. */
  readonly server: string;
  /** sockaddr_in6 of the server. */
  readonly serverAddress: Uint8Array;
  /** Absent: the connection comes from the appliance's own address. */
  readonly source?: Source | undefined;
  /** All its addresses, if there are several: then these are dialled, not only `serverAddress`. */
  readonly addresses?: ServerAddresses | undefined;
  /** Sent first: the bytes that the gate has consumed (unchanged or rewritten), after a PROXY header if one is needed. */
  readonly preamble: Uint8Array | null;
  /** How many bytes of the client may follow `preamble`; the rest is discarded. -1 for no limit. */
  readonly uploadBytes: number;
  /** Reads the bytes after `preamble` to find where they must end; made for one connection. */
  readonly upload?: UploadScanner;
  /** The connection ends when the server ends its answer (an HTTP exchange), not when both sides have closed. */
  readonly oneExchange: boolean;
  /** The client sent a HEAD request: refusals have no body. */
  readonly withoutBody?: boolean;
  /**
   * Examines the server's first bytes, if the server's answer decides what else may pass. Until there is a verdict, only
   * `preamble` passes. Such a route has one exchange, and is made for one connection.
   */
  readonly answer?: AnswerExaminer;
  /** What the client sent after `preamble`: passed on if the answer makes the connection a tunnel, otherwise dropped. */
  readonly tunnelled?: Uint8Array;
}

/** Reads what a client sends after a preamble, while it passes. */
export interface UploadScanner {
  /** How many of the bytes may pass. If not all, the rest and all later bytes are discarded. -1: malformed, the connection ends. */
  push(chunk: Uint8Array): number;
  /** Position of the counter for connections that end because of malformed bytes. */
  readonly malformedCounter: number;
}

/** Examines the server's first bytes as they arrive. */
export interface AnswerExaminer {
  /** `chunk` is only valid during the call. */
  push(chunk: Uint8Array): AnswerVerdict;
}

export type AnswerVerdict =
  | { readonly kind: 'more' }
  | {
      readonly kind: 'pass';
      /** Position of its counter; -1 for none. */
      readonly counter: number;
      /** What is sent to the client for the bytes so far. */
      readonly bytes: Uint8Array;
      /** True: everything passes in both directions from now on. False: what the client still sends is discarded. */
      readonly isTunnel: boolean;
      /** How many bytes of the answer are still to come before the exchange ends; -1 if it ends when the server closes. */
      readonly remainingBytes: number;
    }
  | { readonly kind: 'refuse'; readonly refusal: Refusal };

/** How a connection is refused. */
export interface Refusal {
  /** Position of its counter; -1 if the engine counts it. */
  readonly counter: number;
  /** Sent before the end; null for none. */
  readonly answer: Uint8Array | null;
  /** End with a reset, if the protocol has no message for a refusal. */
  readonly reset: boolean;
}

export type Verdict =
  | { readonly kind: 'more' }
  /** `counter`: the position of the counter for such routes. `name`: the name that the client asked for. */
  | { readonly kind: 'route'; readonly route: Route; readonly counter: number; readonly name: string }
  /** `server`: the one that the client would have reached. */
  | {
      readonly kind: 'refuse';
      readonly refusal: Refusal;
      readonly name?: string | null;
      readonly server?: string | null;
    };

export const MORE: { readonly kind: 'more' } = { kind: 'more' };

/** Why a server could not be reached. ourselves: its address is our own, which must not be dialled. */
export type DialFailure = 'refused' | 'unreachable' | 'timeout' | 'no-socket' | 'ourselves';
/** The same, or the server ended an exchange without an answer. */
export type ServerFailure = DialFailure | 'no-answer';

/** Examines the first bytes of one connection as they arrive. */
export interface Examiner {
  /** `chunk` is only valid during the call. */
  push(chunk: Uint8Array, clientFd: number): Verdict;
  /** The answer if the rest does not come in time. */
  timedOut(): Refusal;
}

export interface Gate {
  /** Takes the connection over from its first byte on (conversation.ts); not set by gates that only examine the first bytes. */
  readonly conversation?: object;
  /** Makes the examiner for a new connection. If no bytes are needed, it is null and `route` is set. */
  readonly begin: (() => Examiner) | null;
  readonly route: Route | null;
  /** Makes a route for the client of this descriptor, used instead of `route`. */
  readonly routeFor?: (clientFd: number) => Route;
  /** The refusal of a new connection, before its server is dialled; null if its client may connect. Only asked if `route` is set. */
  refuses?(clientFd: number): Refusal | null;
  /** The answer if the server fails before its first byte. */
  serverFailed(route: Route, failure: ServerFailure): Refusal;
}

/** Ends with a reset, without an answer. */
export const RESET: Refusal = { counter: -1, answer: null, reset: true };
/** Ends normally, without an answer. */
export const CLOSE: Refusal = { counter: -1, answer: null, reset: false };
