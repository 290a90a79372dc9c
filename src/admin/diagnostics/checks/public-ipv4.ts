import { type Check, fail, ok, unknown } from '../check.ts';
import { say } from '../../../texts/text.ts';

export const publicAddress: Check = {
  id: 'public-ipv4',
  area: 'network',
  title: say('Public IPv4 address'),
  why: say('The A records of all names lead there.'),
  needs: ['addresses'],
  async run({ publicIpv4 }) {
    const { kind, text, address } = await publicIpv4();
    if (kind === 'own') return ok(text);
    if (kind === 'nat') return address === null ? unknown(text) : ok(text);
    if (kind === 'cgnat') {
      return fail(
        text,
        say(
          'If it is a second router of your own, forward the ports there too, or make it a bridge. If it is your provider (CGNAT), ask for a public IPv4 address.',
        ),
      );
    }
    return fail(text, say('Connect it to a router with a DHCP server, or set an address by hand.'));
  },
};
