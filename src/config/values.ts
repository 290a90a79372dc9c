/** Parsers for values that the configuration writes as one string. Each returns undefined when malformed. */
import { isSameAddress, mappedIpv4, parseIpAddress, parseIpv4, parseIpv6 } from '../wire/ip-address.ts';

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

const isPort = (port: number) => port >= 1 && port <= 65535;

/** "22001-22999" or a single port; `first` is never above `last`. */
export function parsePortRange(text: string): PortRange | undefined {
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return isPort(first) && isPort(last) && first <= last ? { first, last } : undefined;
}

/** "192.0.2.1#8080", or "auto#8080" for the address that "auto" means in nat64.pool4; the address is unsigned. */
export function parseIpv4Endpoint(text: string): { address: number | 'auto'; port: number } | undefined {
  const [addressText, portText, ...rest] = text.split('#');
  const address = addressText === 'auto' ? addressText : parseIpv4(addressText);
  const port = parsePort(portText);
  return address === undefined || port === undefined || rest.length > 0 ? undefined : { address, port };
}

/** "2001:db8:1::10#80" */
export function parseIpv6Endpoint(text: string): { address: Uint8Array; port: number } | undefined {
  const [addressText, portText, ...rest] = text.split('#');
  const address = parseIpv6(addressText);
  const port = parsePort(portText);
  return address === undefined || port === undefined || rest.length > 0 ? undefined : { address, port };
}

const parsePort = (text: string | undefined): number | undefined =>
  text !== undefined && /^[0-9]{1,5}$/.test(text) && isPort(Number(text)) ? Number(text) : undefined;

/** Plain DNS over UDP, with TCP for truncated answers. */
export interface DnsUpstream {
  /** 16 bytes, IPv4 in its mapped form. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** "udp://9.9.9.9", "udp://9.9.9.9:53" or "udp://[2620:fe::fe]:53". */
export function parseDnsUpstream(text: string): DnsUpstream | undefined {
  const match = /^udp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const address = parseIpAddress(match[1] ?? match[2]);
  const port = Number(match[3] ?? 53);
  return address !== undefined && isPort(port) ? { address, port } : undefined;
}

/**
 * The addresses of a list that sockets are bound to, in its order and without repetitions. With "0.0.0.0" or "::", which mean
 * every address of their family, other addresses of that family are left out: the kernel refuses two such sockets on one port.
 */
export function boundAddresses(listen: readonly string[]): string[] {
  const parsed = listen.map((text) => parseIpAddress(text));
  const families = parsed.map((address) =>
    address !== undefined && mappedIpv4(address) !== undefined ? 4 : 6,
  );
  const isAll = (i: number) => isSameAddress(listen[i], families[i] === 4 ? '0.0.0.0' : '::');
  return listen.filter((text, i) => {
    if (parsed[i] === undefined) return true; // whoever binds it reports the problem
    if (listen.slice(0, i).some((earlier) => isSameAddress(earlier, text))) return false;
    return isAll(i) || !listen.some((_, j) => families[j] === families[i] && isAll(j));
  });
}
