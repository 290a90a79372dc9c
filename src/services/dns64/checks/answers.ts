import { formatIpv6 } from '../../../wire/ip-address.ts';
import { parseIpPrefix } from '../../../wire/ip-prefix.ts';
import { embedIpv4 } from '../../../wire/rfc6052.ts';
import { type Check, type Finding, fail, ok, unknown } from '../../check.ts';
import { ownResolver } from '../../../config/resolvers.ts';
import { REFUSED } from '../../../os/machine.ts';
import { say } from '../../../texts/text.ts';

/** RFC 7050: this name has only these two A records. */
const NAME = 'ipv4only.arpa';
const ADDRESSES = [0xc000_00aa, 0xc000_00ab];

export const dns64Answers: Check = {
  id: 'dns64-answers',
  area: 'dns64',
  isCheap: true,
  title: say('DNS64 answers'),
  why: say('The servers reach IPv4-only hosts through the addresses that DNS64 gives them.'),
  needs: ['port-conflicts'],
  async run({ machine, config }): Promise<Finding | readonly Finding[]> {
    const server = ownResolver(config);
    if (server === undefined) return [];
    const { dns64 } = config;
    const lookup = await machine.lookUp([server], NAME, 'AAAA');
    if (lookup.kind === 'failed' && lookup.reason === REFUSED) {
      return unknown(
        say('The resolver refuses to answer the appliance itself, since dns64.allow does not list it.'),
      );
    }
    if (lookup.kind === 'failed') {
      return fail(
        say('The resolver at {server} gave no addresses for {name}: {reason}.', {
          server,
          name: NAME,
          reason: lookup.reason,
        }),
        say('See the check of the service DNS64, and the log.'),
      );
    }
    const expected = dns64.prefixes
      .flatMap((text) => parseIpPrefix(text) ?? [])
      .flatMap((prefix) => ADDRESSES.map((address) => formatIpv6(embedIpv4(prefix, address))));
    const found = lookup.kind === 'found' ? lookup.values : [];
    const missing = expected.filter((address) => !found.includes(address));
    if (missing.length > 0) {
      return fail(
        say('For {name} the resolver says {found}; {missing} is missing.', {
          name: NAME,
          found: found.length === 0 ? say('nothing') : found.join(', '),
          missing: missing.join(', '),
        }),
        say(
          'Another resolver answers on this port, or the prefixes were just changed: check again, and see dns64.prefixes.',
        ),
      );
    }
    return ok(say('For {name} the resolver says {found}.', { name: NAME, found: found.join(', ') }));
  },
};
