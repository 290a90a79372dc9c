/**
 * What becomes of a client that asks for a name: the server, or why not. The same for HTTP, TLS and explanations. Pure;
 * allocates nothing for a client that reaches its server.
 */
import { mayReach } from '../host-access.ts';
import {
  type Backend,
  type HostTable,
  type NotLearned,
  type Redirect,
  findDestination,
  serverAt,
} from './host-table.ts';
import type { OfferedProtocols } from '../../wire/client-hello.ts';

/** Why a client does not reach a server. */
export type RefusedKind =
  | 'no-name'
  | 'unknown-name'
  /** It has no address inside proxy.allowedPrefixes. */
  | 'no-address'
  /** The resolvers do not answer. */
  | 'no-lookup'
  /** Too many names are being looked up, in total or for this client. */
  | 'lookup-share'
  | 'not-allowed'
  | 'maintenance';

/** not-asked: the name has to be looked up, and then it is decided again. */
export type Decision = Backend | Refused | { readonly refused: 'not-asked' };

export type Refused =
  | { readonly refused: RefusedKind; readonly backend: Backend | null }
  | { readonly refused: 'redirect'; readonly backend: Backend; readonly redirect: Redirect };

/**
 * Certificate authorities ask for it over plain HTTP before there is a certificate (RFC 8555 section 8.3): one segment in base64url,
 * so that no other page is reached through it ("..").
 */
const ACME_CHALLENGE = /^\/\.well-known\/acme-challenge\/[\w-]+$/;

/** How soon a client may try again when its server is in maintenance. */
export const RETRY_AFTER_SECONDS = 300;

const NO_NAME: Decision = { refused: 'no-name', backend: null };
const UNKNOWN_NAME: Decision = { refused: 'unknown-name', backend: null };
const NOT_LEARNED: Readonly<Record<NotLearned, Decision>> = {
  'not-asked': { refused: 'not-asked' },
  'no-address': { refused: 'no-address', backend: null },
  'no-lookup': { refused: 'no-lookup', backend: null },
};
export const LOOKUP_SHARE: Refused = { refused: 'lookup-share', backend: null };

/**
 * `name`: in lower case without a final dot; undefined if the client named none. `client`: its address, 16 bytes, IPv4 mapped;
 * only needed if `table.needsClient`. `target`: of an HTTP request; undefined for other protocols, which are never redirected.
 * `offered`: what a ClientHello offers; null without one.
 */
export function decide(
  table: HostTable,
  name: string | undefined,
  client: Uint8Array | undefined,
  target: string | undefined,
  offered: OfferedProtocols | null,
): Decision {
  const owned = name === undefined ? undefined : findDestination(table, name);
  if (owned === undefined && name !== undefined && table.names !== null) {
    const found = table.names.find(name);
    if (typeof found === 'object') return found;
    // The default server comes last, because it would take every name. It does not take one whose server cannot be found just
    // now: the same name would lead to two servers in turn.
    if (found !== undefined && (found !== 'no-address' || table.fallback === undefined))
      return NOT_LEARNED[found];
  }
  // A name of a server that is not served here is no other server's: cookies would go there.
  const destination = owned ?? table.fallback;
  const backend = destination === undefined ? null : serverAt(destination, offered);
  if (backend === null) return name === undefined ? NO_NAME : UNKNOWN_NAME;
  if (!mayReach(backend.access, client)) return { refused: 'not-allowed', backend };
  if (backend.maintenance) return { refused: 'maintenance', backend };
  const { redirect } = backend;
  if (redirect === null || name === undefined || target === undefined || ACME_CHALLENGE.test(target))
    return backend;
  return { refused: 'redirect', backend, redirect };
}

/** The Location of a redirect. `host`: as in `decide`. A target of "*" (OPTIONS) has no path. */
export const locationOf = (host: string, port: number, target: string): string =>
  `https://${host}${port === 443 ? '' : `:${port}`}${target === '*' ? '' : target}`;
