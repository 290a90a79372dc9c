/** Which server a name leads to. Built anew with each configuration, never changed after. */
import type { HostConfig } from '../../config/schema.ts';
import { encodeSocketAddress } from '../../os/socket-address.ts';
import { parseIpv6 } from '../../wire/ip-address.ts';

/** A server as a listener sees it. */
export interface Backend {
  readonly name: string;
  /** sockaddr_in6, at the listener's port. */
  readonly serverAddress: Uint8Array;
  readonly clientAddress: HostConfig['clientAddress'];
}

export interface HostTable {
  readonly exact: ReadonlyMap<string, Backend>;
  /** By what follows "*." */
  readonly wildcard: ReadonlyMap<string, Backend>;
}

/** The servers that name the listener in their `services`. Of two servers with one host name the first has it. */
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
 * The server of a name in lower case without a final dot. An exact name wins over a wildcard, which stands for
 * exactly one label (RFC 9525 section 6.3), as in the certificate that the server will show.
 */
export function findBackend({ exact, wildcard }: HostTable, host: string): Backend | undefined {
  const backend = exact.get(host);
  if (backend !== undefined || wildcard.size === 0) return backend;
  const dot = host.indexOf('.');
  return dot <= 0 ? undefined : wildcard.get(host.slice(dot + 1));
}
