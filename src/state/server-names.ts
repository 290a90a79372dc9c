/** Whose address is it: the servers of the configuration by their IPv6 addresses. */
import { formatIpAddress, parseIpAddress } from '../wire/ip-address.ts';

interface Server {
  readonly name: string;
  readonly address: string;
}

/** Finds the name of the server with an address (as RFC 5952 writes it); follows the configuration as it changes. */
export function serverNames(hosts: () => readonly Server[]): (address: string) => string | undefined {
  let known: readonly Server[] | undefined;
  let names = new Map<string, string>();
  return (address) => {
    const current = hosts();
    if (current !== known) {
      known = current;
      names = new Map(
        current.flatMap(({ name, address }) => {
          const bytes = parseIpAddress(address);
          return bytes === undefined ? [] : [[formatIpAddress(bytes), name]];
        }),
      );
    }
    return names.get(address);
  };
}
