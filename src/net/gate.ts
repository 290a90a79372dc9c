/**
 * The gate of a listener decides, from the first bytes of a connection, which server the connection goes to. The engine owns the
 * sockets. A gate only examines bytes, and says what to send and what to count.
 */

import type { Endpoint } from '../wire/proxy-protocol.ts';
import type { KnownWays } from './found-ways.ts';
import type { AccessLevelId } from './access-record.ts';
import type { ServerAddresses } from './server-addresses.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

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
  /** What was found of the ways back before clients came. */
  readonly known?: KnownWays | undefined;
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
  /** What the access log has of such connections; absent: what the gate says. */
  readonly accessLog?: AccessLevelId | undefined;
  /** Sent first: the bytes that the gate has consumed (unchanged or rewritten), after a PROXY header if one is needed. */
  readonly preamble: Uint8Array | null;
}

/** How a connection is refused. */
export interface Refusal {
  /** Position of its counter; -1 if the engine counts it. */
  readonly counter: number;
  /** Sent before the end; null for none. */
  readonly answer: Uint8Array | null;
  /** End with a reset, if the protocol has no message for a refusal. */
  readonly reset: boolean;
}

/** What connections wait for, before their gate can decide; waiting.ts keeps them in it. */
export interface Awaited {
  readonly connections: object[];
}

export type Verdict =
  | { readonly kind: 'more' }
  /** The gate needs to know something that another thread finds out. Then it is asked again, with no bytes. */
  | { readonly kind: 'wait'; readonly awaited: Awaited }
  /** `counter`: the position of the counter for such routes. `name`: the name that the client asked for. */
  | { readonly kind: 'route'; readonly route: Route; readonly counter: number; readonly name: string }
  /** `server`: the one that the client would have reached. */
  | {
      readonly kind: 'refuse';
      readonly refusal: Refusal;
      readonly name?: string | null;
      readonly server?: string | null;
      /** As that of a route. */
      readonly accessLog?: AccessLevelId | undefined;
    };

export const MORE: { readonly kind: 'more' } = { kind: 'more' };

/**
 * Why a server could not be reached. ourselves: its address is our own, which must not be dialled. share: it has its share of the
 * connections (server-shares.ts), and was not dialled.
 */
export type DialFailure = 'refused' | 'unreachable' | 'timeout' | 'no-socket' | 'ourselves' | 'share';

/** What is known of a client's connection, beside its address. */
export interface Arrival {
  /** Counts up; wraps at 2^32. */
  readonly number: number;
  /** What the client dialled, as a trusted proxy has told it; null: our end of the socket says it. */
  readonly destination: Endpoint | null;
  /** What tells it from others to servers, and to people who compare logs; null as long as nobody was told one. */
  uniqueId: Uint8Array | null;
}

/** Examines the first bytes of one connection as they arrive. */
export interface Examiner {
  /** `chunk` is only valid during the call. */
  push(chunk: Uint8Array, clientFd: number, arrival: Arrival): Verdict;
  /** The answer if the rest does not come in time. */
  timedOut(): Refusal;
}

export interface Gate {
  /** Takes the connection over from its first byte on (conversation.ts); not set by gates that only examine the first bytes. */
  readonly conversation?: object;
  /** Connections from these proxies begin with a PROXY header; undefined if there are none. */
  readonly trusted?: TrustedProxies | undefined;
  /** Makes the examiner for a new connection. If no bytes are needed, it is null and `route` is set. */
  readonly begin: (() => Examiner) | null;
  readonly route: Route | null;
  /** Makes a route for the client of this descriptor, used instead of `route`. */
  readonly routeFor?: (clientFd: number) => Route;
  /** The refusal of a new connection, before its server is dialled; null if its client may connect. Only asked if `route` is set. */
  refuses?(clientFd: number): Refusal | null;
  /** What the access log has of connections whose server is not known; absent: nothing. A conversation writes itself. */
  readonly accessLog?: AccessLevelId | undefined;
  /** The answer if the server fails before its first byte. */
  serverFailed(route: Route, failure: DialFailure): Refusal;
}

/** Ends with a reset, without an answer. */
export const RESET: Refusal = { counter: -1, answer: null, reset: true };
/** Ends normally, without an answer. */
export const CLOSE: Refusal = { counter: -1, answer: null, reset: false };
