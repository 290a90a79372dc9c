/** Which TCP ports the configuration takes, and where two things would take the same. */
import { formatIpv4, mappedIpv4, parseIpAddress } from '../wire/ip-address.ts';
import { type Text, asIs, say } from '../texts/text.ts';
import { type ConfigProblem, problem, quoteValue } from './problem.ts';
import type { Config, Nat64Config } from './schema.ts';
import { type PortRange, parseIpv4Endpoint, parsePortRange } from './values.ts';

/** Ports taken on some addresses, and who takes them. */
interface Use {
  /** Where the configuration says so. */
  readonly path: string;
  /** What the configuration says there. */
  readonly value: number | string;
  readonly what: Text;
  readonly addresses: readonly string[];
  readonly range: PortRange;
}

const single = (port: number): PortRange => ({ first: port, last: port });

/** Everything that listens on TCP, one port or range each. */
function tcpUses({ proxy, hosts, forward, dns64, admin }: Config): Use[] {
  const uses: Use[] = proxy.listeners.map(({ name, port }, i) => ({
    path: `/proxy/listeners/${i}/port`,
    value: port,
    what: say('listener {name}', { name }),
    addresses: proxy.listen,
    range: single(port),
  }));
  hosts.forEach(({ name, ssh }, i) => {
    if (ssh === false || ssh.port === undefined) return;
    uses.push({
      path: `/hosts/${i}/ssh/port`,
      value: ssh.port,
      what: say('SSH of {name}', { name }),
      addresses: forward.listen,
      range: single(ssh.port),
    });
  });
  if (dns64.enabled) {
    const { port, listen } = dns64;
    uses.push({
      path: '/dns64/port',
      value: port,
      what: asIs('DNS64'),
      addresses: listen,
      range: single(port),
    });
  }
  const { port, listen } = admin;
  uses.push({
    path: '/admin/port',
    value: port,
    what: say('the admin page'),
    addresses: listen,
    range: single(port),
  });
  return uses;
}

/** Ports that this process listens on, or may at any time. */
export const listenPorts = (config: Config): PortRange[] => [
  ...tcpUses(config).map(({ range }) => range),
  parsePortRange(config.forward.sshPorts) as PortRange,
];

/** Collisions between listeners, SSH ports, DNS64, the admin page, and the ranges of forward.sshPorts and pool4. */
export function checkPorts(config: Config): ConfigProblem[] {
  const uses = tcpUses(config);
  const sshRange = parsePortRange(config.forward.sshPorts) as PortRange;
  const sshPorts: Use = {
    path: '/forward/sshPorts',
    value: config.forward.sshPorts,
    what: say('the SSH ports'),
    addresses: config.forward.listen,
    range: sshRange,
  };
  const isSshOfHost = ({ path }: Use) => path.startsWith('/hosts/');
  return [
    ...uses.flatMap((use, i) => collisions(use, uses.slice(0, i))),
    ...collisions(
      sshPorts,
      uses.filter((use) => !isSshOfHost(use)),
    ),
    ...checkSshRange(config, sshRange),
    ...checkPool4(config, [...uses, sshPorts]),
  ];
}

/** At most one problem for `use`: the first of the earlier ones that it collides with. */
function collisions(use: Use, earlier: readonly Use[]): ConfigProblem[] {
  const other = earlier.find((each) => rangesMeet(each.range, use.range) && addressesMeet(each, use));
  if (other === undefined) return [];
  const expected = say('ports that nothing else uses');
  const message = say('{value} is for {what}, but {other} is for {otherWhat} ({path}); expected {expected}', {
    value: use.value,
    what: use.what,
    other: other.value,
    otherWhat: other.what,
    path: other.path,
    expected,
  });
  return [{ path: use.path, value: quoteValue(use.value), expected, message }];
}

/** Each server without an explicit port needs one of the range. */
function checkSshRange({ hosts, forward }: Config, range: PortRange): ConfigProblem[] {
  const explicit = new Set<number>();
  let automatic = 0;
  for (const { ssh } of hosts) {
    if (ssh === false) continue;
    if (ssh.port === undefined) automatic++;
    else if (ssh.port >= range.first && ssh.port <= range.last) explicit.add(ssh.port);
  }
  const free = range.last - range.first + 1 - explicit.size;
  if (automatic <= free) return [];
  const sentence = say('has {free} free ports for {servers} servers', { free, servers: automatic });
  const expected = say('a range with {count} free ports', { count: automatic });
  return [problem('/forward/sshPorts', forward.sshPorts, sentence, expected)];
}

/** A packet to a port of pool4 goes to NAT64 before any socket sees it. */
function checkPool4({ nat64 }: Config, uses: readonly Use[]): ConfigProblem[] {
  if (!nat64.enabled) return [];
  return [...checkPools(nat64, uses), ...checkStaticPorts(nat64, uses)];
}

function checkStaticPorts(nat64: Nat64Config, uses: readonly Use[]): ConfigProblem[] {
  return nat64.static.flatMap(({ protocol, ipv4 }, i) => {
    const { address, port } = parseIpv4Endpoint(ipv4) as { address: number | 'auto'; port: number };
    if (protocol !== 'tcp') return [];
    const addresses = [address === 'auto' ? '0.0.0.0' : formatIpv4(address)];
    const path = `/nat64/static/${i}/ipv4`;
    return collisions(
      { path, value: ipv4, what: say('a NAT64 mapping'), addresses, range: single(port) },
      notLoopback(uses),
    );
  });
}

const notLoopback = (uses: readonly Use[]): Use[] =>
  uses.map((use) => ({ ...use, addresses: use.addresses.filter((text) => !text.startsWith('127.')) }));

function checkPools(nat64: Nat64Config, uses: readonly Use[]): ConfigProblem[] {
  return nat64.pool4.flatMap(({ address, ports, protocols }, i) => {
    // Everything listens on TCP; DNS64 on UDP too.
    const others = protocols.includes('tcp')
      ? uses
      : uses.filter(({ path }) => path === '/dns64/port' && protocols.includes('udp'));
    const range = parsePortRange(ports) as PortRange;
    // "auto" is some address of this appliance, never a loopback address.
    const addresses = [address === 'auto' ? '0.0.0.0' : address];
    const pool: Use = {
      path: `/nat64/pool4/${i}/ports`,
      value: ports,
      what: asIs('pool4'),
      addresses,
      range,
    };
    return collisions(pool, notLoopback(others));
  });
}

const rangesMeet = (a: PortRange, b: PortRange): boolean => a.first <= b.last && b.first <= a.last;

/** Whether two sockets, one on each list, would contend for a port. */
const addressesMeet = (a: Use, b: Use): boolean =>
  a.addresses.some((left) => b.addresses.some((right) => bindingsMeet(left, right)));

/** The families are apart (IPV6_V6ONLY); within one, "all addresses" meets every address. */
function bindingsMeet(left: string, right: string): boolean {
  const a = parseIpAddress(left) as Uint8Array;
  const b = parseIpAddress(right) as Uint8Array;
  const isIpv4 = mappedIpv4(a) !== undefined;
  if (isIpv4 !== (mappedIpv4(b) !== undefined)) return false;
  const isAll = (bytes: Uint8Array) => bytes.subarray(isIpv4 ? 12 : 0).every((byte) => byte === 0);
  return isAll(a) || isAll(b) || a.every((byte, i) => byte === b[i]);
}
