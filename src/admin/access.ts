/** Who may talk to the admin server: decided from the source address, the Host and the Origin. Pure. */
import { parseIpAddress, parseIpv4, parseIpv6 } from '../wire/ip-address.ts';
import { type IpPrefix, anyPrefixContains } from '../wire/ip-prefix.ts';

/** Whether a peer, as Node writes its address (perhaps with a zone: fe80::1%eth0), is in the access list. */
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
 * Whether a browser may have reached us under this Host. A name that an attacker controls can be pointed at our
 * address (DNS rebinding), which would make the attacker's page same-origin with ours; an address literal cannot.
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
 * Whether a request's Origin is the server it is sent to, over http, or https when `isEncrypted`. Without an Origin no
 * page of another site asked for it.
 */
export function isSameOrigin(
  origin: string | undefined,
  host: string | undefined,
  isEncrypted = false,
): boolean {
  if (origin === undefined) return true;
  // Compared as URLs, so that a default port left out or given is the same.
  const scheme = isEncrypted ? 'https' : 'http';
  return (
    URL.canParse(origin) &&
    host !== undefined &&
    URL.parse(`${scheme}://${host}`)?.origin === new URL(origin).origin
  );
}
