/** The nftables table that marks those packets to the appliance's own address that belong to pool4. */
import type { PortRange } from '../../../config/values.ts';
import { formatIpv4 } from '../../../wire/ip-address.ts';
import { type SteeredAddress, mergeRanges } from '../settings/steered-ports.ts';

/** The mark uses one byte; the other bits of a packet's mark do not change. */
export const MARK = 0x6400_0000;
export const MARK_MASK = 0xff00_0000;

const hex = (value: number): string => `0x${value.toString(16)}`;

/** Ports as an nftables set; an empty text if there are none, because a set cannot be empty. */
function portSet(ranges: readonly PortRange[], ports: readonly number[] = []): string {
  const all = mergeRanges([...ranges, ...ports.map((port) => ({ first: port, last: port }))]);
  if (all.length === 0) return '';
  return `{ ${all.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ')} }`;
}

/** The text between the braces of the table. */
export function nftTable(
  device: string,
  prefixes: readonly string[],
  addresses: readonly SteeredAddress[],
  clampsSegments: boolean,
): string {
  const outward = `ip6 daddr { ${prefixes.join(', ')} } notrack accept`;
  const jumps = addresses
    .map(({ address }, i) => `ip daddr ${formatIpv4(address)} jump pool4-${i}`)
    .join('\n    ');
  return `
  chain steer {
    notrack
    meta mark set meta mark & ${hex(~MARK_MASK >>> 0)} | ${hex(MARK)}
  }
  ${addresses.map((address, i) => poolChain(`pool4-${i}`, address)).join('\n  ')}
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
    iifname "${device}" notrack accept
    ${outward}
    ${jumps}
  }
# What the appliance sends to its own address is for itself, but for errors about what it forwards.
  chain output {
    type route hook output priority raw; policy accept;
    ${outward}
    ip protocol != icmp accept
    icmp type != { destination-unreachable, time-exceeded, parameter-problem } accept
    ${jumps}
  }
  # Nobody becomes the appliance by being translated: of what was translated, nothing from our addresses, nor from those
  # that lead to the device, is for a program here. Nor is a new connection. What the translator hands back passes.
  chain input {
    type filter hook input priority filter - 1; policy accept;
    iifname "${device}" meta nfproto ipv4 fib saddr type local drop
    iifname "${device}" meta nfproto ipv4 fib saddr oifname "${device}" drop
    iifname "${device}" tcp flags & (syn | ack) == syn drop
  }${clampsSegments ? clampChain(device) : ''}`;
}

/**
 * The next links may have a smaller MTU than the settings say (PPPoE, LTE, a tunnel). The MTU comes from the routes to the
 * packet's destination and to its source. So the announced segment size fits both, and no connection hangs if errors about
 * packets that are too big are filtered somewhere (RFC 2923 section 2.1).
 */
function clampChain(device: string): string {
  const clamp = 'tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu';
  return `
  chain forward {
    type filter hook forward priority mangle; policy accept;
    iifname "${device}" ${clamp}
    oifname "${device}" ${clamp}
  }`;
}

/** The chain for the packets to an address that belong to pool4. */
function poolChain(name: string, { address, ranges, tcpPorts, udpPorts }: SteeredAddress): string {
  // Offsets from the ICMP header (@th): 8 bytes, then the quoted IPv4 header without options (first byte 0x45; protocol in
  // byte 9, source in bytes 12 to 15), then at byte 28 the quoted port, or type and, at byte 32, identifier.
  const quotes =
    'icmp type { destination-unreachable, time-exceeded, parameter-problem } @th,64,8 0x45 ' +
    `@th,160,32 0x${address.toString(16)}`;
  const [tcp, udp, icmp] = [
    portSet(ranges.tcp, tcpPorts),
    portSet(ranges.udp, udpPorts),
    portSet(ranges.icmp),
  ];
  const rules = [
    'ip protocol { icmp, tcp, udp } ip frag-off & 0x3fff != 0 goto steer',
    tcp && `tcp dport ${tcp} goto steer`,
    udp && `udp dport ${udp} goto steer`,
    icmp && `icmp type echo-reply icmp id ${icmp} goto steer`,
    tcp && `${quotes} @th,136,8 6 @th,224,16 ${tcp} goto steer`,
    udp && `${quotes} @th,136,8 17 @th,224,16 ${udp} goto steer`,
    icmp && `${quotes} @th,136,8 1 @th,224,8 8 @th,256,16 ${icmp} goto steer`,
  ];
  return `chain ${name} {
    ${rules.filter((rule) => rule !== '').join('\n    ')}
  }`;
}
