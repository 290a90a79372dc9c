/**
 * Keeps connections alive while the process is restarted. Without NAT64, packets to the ports of the pool are delivered to the
 * appliance itself, which would answer TCP packets with a reset and UDP packets with an error. So an nftables table drops these
 * packets meanwhile, and the remote end only sends them again. The entries of the table expire by themselves, in case the
 * process does not come back; the next start removes the empty table.
 */
import type { PortRange } from '../../../config/values.ts';
import { deleteNftTable, replaceNftTable } from '../../../os/nft.ts';
import { formatIpv4 } from '../../../wire/ip-address.ts';
import { type SteeredAddress, mergeRanges } from '../settings/steered-ports.ts';

export const HOLD_TABLE = 'inet tombolo-nat64-hold';
/** A restart takes a few seconds; the remote end of a connection retries for minutes. */
const HOLD_SECONDS = 30;

/** Drops packets to the ports of the pool from now on. */
export async function holdPorts(addresses: readonly SteeredAddress[]): Promise<void> {
  const elements = addresses.flatMap(({ address, ranges, tcpPorts, udpPorts }) => {
    const single = (port: number) => ({ first: port, last: port });
    const element = (protocol: 'tcp' | 'udp', all: readonly PortRange[]) =>
      mergeRanges(all).map(
        ({ first, last }) =>
          `${formatIpv4(address)} . ${protocol} . ${first}-${last} timeout ${HOLD_SECONDS}s`,
      );
    return [
      ...element('tcp', [...ranges.tcp, ...tcpPorts.map(single)]),
      ...element('udp', [...ranges.udp, ...udpPorts.map(single)]),
    ];
  });
  if (elements.length === 0) return;
  await replaceNftTable(
    HOLD_TABLE,
    `set held {
      type ipv4_addr . inet_proto . inet_service
      flags interval, timeout
      elements = { ${elements.join(', ')} }
    }
    chain prerouting {
      type filter hook prerouting priority raw - 1; policy accept;
      ip daddr . meta l4proto . th dport @held drop
    }`,
  );
}

/** Lets these packets pass again. */
export const releasePorts = (): Promise<void> => deleteNftTable(HOLD_TABLE);
