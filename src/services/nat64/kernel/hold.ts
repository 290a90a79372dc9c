/**
 * What keeps connections alive while the process is started again: without NAT64 the packets to the pool's ports are for
 * the appliance itself, which would answer those of its connections with a reset, and of its datagrams with an error. A
 * table of nftables drops them meanwhile: the other end only sends again. Its entries end by themselves, in case the
 * process does not come back; the empty table is removed by the next start.
 */
import type { PortRange } from '../../../config/values.ts';
import { deleteNftTable, replaceNftTable } from '../../../os/nft.ts';
import { formatIpv4 } from '../../../wire/ip-address.ts';
import { type SteeredAddress, mergeRanges } from '../settings/steered-ports.ts';

export const HOLD_TABLE = 'inet tombolo-nat64-hold';
/** A restart takes a few seconds; the other end of a connection tries for minutes. */
const HOLD_SECONDS = 30;

/** Drops what comes to the ports of the pool from now on. */
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

/** Lets them pass again. */
export const releasePorts = (): Promise<void> => deleteNftTable(HOLD_TABLE);
