/** The networks to which the appliance is attached, for access lists that say "lan". */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { type IpPrefix, maskAddress, parseIpPrefix } from '../wire/ip-prefix.ts';
import { parseIpAddress } from '../wire/ip-address.ts';

let known: NodeJS.Dict<NetworkInterfaceInfo[]> = {};

/** Every interface's addresses, by its name. Returns the previous result when there is no free descriptor to ask the kernel with. */
export function interfaceAddresses(): NodeJS.Dict<NetworkInterfaceInfo[]> {
  try {
    known = networkInterfaces();
  } catch {
    // getifaddrs(3) opens a socket: EMFILE, ENFILE and ENOMEM are temporary.
  }
  return known;
}

/** The prefixes of every interface's own addresses (both families, loopback and link-local included). */
export function attachedPrefixes(): IpPrefix[] {
  const prefixes: IpPrefix[] = [];
  for (const addresses of Object.values(interfaceAddresses())) {
    for (const { cidr } of addresses ?? []) {
      const [addressText, bitsText] = (cidr ?? '').split('/');
      const address = parseIpAddress(addressText);
      if (address === undefined) continue;
      const prefixBits = Number(bitsText) + (addressText.includes(':') ? 0 : 96);
      prefixes.push({ address: maskAddress(address, prefixBits), prefixBits });
    }
  }
  return prefixes;
}

/** The addresses of every interface in RFC 5952 form, loopback and link-local included. */
export const ownAddresses = (): string[] =>
  Object.values(interfaceAddresses()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));

/** The prefixes that an access list names; "lan" stands for every network attached now. The schema has validated the entries. */
export function resolveAccessList(entries: readonly string[], attached = attachedPrefixes): IpPrefix[] {
  return entries.flatMap((entry) => {
    if (entry === 'lan') return attached();
    const prefix = parseIpPrefix(entry);
    return prefix === undefined ? [] : [prefix];
  });
}
