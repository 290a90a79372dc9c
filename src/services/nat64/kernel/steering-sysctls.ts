/** The kernel parameters that NAT64 needs, from what everybody else wants them to be. */
import type { BorrowedSysctls } from '../../../os/kernel-state/borrowed-sysctls.ts';
import type { FoundLink, SysctlItem } from '../../../os/kernel-state/items.ts';
import type { PortRange } from '../../../config/values.ts';
import {
  FIRST_OWN_PORT,
  type SteeredAddress,
  mergeRanges,
  ownPortRange,
  withoutRanges,
} from '../settings/steered-ports.ts';

/** Ports that the kernel does not choose for connections of the appliance's own: ours are added. */
const RESERVED_PORTS = 'net/ipv4/ip_local_reserved_ports';
const PORT_RANGE = 'net/ipv4/ip_local_port_range';

/** Parameters that vanish with the device. */
export const deviceSysctls = (device: string): SysctlItem[] =>
  Object.entries({
    // Translated packets come from the TUN with the appliance's own address as their source.
    [`net/ipv4/conf/${device}/accept_local`]: '1',
    [`net/ipv4/conf/${device}/rp_filter`]: '0',
    [`net/ipv4/conf/${device}/forwarding`]: '1',
    [`net/ipv6/conf/${device}/disable_ipv6`]: '0',
    // Nobody but us is on that link: no address, no solicitations.
    [`net/ipv6/conf/${device}/addr_gen_mode`]: '1',
    [`net/ipv6/conf/${device}/accept_ra`]: '0',
  }).map(([name, value]) => ({ kind: 'sysctl', name, value }));

/**
 * Forwarding, and what follows from it for the interfaces, also those that come later: "default" is one of them. Forwarding that
 * somebody switched off on one of the other interfaces alone stays so.
 */
export function forwardingSysctls(
  sysctls: BorrowedSysctls,
  read: (name: string) => string | undefined,
  links: readonly FoundLink[],
  device: string,
): SysctlItem[] {
  const names = ['default', ...links.map(({ name }) => name).filter((name) => name !== device)];
  const items: (SysctlItem | undefined)[] = [];
  items.push(sysctls.want('net/ipv4/ip_forward', read, () => '1'));
  // The stricter of "all" and the interface's own value counts, so that of "all" moves to the interfaces but ours.
  let strictness = '0';
  const all = sysctls.want('net/ipv4/conf/all/rp_filter', read, (wish) => {
    strictness = wish;
    return '0';
  });
  for (const name of names) {
    const parameter = `net/ipv4/conf/${name}/rp_filter`;
    if (strictness === '0' && !sysctls.has(parameter)) continue;
    items.push(sysctls.want(parameter, read, (wish) => (wish > strictness ? wish : strictness)));
  }
  items.push(all);
  let isHost = false;
  const forwarding = sysctls.want('net/ipv6/conf/all/forwarding', read, (wish) => {
    isHost = wish === '0';
    return '1';
  });
  // A router ignores Router Advertisements, and so would lose its own default route, unless it is told not to.
  for (const name of isHost ? names : []) {
    const parameter = `net/ipv6/conf/${name}/accept_ra`;
    items.push(sysctls.want(parameter, read, (wish) => (wish === '1' ? '2' : wish)));
  }
  items.push(forwarding);
  return items.filter((item) => item !== undefined);
}

/**
 * The kernel must not choose our ports for the appliance's own connections, nor those that it listens on, which lie where the pool
 * moves its range: no socket could listen there as long as one of that port is open, or rests (TIME-WAIT).
 */
export function portSysctls(
  sysctls: BorrowedSysctls,
  read: (name: string) => string | undefined,
  addresses: readonly SteeredAddress[],
  listenPorts: readonly PortRange[],
): SysctlItem[] {
  const own = addresses.filter(({ isOwn }) => isOwn);
  const ranges = own.flatMap(({ ranges: { tcp, udp } }) => [...tcp, ...udp]);
  const ports: PortRange[] = [
    ...own.flatMap(({ tcpPorts, udpPorts }) => [...tcpPorts, ...udpPorts]).map(singlePort),
    ...(ranges.length > 0 ? withoutRanges(listenPorts, [{ first: 0, last: FIRST_OWN_PORT - 1 }]) : []),
  ];
  const items: (SysctlItem | undefined)[] = [];
  if (ranges.length > 0 || sysctls.has(PORT_RANGE))
    items.push(sysctls.want(PORT_RANGE, read, (wish) => (ranges.length > 0 ? ownPortRange(ranges) : wish)));
  if (ports.length > 0 || sysctls.has(RESERVED_PORTS))
    items.push(
      sysctls.want(RESERVED_PORTS, read, (wish) => formatPorts([...parsePorts(wish), ...ports]), otherPorts),
    );
  return items.filter((item) => item !== undefined);
}

const singlePort = (port: number): PortRange => ({ first: port, last: port });

/** A list as the kernel has it: "8080,9000-9010". */
function parsePorts(text: string): PortRange[] {
  return text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return { first, last };
    });
}

const formatPorts = (ports: readonly PortRange[]): string =>
  mergeRanges(ports)
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
    .join(',');

/** What somebody wants reserved who may have read our list and written a longer one: without the ports that are there because of us. */
const otherPorts = (found: string, ours: string, wish: string): string =>
  formatPorts(withoutRanges(parsePorts(found), withoutRanges(parsePorts(ours), parsePorts(wish))));
