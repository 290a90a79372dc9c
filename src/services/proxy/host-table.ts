/**
 * Finds the server for a name. Rebuilt with each configuration, and never changed after that, except for what is known of a
 * server's several addresses. decide.ts adds what clients may.
 */
import {
  accessLogOf,
  addressesOf,
  isHttps,
  serviceAt,
  type ServiceUse,
  waysAt,
} from '../../config/host-services.ts';
import type { HostConfig, ListenerConfig, ProxyConfig } from '../../config/schema.ts';
import type { Awaited } from '../../net/gate.ts';
import {
  type FailingAddresses,
  type ServerAddresses,
  createServerAddresses,
} from '../../net/server-addresses.ts';
import { AccessLevel, type AccessLevelId } from '../../net/access-record.ts';
import { encodeSocketAddress } from '../../os/socket-address.ts';
import type { OfferedProtocols } from '../../wire/client-hello.ts';
import { parseIpv6 } from '../../wire/ip-address.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import { type HostAccess, compileAccess } from '../host-access.ts';
import { type ProtocolRule, findByProtocol } from './offered.ts';

/** A server, as a listener uses it. */
export interface Backend {
  /** Tells it from what is refused (decide.ts). */
  readonly refused: null;
  readonly name: string;
  /** sockaddr_in6, at the server's port for this listener. */
  readonly serverAddress: Uint8Array;
  /** If it has several, with what is known of them. */
  readonly addresses: ServerAddresses | undefined;
  readonly clientAddress: HostConfig['clientAddress'];
  readonly access: HostAccess;
  /** Nobody is led there for now. */
  readonly maintenance: boolean;
  /** Where a plain HTTP request is sent instead; null if it goes to the server. */
  readonly redirect: Redirect | null;
  readonly accessLog: AccessLevelId;
  /** For a server that was found by the AAAA records of its name (learned.ts); null for a configured one. */
  readonly origin: Origin | null;
}

/** Servers were made from an answer of a resolver. */
export interface Origin {
  /** The name has other addresses now, or is not known any more. */
  isForgotten: boolean;
}

/**
 * Why a name has no server by its AAAA records. not-asked: nothing is known of it. no-address: it has none that is allowed.
 * no-lookup: the resolvers do not answer.
 */
export type NotLearned = 'not-asked' | 'no-address' | 'no-lookup';

export const KNOWN = 'known';

/** The servers of names that no configured server has (proxy.allowedPrefixes). */
export interface NameServers {
  /** undefined: it is no name that is looked up. */
  find(name: string): Backend | NotLearned | undefined;
  /**
   * Starts a look-up for this client (16 bytes), or joins one. If too many are in progress for it: KNOWN if an answer that is out
   * of date is used instead, so that `find` finds the server now; undefined if there is none.
   */
  ask(name: string, client: Uint8Array): Awaited | typeof KNOWN | undefined;
}

export interface Redirect {
  readonly status: 301 | 308;
  /** Of the listener for https. */
  readonly port: number;
}

/** Where a name leads. */
export interface Destination {
  /** null: the name belongs to a server that does not serve it here (switched off, or without this listener). */
  readonly backend: Backend | null;
  /** Servers that go before it for clients that offer a protocol; null for none. */
  readonly byProtocol: readonly ProtocolRule<Backend>[] | null;
}

export interface HostTable {
  readonly exact: ReadonlyMap<string, Destination>;
  /** By the part after "*." */
  readonly wildcard: ReadonlyMap<string, Destination>;
  /** By the part after "**." */
  readonly deep: ReadonlyMap<string, Destination>;
  /** For clients that name no server, or one that nobody has. */
  readonly fallback: Destination | undefined;
  /** What a request without Host is for, when it is sent to `fallback`. */
  readonly fallbackAuthority: string;
  /** Some server has an access list: `decide` needs the client's address. */
  readonly needsClient: boolean;
  /** What the access log has of clients that ask for no server of this table. */
  readonly accessLog: AccessLevelId;
  /** null: names that no server has are not looked up. */
  readonly names: NameServers | null;
}

/** What a table is made of, beside the servers. */
export interface HostTableOptions {
  /** All listeners of the proxy. */
  readonly listeners: readonly ListenerConfig[];
  readonly defaultHost?: string | undefined;
  /** The networks that "lan" stands for in access lists. */
  readonly attached: readonly IpPrefix[];
  readonly names?: NameServers | null;
  /** What health checks find, by `failingKey`; nothing for a server without them. */
  readonly failing?: ReadonlyMap<string, FailingAddresses> | undefined;
  /** Absent: off. */
  readonly accessLog?: ProxyConfig['accessLog'];
}

/** A destination while the table is made. */
interface Drafted {
  backend: Backend | null;
  byProtocol: ProtocolRule<Backend>[] | null;
}

/** The addresses of a server are checked at the port of each listener. */
export const failingKey = (server: string, listener: string): string => `${listener} ${server}`;

/**
 * The servers that name the listener in their `services` and are not switched off. If two servers have the same host name (and
 * protocol), the first is used.
 */
