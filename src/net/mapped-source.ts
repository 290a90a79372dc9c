/** The source of connections to servers that see clients as mapped addresses (services/mapped.ts). */
import { type SocketAddress, encodeSocketAddress } from '../os/socket-address.ts';
import { mappedIpv4 } from '../wire/ip-address.ts';
import { type FoundWays, readFoundWays } from './found-ways.ts';
import type { Source } from './gate.ts';

/** struct sockaddr_in6 has the address at 8, and a /96 prefix leaves its last 4 bytes. */
const SOCKADDR_IPV4 = 8 + 12;

/** The source of the connection for a client; undefined for the appliance's own address, if it is an IPv6 client. */
export type SourceOf = (client: SocketAddress) => Source | undefined;

/**
 * `trialAddress`: the mapped address of a client that nobody is, in the prefix that all have. `withoutCounter`: as in `Source`.
 * `found`: what the main thread finds of the ways back.
 */
export function createSourceOf(
  trialAddress: Uint8Array,
  withoutCounter: number,
  found?: FoundWays,
): SourceOf {
  const known = found === undefined ? undefined : readFoundWays(found);
  const trial = encodeSocketAddress({ address: trialAddress, port: 0 });
  return ({ address }) => {
    const ipv4 = mappedIpv4(address);
    if (ipv4 === undefined) return undefined;
    // From Buffer's slab: much cheaper than an ArrayBuffer each.
    const source = Buffer.allocUnsafe(trial.length);
    source.set(trial);
    source.writeUInt32BE(ipv4, SOCKADDR_IPV4);
    return { address: source, trial, withoutCounter, known };
  };
}
