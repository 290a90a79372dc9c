/**
 * Finds the server for a name. Rebuilt with each configuration, and never changed after that, except for what is known of a
 * server's several addresses. decide.ts adds what clients may.
 */
import { addressesOf, isHttps, serviceAt } from '../../config/host-services.ts';
import type { HostConfig, ListenerConfig } from '../../config/schema.ts';
import {
  type FailingAddresses,
  type ServerAddresses,
  createServerAddresses,
} from '../../net/server-addresses.ts';
import { encodeSocketAddress } from '../../os/socket-address.ts';
import { parseIpv6 } from '../../wire/ip-address.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import { type HostAccess, compileAccess } from '../host-access.ts';

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
}

export interface Redirect {
  readonly status: 301 | 308;
  /** Of the listener for https. */
  readonly port: number;
}

export interface HostTable {
  /** null: the name belongs to a server that does not serve it here (switched off, or without this listener). */
  readonly exact: ReadonlyMap<string, Backend | null>;
  /** By the part after "*." */
  readonly wildcard: ReadonlyMap<string, Backend | null>;
  /** By the part after "**." */
  readonly deep: ReadonlyMap<string, Backend | null>;
  /** For clients that name no server, or one that nobody has. */
  readonly fallback: Backend | undefined;
  /** Some server has an access list: `decide` needs the client's address. */
  readonly needsClient: boolean;
}

/** What a table is made of, beside the servers. */
export interface HostTableOptions {
  /** All listeners of the proxy. */
  readonly listeners: readonly ListenerConfig[];
  readonly defaultHost?: string | undefined;
  /** The networks that "lan" stands for in access lists. */
  readonly attached: readonly IpPrefix[];
  /** What health checks find, by `failingKey`; nothing for a server without them. */
  readonly failing?: ReadonlyMap<string, FailingAddresses> | undefined;
}

/** The addresses of a server are checked at the port of each listener. */
export const failingKey = (server: string, listener: string): string => `${listener} ${server}`;

/**
 * The servers that name the listener in their `services` and are not switched off. If two servers have the same host name, the
 * first is used.
 */
export function buildHostTable(
  hosts: readonly HostConfig[],
  listener: Pick<ListenerConfig, 'name' | 'port' | 'protocol'>,
  { listeners, defaultHost, attached, failing }: HostTableOptions,
): HostTable {
  const exact = new Map<string, Backend | null>();
  const wildcard = new Map<string, Backend | null>();
  const deep = new Map<string, Backend | null>();
  const setNames = ({ hostnames }: HostConfig, backend: Backend | null) => {
    for (const pattern of hostnames) {
      const [stars, key] = splitPattern(pattern);
      const table = stars === '' ? exact : stars === '*' ? wildcard : deep;
      if (!table.has(key)) table.set(key, backend);
    }
  };
  let fallback: Backend | undefined;
  let needsClient = false;
  for (const host of hosts) {
    const use = host.enabled ? serviceAt(host, listener) : undefined;
    if (use === undefined) {
      setNames(host, null);
      continue;
    }
    const { name, maintenance } = host;
    const all = socketAddressesOf(host, use.port);
    const backend: Backend = {
      refused: null,
      name,
      serverAddress: all[0],
      addresses:
        all.length === 1
          ? undefined
          : createServerAddresses(
              all,
              host.balance === 'round-robin',
              failing?.get(failingKey(name, listener.name)),
            ),
      clientAddress: use.clientAddress,
      access: compileAccess(host.allow, attached),
      maintenance,
      redirect: listener.protocol === 'http' ? redirectOf(host, listeners) : null,
    };
    needsClient ||= backend.access !== null;
    if (name === defaultHost) fallback = backend;
    setNames(host, backend);
  }
  return { exact, wildcard, deep, fallback, needsClient };
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
 * The server for a name in lower case without a final dot. The order: the exact name; "*.", which matches exactly one label
 * (RFC 9525 section 6.3), as in the server's certificate; "**.", which matches one or more, the longest first.
 */
export function findBackend({ exact, wildcard, deep }: HostTable, host: string): Backend | null | undefined {
  const found = exact.get(host);
  if (found !== undefined || (wildcard.size === 0 && deep.size === 0)) return found;
  let dot = host.indexOf('.');
  if (dot <= 0) return undefined;
  const oneLabel = wildcard.get(host.slice(dot + 1));
  if (oneLabel !== undefined || deep.size === 0) return oneLabel;
  while (dot !== -1) {
    const backend = deep.get(host.slice(dot + 1));
    if (backend !== undefined) return backend;
    const next = host.indexOf('.', dot + 1);
    if (next === dot + 1) return undefined; // no host name has an empty label
    dot = next;
  }
  return undefined;
}
