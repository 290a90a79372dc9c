/**
 * Finds servers and upstreams at an address of this appliance itself. Separate from `checkConfig`, because the result depends
 * on the machine: a valid file may become invalid when an address changes. A change of the configuration is refused for this
 * reason. A start is not, and the data planes refuse such addresses themselves.
 */
import { compileOurselves, isOurselves, isOwnAddress, leadsToListener } from '../os/ourselves.ts';
import { SERVICES } from '../services/all.ts';
import { declaredAddresses, embeddingPrefixes, ownedPrefixes, prefixesOf } from '../services/configured.ts';
import type { OwnAddresses } from '../services/description.ts';
import { say } from '../texts/text.ts';
import { parseIpAddress } from '../wire/ip-address.ts';
import { type IpPrefix, parseIpPrefix, prefixContains } from '../wire/ip-prefix.ts';
import { UNUSED_PREFIX } from './check.ts';
import { addressesOf } from './host-services.ts';
import { type ConfigProblem, problem } from './problem.ts';
import type { Config } from './schema.ts';

const HOST_BITS = 128;

/** The problems of a valid configuration on a machine with these own addresses (`readOwn`). */
export function checkOurselves(config: Config, own: readonly IpPrefix[]): ConfigProblem[] {
  const ourselves = compileOurselves([...own, ...declaredOwn(config)], prefixesOf(config));
  const ours = say('is an address of this appliance itself');
  const servers = config.hosts.flatMap((host, i) =>
    addressesOf(host).flatMap((address, j) => {
      if (!isOwnAddress(ourselves, address)) return [];
      const path = host.addresses === undefined ? `/hosts/${i}/address` : `/hosts/${i}/addresses/${j}`;
      return [problem(path, address, ours, say('the address of another machine'))];
    }),
  );
  const addresses: OwnAddresses = {
    has: (address) => isOurselves(ourselves, address),
    listensAt: (address, listening) => leadsToListener(ourselves, address, listening),
  };
  return [
    ...servers,
    ...checkOwnedPrefixes(config, own),
    ...SERVICES.flatMap((service) => service.checkOurselves?.(config, addresses) ?? []),
  ];
}

/** A prefix that the appliance is to have as a whole would cover the neighbours in a network that it is attached to. */
function checkOwnedPrefixes(config: Config, own: readonly IpPrefix[]): ConfigProblem[] {
  return embeddingPrefixes(config).flatMap(({ text, ownedAt, isOff }) => {
    if (ownedAt === undefined || isOff === true) return [];
    const prefix = parseIpPrefix(text) as IpPrefix;
    const isAttached = own.some(
      ({ address, prefixBits }) => prefixBits > prefix.prefixBits && prefixContains(prefix, address),
    );
    const sentence = say('is in a network that the appliance is attached to');
    return isAttached ? [problem(ownedAt, text, sentence, UNUSED_PREFIX)] : [];
  });
}

/** The addresses that the configuration gives to this appliance, whether it has them already or not. */
function declaredOwn(config: Config): IpPrefix[] {
  const addresses = declaredAddresses(config).flatMap((text) => {
    const address = parseIpAddress(text);
    return address === undefined ? [] : [{ address, prefixBits: HOST_BITS }];
  });
  return [...addresses, ...ownedPrefixes(config)];
}
