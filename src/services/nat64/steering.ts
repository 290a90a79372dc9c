/**
 * How the kernel comes to give us packets: a route for the NAT64 prefix to the TUN device; and for the appliance's own
 * IPv4 address, whose packets would otherwise be delivered locally, a mark in nftables on those that belong to the
 * pool4 ports, with a policy rule ahead of the local table that sends marked packets to the TUN. Neither conntrack nor
 * a second NAT is involved; what has no mapping here never was a connection of the kernel's. Only the first fragment of
 * a packet shows its ports, so all fragments take this way; those that are not ours come back.
 *
 * The packets are forwarded, untracked. A firewall whose forward policy is drop must accept both what comes from the
 * device and what goes to it (`iifname "nat64" accept`, `oifname "nat64" accept`): `ct state` never matches them.
 */
import { join } from 'node:path';
import { deleteNftTable, replaceNftTable } from '../../os/nft.ts';
import { ipBatch, ipv4Rules } from '../../os/routes.ts';
import {
  type BorrowedSysctls,
  borrowSysctls,
  listSysctls,
  readSysctl,
  writeSysctl,
} from '../../os/sysctl.ts';
import type { PortRange } from '../../config/values.ts';
import { formatIpv4 } from '../../wire/ip-address.ts';
import { TextError, say } from '../../texts/text.ts';

const NFT_TABLE = 'inet tombolo-nat64';
/** The mark takes one byte; the other bits of a packet's mark stay as they are. */
const MARK = '0x64000000';
const MARK_MASK = '0xff000000';
const OTHER_BITS = '0x00ffffff';
const ROUTE_TABLE = '6464';
/**
 * Without the device, because the process was killed, what is ours is dropped: else it would be delivered locally, and
 * the kernel would reset connections that go on with the next process (nat64.keepSessions).
 */
const LAST_RESORT = `blackhole default metric 4294967295 table ${ROUTE_TABLE}`;
const MARK_RULE = 64;
/** The local table's rule normally has preference 0, where nothing can come before it: it moves behind ours. */
const LOCAL_RULE = 65;
/** Ports that the kernel does not choose for connections of the appliance's own: ours are added. */
const RESERVED_PORTS = 'net/ipv4/ip_local_reserved_ports';
const TX_QUEUE_PACKETS = 1000;

/** A pool4 address, and what of its packets is for us. */
export interface SteeredAddress {
  /** Unsigned. */
  readonly address: number;
  /** Whether the appliance has it itself, and so shares its ports with the pool. */
  readonly isOwn: boolean;
  /** Ports, and ICMP identifiers. */
  readonly ranges: Readonly<Record<'tcp' | 'udp' | 'icmp', readonly PortRange[]>>;
  /** Ports of static entries. */
  readonly tcpPorts: readonly number[];
  readonly udpPorts: readonly number[];
}

export interface Steering extends AsyncDisposable {
  /** Leads the packets of other addresses to the TUN. */
  setPool4(addresses: readonly SteeredAddress[]): Promise<void>;
  /** Leads the packets to these prefixes, of either family, to the TUN, and no others of those that it did before. */
  setRoutes(prefixes: readonly string[]): Promise<void>;
  /** Changes the MTU of the device. */
  setMtu(mtuBytes: number): Promise<void>;
}