export function buildHostTable(
  hosts: readonly HostConfig[],
  listener: Pick<ListenerConfig, 'name' | 'port' | 'protocol'>,
  options: HostTableOptions,
): HostTable {
  const exact = new Map<string, Drafted>();
  const wildcard = new Map<string, Drafted>();
  const deep = new Map<string, Drafted>();
  let fallback: Destination | undefined;
  let fallbackAuthority = '';
  let needsClient = false;
  for (const host of hosts) {
    const own = destinationOf(host, listener, options);
    for (const pattern of host.hostnames) {
      const [stars, key] = splitPattern(pattern);
      addTo(stars === '' ? exact : stars === '*' ? wildcard : deep, key, own);
    }
    if (own.backend === null && own.byProtocol === null) continue;
    const { access } = (own.backend ?? own.byProtocol?.[0].backend)!;
    needsClient ||= access !== null;
    if (host.name === options.defaultHost) {
      fallback = own;
      fallbackAuthority = authorityOf(host);
    }
  }
  const { names = null, accessLog = 'off' } = options;
  const logged = AccessLevel[accessLog];
  return { exact, wildcard, deep, fallback, fallbackAuthority, needsClient, names, accessLog: logged };
}

/** Its first name that is no pattern, or its address: HTTP/1.1, in which we speak to servers, demands a Host. */
const authorityOf = (host: HostConfig): string =>
  host.hostnames.find((name) => !name.includes('*'))?.replace(/\.$/, '') ?? `[${addressesOf(host)[0]}]`;

/** Several servers may have a name, if all but one take only clients that offer a protocol. */
function addTo(table: Map<string, Drafted>, key: string, { backend, byProtocol }: Destination): void {
  let drafted = table.get(key);
  if (drafted === undefined) table.set(key, (drafted = { backend: null, byProtocol: null }));
  drafted.backend ??= backend;
  if (byProtocol !== null) drafted.byProtocol = [...(drafted.byProtocol ?? []), ...byProtocol];
}

/** Where the names of one server lead. */
function destinationOf(
  host: HostConfig,
  listener: Pick<ListenerConfig, 'name' | 'port' | 'protocol'>,
  options: HostTableOptions,
): Drafted {
  const drafted: Drafted = { backend: null, byProtocol: null };
  if (!host.enabled) return drafted;
  for (const way of waysAt(host, listener)) {
    const backend = backendOf(host, way, listener, options);
    if (way.alpn === undefined) drafted.backend ??= backend;
    else
      drafted.byProtocol = [
        ...(drafted.byProtocol ?? []),
        ...way.alpn.map((name) => ({ protocol: Buffer.from(name, 'latin1'), backend })),
      ];
  }
  return drafted;
}

function backendOf(
  host: HostConfig,
  { port, clientAddress, alpn }: ServiceUse,
  { name, protocol }: Pick<ListenerConfig, 'name' | 'protocol'>,
  { listeners, attached, failing, accessLog = 'off' }: HostTableOptions,
): Backend {
  const all = socketAddressesOf(host, port);
  // Health checks are made at the way in for all clients.
  const checked = alpn === undefined ? failing?.get(failingKey(host.name, name)) : undefined;
  return {
    refused: null,
    name: host.name,
    serverAddress: all[0],
    addresses:
      all.length === 1 ? undefined : createServerAddresses(all, host.balance === 'round-robin', checked),
    clientAddress,
    access: compileAccess(host.allow, attached),
    maintenance: host.maintenance,
    redirect: protocol === 'http' ? redirectOf(host, listeners) : null,
    accessLog: AccessLevel[accessLogOf(host, accessLog)],
    origin: null,
  };
}

function socketAddressesOf(host: HostConfig, port: number): Uint8Array[] {
  return addressesOf(host).map((text) => {
    const address = parseIpv6(text);
    if (address === undefined) throw new Error(`host "${host.name}": address "${text}" is no IPv6 address`);
    return encodeSocketAddress({ address, port });
  });
}

/** "**.Example.com." is ["**", "example.com"]. */
export function splitPattern(pattern: string): [stars: '' | '*' | '**', name: string] {
  const name = pattern.toLowerCase().replace(/\.$/, '');
  if (name.startsWith('**.')) return ['**', name.slice(3)];
  return name.startsWith('*.') ? ['*', name.slice(2)] : ['', name];
}

function redirectOf(host: HostConfig, listeners: readonly ListenerConfig[]): Redirect | null {
  if (host.redirectToHttps === false) return null;
  const https = listeners.find((each) => isHttps(each) && serviceAt(host, each) !== undefined);
  return https === undefined ? null : { status: host.redirectToHttps, port: https.port };
}

/**
 * Where a name leads, in lower case without a final dot. The order: the exact name; "*.", which matches exactly one label
 * (RFC 9525 section 6.3), as in the server's certificate; "**.", which matches one or more, the longest first.
 */
export function findDestination({ exact, wildcard, deep }: HostTable, host: string): Destination | undefined {
  const found = exact.get(host);
  if (found !== undefined || (wildcard.size === 0 && deep.size === 0)) return found;
  let dot = host.indexOf('.');
  if (dot <= 0) return undefined;
  const oneLabel = wildcard.get(host.slice(dot + 1));
  if (oneLabel !== undefined || deep.size === 0) return oneLabel;
  while (dot !== -1) {
    const destination = deep.get(host.slice(dot + 1));
    if (destination !== undefined) return destination;
    const next = host.indexOf('.', dot + 1);
    if (next === dot + 1) return undefined; // no host name has an empty label
    dot = next;
  }
  return undefined;
}

/** The server of a destination for a client that offers these protocols (null for none); null if there is none. */
export function serverAt(
  { backend, byProtocol }: Destination,
  offered: OfferedProtocols | null,
): Backend | null {
  if (byProtocol === null || offered === null) return backend;
  return findByProtocol(byProtocol, offered) ?? backend;
}

/** The server for a name, if the client offers no protocol; undefined if no server has the name. */
export const findBackend = (table: HostTable, host: string): Backend | null | undefined =>
  findDestination(table, host)?.backend;
