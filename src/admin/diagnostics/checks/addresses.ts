import { type Check, fail, ok } from '../check.ts';
import { globalAddresses, linksOf } from '../network.ts';
import { say } from '../../../texts/text.ts';

export const addresses: Check = {
  id: 'addresses',
  area: 'network',
  isCheap: true,
  title: say('Own addresses'),
  why: say(
    'The appliance joins both worlds: it needs an IPv4 address towards the Internet and an IPv6 address towards the servers.',
  ),
  async run({ machine, config }) {
    const { ipv4, ipv6 } = globalAddresses(await linksOf(machine, config));
    if (ipv4.length === 0) {
      return fail(
        say('The appliance has no IPv4 address.'),
        say('Connect it to a router with a DHCP server, or set an address by hand.'),
      );
    }
    if (ipv6.length === 0) {
      return fail(
        say('The appliance has no IPv6 address beyond its own link.'),
        say(
          'Switch on IPv6 (router advertisements) in your router, or set an address of the network of the servers by hand.',
        ),
      );
    }
    return ok(say('IPv4: {ipv4}. IPv6: {ipv6}.', { ipv4: ipv4.join(', '), ipv6: ipv6.join(', ') }));
  },
};
