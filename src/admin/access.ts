/** Which clients may talk to the admin server: decided from the source address, the Host and the Origin. Pure. */
import { parseIpAddress, parseIpv4, parseIpv6 } from '../wire/ip-address.ts';
import { type IpPrefix, anyPrefixContains } from '../wire/ip-prefix.ts';

/** Whether a peer address is in the access list. `remoteAddress` is as Node writes it, perhaps with a zone: fe80::1%eth0. */
export function admitsSource(prefixes: readonly IpPrefix[], remoteAddress: string | undefined): boolean {
  const address = parseIpAddress((remoteAddress ?? '').split('%')[0]);
  return address !== undefined && anyPrefixContains(prefixes, address);
}

/** Host header without its port, lower case, IPv6 without brackets; undefined when malformed. */
export function hostWithoutPort(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/@?#\\]+))(?::[0-9]{1,5})?$/.exec(header.toLowerCase());
  if (match === null) return undefined;
  return match[1] ?? match[2].replace(/\.$/, '');
}

/**
 * Whether a browser may have reached us under this Host. An attacker can point a name of theirs at our address (DNS rebinding),
 * which would make the attacker's page same-origin with ours. An address literal cannot be abused in this way.
 */
export function admitsHost(hostnames: readonly string[], header: string | undefined): boolean {
  const host = hostWithoutPort(header ?? '');
  if (host === undefined) return false;
  if (header?.startsWith('[')) return parseIpv6(host) !== undefined;
  return (
    host === 'localhost' ||
    parseIpv4(host) !== undefined ||
    hostnames.some((name) => name.toLowerCase() === host)
  );
}

/**
 * Whether the Origin of a request is the server that the request was sent to, over http, or over https if `isEncrypted`. A
 * request without an Origin was not made by a page of another site.
 */
export function isSameOrigin(
  origin: string | undefined,
  host: string | undefined,
  isEncrypted = false,
): boolean {
  if (origin === undefined) return true;
  // Compared as URLs, so that it makes no difference whether a default port is written out.
  const scheme = isEncrypted ? 'https' : 'http';
  return (
    URL.canParse(origin) &&
    host !== undefined &&
    URL.parse(`${scheme}://${host}`)?.origin === new URL(origin).origin
  );
}
