/**
 * Finds servers and upstreams at an address of this appliance itself. Separate from `checkConfig`, because the result depends
 * on the machine: a valid file may become invalid when an address changes. A change of the configuration is refused for this
 * reason. A start is not, and the data planes refuse such addresses themselves.
 */
import { compileOurselves, isOurselves, isOwnAddress, leadsToListener } from '../os/ourselves.ts';
import { SERVICES } from '../services/all.ts';
import { declaredAddresses, ownedPrefixes, prefixesOf } from '../services/configured.ts';
import type { OwnAddresses } from '../services/description.ts';
import { say } from '../texts/text.ts';
import { parseIpAddress } from '../wire/ip-address.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';
import { type ConfigProblem, problem } from './problem.ts';
import type { Config } from './schema.ts';

const HOST_BITS = 128;

/** The problems of a valid configuration on a machine with these own addresses (`readOwn`). */
export function checkOurselves(config: Config, own: readonly IpPrefix[]): ConfigProblem[] {
  const ourselves = compileOurselves([...own, ...declaredOwn(config)], prefixesOf(config));
  const ours = say('is an address of this appliance itself');
  const servers = config.hosts.flatMap(({ address }, i) => {
    if (!isOwnAddress(ourselves, address)) return [];
    return [problem(`/hosts/${i}/address`, address, ours, say('the address of another machine'))];
  });
  const addresses: OwnAddresses = {
    has: (address) => isOurselves(ourselves, address),
    listensAt: (address, listening) => leadsToListener(ourselves, address, listening),
  };
  return [...servers, ...SERVICES.flatMap((service) => service.checkOurselves?.(config, addresses) ?? [])];
}

/** The addresses that the configuration gives to this appliance, whether it has them already or not. */
function declaredOwn(config: Config): IpPrefix[] {
  const addresses = declaredAddresses(config).flatMap((text) => {
    const address = parseIpAddress(text);
    return address === undefined ? [] : [{ address, prefixBits: HOST_BITS }];
  });
  return [...addresses, ...ownedPrefixes(config)];
}
