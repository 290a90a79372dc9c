/** Routes, rules and links through iproute2, and which of our addresses the kernel would use. */
import { interfaceAddresses } from './interfaces.ts';
import { ipv4At, parseIpv4 } from '../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';
import { runCommand } from './command.ts';
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM, close, connect, getsockname, pinned, socket } from './libc.ts';

/** Runs several `ip` commands ("route add ...") in order, up to the first that fails. */
export async function ipBatch(commands: readonly string[], family: 4 | 6 = 4): Promise<void> {
  if (commands.length > 0) await runCommand('ip', [`-${family}`, '-batch', '-'], `${commands.join('\n')}\n`);
}

export interface Ipv6Route {
  readonly destination: IpPrefix;
  readonly device: string;
}

/** The IPv6 routes of the main table that lead to a device, without the default route and without routes that refuse packets. */
export async function ipv6Routes(): Promise<Ipv6Route[]> {
  const rows = JSON.parse(await runCommand('ip', ['-6', '-j', 'route', 'show', 'table', 'main'])) as {
    type?: string;
    dst: string;
    dev?: string;
  }[];
  return rows.flatMap(({ type = 'unicast', dst, dev }) => {
    const destination = parseIpPrefix(dst);
    return type === 'unicast' && dev !== undefined && destination !== undefined
      ? [{ destination, device: dev }]
      : [];
  });
}

/**
 * The source address that the IPv4 default route gives to packets (unsigned), or undefined when there is none: no
 * default route, or none of its device's addresses is usable.
 */
export function defaultSourceIpv4(): number | undefined {
  const fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return undefined;
  try {
    // Connecting a UDP socket sends nothing, it only looks up the route. No network uses 240.0.0.0/4, so only the default route
    // leads there.
    const address = pinned(16);
    new DataView(address.buffer).setUint16(0, AF_INET, true);
    address.set([0, 9, 240, 0, 0, 1], 2);
    if (connect(fd, address, 16) < 0) return undefined;
    const length = pinned(4);
    length[0] = 16;
    if (getsockname(fd, address, length) < 0) return undefined;
    const source = ipv4At(address, 4);
    return source === 0 ? undefined : source;
  } finally {
    close(fd);
  }
}

/** All IPv4 addresses (unsigned) except loopback and link-local ones. */
export function globalIpv4Addresses(): number[] {
  return Object.values(interfaceAddresses())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => parseIpv4(address))
    .filter((address) => address !== undefined && address >>> 16 !== 0xa9fe) as number[];
}

/** The IPv6 addresses of the machine as text, except loopback and link-local ones; global before unique-local (fc00::/7). */
export function globalIpv6Addresses(): string[] {
  return Object.values(interfaceAddresses())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal, scopeid }) => family === 'IPv6' && !internal && (scopeid ?? 0) === 0)
    .map(({ address }) => address)
    .sort((a, b) => Number(/^f[cd]/i.test(a)) - Number(/^f[cd]/i.test(b)));
}
