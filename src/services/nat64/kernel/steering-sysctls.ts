/** The kernel parameters that NAT64 needs, derived from the values that others have set. */
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

/** Ports that the kernel must not choose for the appliance's own connections: ours are added to this list. */
const RESERVED_PORTS = 'net/ipv4/ip_local_reserved_ports';
const PORT_RANGE = 'net/ipv4/ip_local_port_range';

/** Parameters that disappear with the device. */
export const deviceSysctls = (device: string): SysctlItem[] =>
  Object.entries({
    // Translated packets come from the TUN device with the appliance's own address as their source.
    [`net/ipv4/conf/${device}/accept_local`]: '1',
    [`net/ipv4/conf/${device}/rp_filter`]: '0',
    [`net/ipv4/conf/${device}/forwarding`]: '1',
    [`net/ipv6/conf/${device}/disable_ipv6`]: '0',
    // There are no other nodes on that link: no address, no solicitations.
    [`net/ipv6/conf/${device}/addr_gen_mode`]: '1',
    [`net/ipv6/conf/${device}/accept_ra`]: '0',
  }).map(([name, value]) => ({ kind: 'sysctl', name, value }));

/**
 * Forwarding, and the parameters of the interfaces that must change because of it. "default" is included for interfaces that are
 * added later. If forwarding is switched off on a single other interface, it stays off there.
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
  // The stricter value of "all" and the interface counts. So the value of "all" moves to all interfaces except ours.
  let strictness = '0';
  const all = sysctls.want('net/ipv4/conf/all/rp_filter', read, (restored) => {
    strictness = restored;
    return '0';
  });
  for (const name of names) {
    const parameter = `net/ipv4/conf/${name}/rp_filter`;
    if (strictness === '0' && !sysctls.has(parameter)) continue;
    items.push(sysctls.want(parameter, read, (restored) => (restored > strictness ? restored : strictness)));
  }
  items.push(all);
  let isHost = false;
  const forwarding = sysctls.want('net/ipv6/conf/all/forwarding', read, (restored) => {
    isHost = restored === '0';
    return '1';
  });
  // A router ignores Router Advertisements by default, and so would lose its own default route.
  for (const name of isHost ? names : []) {
    const parameter = `net/ipv6/conf/${name}/accept_ra`;
    items.push(sysctls.want(parameter, read, (restored) => (restored === '1' ? '2' : restored)));
  }
  items.push(forwarding);
  return items.filter((item) => item !== undefined);
}

/**
 * The kernel must not choose our ports for the appliance's own connections. It must not choose the ports that this process listens
 * on either, because the pool may move the kernel's range to where they are: no socket can listen on a port while a connection
 * from that port is open or in TIME-WAIT.
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
    items.push(
      sysctls.want(PORT_RANGE, read, (restored) => (ranges.length > 0 ? ownPortRange(ranges) : restored)),
    );
  if (ports.length > 0 || sysctls.has(RESERVED_PORTS))
    items.push(
      sysctls.want(
        RESERVED_PORTS,
        read,
        (restored) => formatPorts([...parsePorts(restored), ...ports]),
        otherPorts,
      ),
    );
  return items.filter((item) => item !== undefined);
}

const singlePort = (port: number): PortRange => ({ first: port, last: port });

/** Parses a list in the format of the kernel: "8080,9000-9010". */
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

/** The ports that another program wants reserved. It may have extended our list, so the ports that are only ours are left out. */
const otherPorts = (found: string, ours: string, restored: string): string =>
  formatPorts(withoutRanges(parsePorts(found), withoutRanges(parsePorts(ours), parsePorts(restored))));
