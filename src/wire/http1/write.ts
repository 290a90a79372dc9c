/** Interface first; the implementation follows. */
import type { MessageHead } from './head.ts';

/** What to say in Connection. Bits. `upgrade` also sends the Upgrade field: of a request what it asks for. */
export const ConnectionOption = { none: 0, close: 1, keepAlive: 2, upgrade: 4 } as const;

/**
 * The head of the request to send on: version 1.1, Host first, what may pass, Max-Forwards less one for OPTIONS and TRACE, the
 * client's address and the authority in X-Forwarded-* and Forwarded, Via, Connection, empty line. `clientFields`:
 * createClientFields.
 */
export declare function writeRequestHead(
  head: MessageHead,
  bytes: Uint8Array,
  at: number,
  limit: number,
  clientFields: Uint8Array,
  connection: number,
): number;

export const ResponseOption = {
  none: 0,
  /** Without Transfer-Encoding: for a client of HTTP/1.0, which gets the data alone (dechunk). */
  dechunked: 1,
} as const;

/** The head of the response to send on: version 1.1, what may pass, one Content-Length, Via, Connection, empty line. */
export declare function writeResponseHead(
  head: MessageHead,
  bytes: Uint8Array,
  at: number,
  limit: number,
  connection: number,
  options: number,
): number;
