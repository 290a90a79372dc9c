/** Finds the server for a name. Rebuilt with each configuration, and never changed after that. */
import type { HostConfig } from '../../config/schema.ts';
import { encodeSocketAddress } from '../../os/socket-address.ts';
import { parseIpv6 } from '../../wire/ip-address.ts';

/** A server, as a listener uses it. */
export interface Backend {
  readonly name: string;
  /** sockaddr_in6, at the listener's port. */
  readonly serverAddress: Uint8Array;
  readonly clientAddress: HostConfig['clientAddress'];
}

export interface HostTable {
  readonly exact: ReadonlyMap<string, Backend>;
  /** By the part after "*." */
  readonly wildcard: ReadonlyMap<string, Backend>;
}

/** The servers that name the listener in their `services`. If two servers have the same host name, the first is used. */
export function buildHostTable(
  hosts: readonly HostConfig[],
  listener: { readonly name: string; readonly port: number },
): HostTable {
  const exact = new Map<string, Backend>();
  const wildcard = new Map<string, Backend>();
  for (const { name, address, hostnames, services, clientAddress } of hosts) {
    if (!services.includes(listener.name)) continue;
    const bytes = parseIpv6(address);
    if (bytes === undefined) throw new Error(`host "${name}": address "${address}" is no IPv6 address`);
    const serverAddress = encodeSocketAddress({ address: bytes, port: listener.port });
    for (const pattern of hostnames) {
      const lower = pattern.toLowerCase().replace(/\.$/, '');
      const [table, key] = lower.startsWith('*.') ? [wildcard, lower.slice(2)] : [exact, lower];
      if (!table.has(key)) table.set(key, { name, serverAddress, clientAddress });
    }
  }
  return { exact, wildcard };
}

/**
 * The server for a name in lower case without a final dot. An exact name takes precedence over a wildcard, which matches
 * exactly one label (RFC 9525 section 6.3), as in the server's certificate.
 */
export function findBackend({ exact, wildcard }: HostTable, host: string): Backend | undefined {
  const backend = exact.get(host);
  if (backend !== undefined || wildcard.size === 0) return backend;
  const dot = host.indexOf('.');
  return dot <= 0 ? undefined : wildcard.get(host.slice(dot + 1));
}
