/** Finds the server to which an address belongs: the servers of the configuration by their IPv6 addresses. */
import { formatIpAddress, parseIpAddress } from '../wire/ip-address.ts';

interface Server {
  readonly name: string;
  readonly address: string;
}

/** Finds the name of the server with an address (in RFC 5952 form); follows changes of the configuration. */
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