/** Brings the device up and leads packets to it. A start that fails takes everything back. */
export async function startSteering(options: {
  readonly device: string;
  /** As texts, e.g. "64:ff9b::/96". */
  readonly prefixes: readonly string[];
  readonly mtuBytes: number;
  readonly stateDirectory: string;
}): Promise<Steering> {
  const { device, prefixes } = options;
  const sysctls = borrowSysctls(join(options.stateDirectory, 'nat64-sysctl.json'));
  const reservedPorts = readSysctl(RESERVED_PORTS);
  /** They vanish with the device. */
  let routes = new Set<string>();
  const stop = async () => {
    // Each step whether or not the others succeed; the first failure is reported.
    const results = await Promise.allSettled([
      deleteNftTable(NFT_TABLE),
      removeRules(),
      ipBatch([`route flush table ${ROUTE_TABLE}`]),
    ]);
    sysctls.restore();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };
  try {
    setDeviceSysctls(device);
    await ipBatch([
      `link set dev ${device} mtu ${options.mtuBytes} txqueuelen ${TX_QUEUE_PACKETS} up`,
      `route replace default dev ${device} table ${ROUTE_TABLE}`,
      `route replace ${LAST_RESORT}`,
    ]);
    await ipBatch(
      prefixes.map((prefix) => `route add ${prefix} dev ${device}`),
      6,
    );
    setForwardingSysctls(sysctls, device);
    await addRules();
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  return {
    async setPool4(addresses) {
      const own = addresses.filter(({ isOwn }) => isOwn);
      const ranges = own.flatMap(({ ranges: { tcp, udp } }) => [...tcp, ...udp]);
      if (ranges.length > 0) sysctls.set('net/ipv4/ip_local_port_range', ownPortRange(ranges));
      const ports = own.flatMap(({ tcpPorts, udpPorts }) => [...tcpPorts, ...udpPorts]);
      sysctls.set(RESERVED_PORTS, [reservedPorts, ...ports].filter(String).join(','));
      await replaceNftTable(NFT_TABLE, nftTable(device, prefixes, addresses));
    },
    async setRoutes(prefixes) {
      const gone = [...routes].filter((route) => !prefixes.includes(route));
      const added = prefixes.filter((route) => !routes.has(route));
      for (const family of [4, 6] as const) {
        const isOfFamily = (route: string) => route.includes(':') === (family === 6);
        const commands = [
          ...gone.filter(isOfFamily).map((route) => `route del ${route} dev ${device}`),
          ...added.filter(isOfFamily).map((route) => `route replace ${route} dev ${device}`),
        ];
        await ipBatch(commands, family);
      }
      routes = new Set(prefixes);
    },
    setMtu: (mtuBytes) => ipBatch([`link set dev ${device} mtu ${mtuBytes}`]),
    [Symbol.asyncDispose]: stop,
  };
}

/** Parameters that vanish with the device. */
function setDeviceSysctls(device: string): void {
  // Translated packets come from the TUN with the appliance's own address as their source.
  writeSysctl(`net/ipv4/conf/${device}/accept_local`, '1');
  writeSysctl(`net/ipv4/conf/${device}/rp_filter`, '0');
  // Nobody but us is on that link: no address, no solicitations.
  writeSysctl(`net/ipv6/conf/${device}/addr_gen_mode`, '1');
  writeSysctl(`net/ipv6/conf/${device}/accept_ra`, '0');
}

function setForwardingSysctls(sysctls: BorrowedSysctls, device: string): void {
  sysctls.set('net/ipv4/ip_forward', '1');
  // The stricter of "all" and the interface's own value counts, so that of "all" moves to the interfaces but ours.
  const strictness = readSysctl('net/ipv4/conf/all/rp_filter');
  if (strictness !== '0') {
    for (const name of listSysctls('net/ipv4/conf')) {
      const parameter = `net/ipv4/conf/${name}/rp_filter`;
      if (name !== 'all' && name !== device && readSysctl(parameter) === '0')
        sysctls.set(parameter, strictness);
    }
    sysctls.set('net/ipv4/conf/all/rp_filter', '0');
  }
  if (readSysctl('net/ipv6/conf/all/forwarding') === '0') {
    // A router ignores Router Advertisements, and so would lose its own default route, unless it is told not to.
    for (const name of listSysctls('net/ipv6/conf')) {
      const parameter = `net/ipv6/conf/${name}/accept_ra`;
      if (name !== 'all' && readSysctl(parameter) === '1') sysctls.set(parameter, '2');
    }
    sysctls.set('net/ipv6/conf/all/forwarding', '1');
  }
}

const OWN_PORTS = { first: 1024, last: 65_535 };

/**
 * The ports that the kernel may choose for the appliance's own connections: the largest gap that the pools leave. Throws
 * when that is too little.
 */
export function ownPortRange(ranges: readonly PortRange[]): string {
  let gap = { first: 0, last: -1 };
  let first = OWN_PORTS.first;
  for (const range of [...mergeRanges(ranges), { first: OWN_PORTS.last + 1, last: OWN_PORTS.last + 1 }]) {
    if (range.first - 1 - first > gap.last - gap.first) gap = { first, last: range.first - 1 };
    first = Math.max(first, range.last + 1);
  }
  if (gap.last - gap.first < 1024) {
    const text = ranges.map((range) => `${range.first}-${range.last}`).join(', ');
    throw new TextError(
      say('nat64.pool4: ports {ports} leave the appliance itself too few ports; leave it 1025 in one piece', {
        ports: text,
      }),
    );
  }
  // The kernel asks for one end to be even and the other odd.
  return `${gap.first + (gap.first & 1)} ${gap.last - 1 + (gap.last & 1)}`;
}

/** The same ports in order, in ranges that neither meet nor touch. */
export function mergeRanges(ranges: readonly PortRange[]): PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const last = merged.at(-1);
    if (last === undefined || range.first > last.last + 1) merged.push(range);
    else merged[merged.length - 1] = { first: last.first, last: Math.max(last.last, range.last) };
  }
  return merged;
}

