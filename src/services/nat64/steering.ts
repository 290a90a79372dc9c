/**
 * How the kernel comes to give us packets: a route for the NAT64 prefix to the TUN device; and for the appliance's own
 * IPv4 address, whose packets would otherwise be delivered locally, a mark in nftables on those that belong to the
 * pool4 ports, with a policy rule ahead of the local table that sends marked packets to the TUN. Neither conntrack nor
 * a second NAT is involved; what has no mapping here never was a connection of the kernel's. Only the first fragment of
 * a packet shows its ports, so all fragments take this way; those that are not ours come back, put together.
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

const NFT_TABLE = 'inet tombolo-nat64';
/** The mark takes one byte; the other bits of a packet's mark stay as they are. */
const MARK = '0x64000000';
const MARK_MASK = '0xff000000';
const OTHER_BITS = '0x00ffffff';
const ROUTE_TABLE = '6464';
const MARK_RULE = 64;
/** The local table's rule normally has preference 0, where nothing can come before it: it moves behind ours. */
const LOCAL_RULE = 65;
const TX_QUEUE_PACKETS = 1000;

export interface Pool4 {
  /** Unsigned. */
  readonly address: number;
  readonly ports: PortRange;
}

export interface Steering extends AsyncDisposable {
  /** Leads the packets of another pool to the TUN; undefined: of none. */
  setPool4(pool4: Pool4 | undefined): Promise<void>;
  /** Changes the MTU of the device. */
  setMtu(mtuBytes: number): Promise<void>;
}

/** Brings the device up and leads packets to it. A start that fails takes everything back. */
export async function startSteering(options: {
  readonly device: string;
  /** As text, e.g. "64:ff9b::/96". */
  readonly prefix: string;
  readonly mtuBytes: number;
  readonly stateDirectory: string;
}): Promise<Steering> {
  const { device, prefix } = options;
  const sysctls = borrowSysctls(join(options.stateDirectory, 'nat64-sysctl.json'));
  const stop = async () => {
    // Each step whether or not the others succeed; the first failure is reported.
    const results = await Promise.allSettled([deleteNftTable(NFT_TABLE), removeRules()]);
    sysctls.restore();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  };
  try {
    setDeviceSysctls(device);
    await ipBatch([
      `link set dev ${device} mtu ${options.mtuBytes} txqueuelen ${TX_QUEUE_PACKETS} up`,
      `route replace default dev ${device} table ${ROUTE_TABLE}`,
    ]);
    await ipBatch([`route add ${prefix} dev ${device}`], 6);
    setForwardingSysctls(sysctls, device);
    await addRules();
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
  return {
    async setPool4(pool4) {
      if (pool4 !== undefined) sysctls.set('net/ipv4/ip_local_port_range', ownPortRange(pool4.ports));
      await replaceNftTable(NFT_TABLE, nftTable(device, prefix, pool4));
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

/**
 * The ports that the kernel may choose for the appliance's own connections: the larger part of what the pool leaves.
 * Throws when that is too little.
 */
export function ownPortRange({ first, last }: PortRange): string {
  const below = { first: Math.max(1024, first >> 1), last: first - 1 };
  const above = { first: last + 1, last: 65_535 };
  const larger = above.last - above.first > below.last - below.first ? above : below;
  if (larger.last - larger.first < 1024)
    throw new Error(
      `nat64.pool4: ports ${first}-${last} leave the appliance itself too few ports; leave it 1025 below or above`,
    );
  // The kernel asks for one end to be even and the other odd.
  return `${larger.first + (larger.first & 1)} ${larger.last - 1 + (larger.last & 1)}`;
}

function nftTable(device: string, prefix: string, pool4: Pool4 | undefined): string {
  const always = `
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
    iifname "${device}" notrack accept
    ip6 daddr ${prefix} notrack accept
    ${pool4 === undefined ? '' : `ip daddr ${formatIpv4(pool4.address)} jump pool4`}
  }
  chain output {
    type route hook output priority raw; policy accept;
    ip6 daddr ${prefix} notrack accept
    ${pool4 === undefined ? '' : `ip daddr ${formatIpv4(pool4.address)} jump pool4`}
  }`;
  if (pool4 === undefined) return always;
  const address = `0x${pool4.address.toString(16)}`;
  const range = `${pool4.ports.first}-${pool4.ports.last}`;
  // From the ICMP header (@th) on: 8 bytes, then the quoted IPv4 header without options (first byte 0x45; protocol in
  // byte 9, source in bytes 12 to 15), then at byte 28 the quoted port, or type and, at byte 32, identifier.
  const quotesPool4 = `icmp type { destination-unreachable, time-exceeded, parameter-problem } @th,64,8 0x45 @th,160,32 ${address}`;
  return `
  chain steer {
    notrack
    meta mark set meta mark & ${OTHER_BITS} | ${MARK}
  }
  chain pool4 {
    ip protocol { icmp, tcp, udp } ip frag-off & 0x3fff != 0 goto steer
    meta l4proto { tcp, udp } th dport ${range} goto steer
    icmp type echo-reply icmp id ${range} goto steer
    ${quotesPool4} @th,136,8 { 6, 17 } @th,224,16 ${range} goto steer
    ${quotesPool4} @th,136,8 1 @th,224,8 8 @th,256,16 ${range} goto steer
  }
  ${always}`;
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
