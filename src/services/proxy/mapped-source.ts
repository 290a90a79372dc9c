/** The source of connections to servers with `clientAddress: "mapped"` (mapped.ts), for the data plane. */
import type { ProxyConfig } from '../../config/schema.ts';
import type { Source } from '../../net/gate.ts';
import { type SocketAddress, encodeSocketAddress } from '../../os/socket-address.ts';
import { mappedIpv4 } from '../../wire/ip-address.ts';
import { probeAddress } from './mapped.ts';

/** struct sockaddr_in6 has the address at 8, and a /96 prefix leaves its last 4 bytes. */
const SOCKADDR_IPV4 = 8 + 12;

/** The source of the connection for a client; undefined for the appliance's own address. */
export type SourceOf = (client: SocketAddress) => Source | undefined;

/** `withoutCounter`: the counter for connections that come from the own address because the server has no route. */
export function createSourceOf(
  proxy: Pick<ProxyConfig, 'mappedPrefix' | 'mappedFallback'>,
  withoutCounter: number,
): SourceOf {
  const trial = encodeSocketAddress({ address: probeAddress(proxy), port: 0 });
  const counter = proxy.mappedFallback === 'none' ? withoutCounter : -1;
  return ({ address }) => {
    const ipv4 = mappedIpv4(address);
    if (ipv4 === undefined) return undefined;
    // From Buffer's slab: much cheaper than an ArrayBuffer each.
    const source = Buffer.allocUnsafe(trial.length);
    source.set(trial);
    source.writeUInt32BE(ipv4, SOCKADDR_IPV4);
    return { address: source, trial, withoutCounter: counter };
  };
}