/** Ports as an nftables set; empty when there are none, which a set cannot be. */
function portSet(ranges: readonly PortRange[], ports: readonly number[] = []): string {
  const all = mergeRanges([...ranges, ...ports.map((port) => ({ first: port, last: port }))]);
  if (all.length === 0) return '';
  return `{ ${all.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ')} }`;
}

function nftTable(device: string, prefixes: readonly string[], addresses: readonly SteeredAddress[]): string {
  const outward = `ip6 daddr { ${prefixes.join(', ')} } notrack accept`;
  const jumps = addresses
    .map(({ address }, i) => `ip daddr ${formatIpv4(address)} jump pool4-${i}`)
    .join('\n    ');
  return `
  chain steer {
    notrack
    meta mark set meta mark & ${OTHER_BITS} | ${MARK}
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
  }`;
}

/** What of the packets to an address belongs to pool4. */
function poolChain(name: string, { address, ranges, tcpPorts, udpPorts }: SteeredAddress): string {
  // From the ICMP header (@th) on: 8 bytes, then the quoted IPv4 header without options (first byte 0x45; protocol in
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

/** There is a rule for the local table at every moment. Left-overs of a killed process are taken as they are. */
async function addRules(): Promise<void> {
  const rules = await ipv4Rules();
  const has = (preference: number) => rules.some((rule) => rule.preference === preference);
  const commands: string[] = [];
  if (!has(LOCAL_RULE)) commands.push(`rule add pref ${LOCAL_RULE} lookup local`);
  if (!has(MARK_RULE))
    commands.push(`rule add pref ${MARK_RULE} fwmark ${MARK}/${MARK_MASK} lookup ${ROUTE_TABLE}`);
  if (has(0)) commands.push('rule del pref 0');
  await ipBatch(commands);
}

async function removeRules(): Promise<void> {
  const rules = await ipv4Rules();
  const has = (preference: number) => rules.some((rule) => rule.preference === preference);
  const commands: string[] = [];
  if (!has(0)) commands.push('rule add pref 0 lookup local');
  if (has(MARK_RULE)) commands.push(`rule del pref ${MARK_RULE}`);
  if (has(LOCAL_RULE)) commands.push(`rule del pref ${LOCAL_RULE}`);
  await ipBatch(commands);
}
