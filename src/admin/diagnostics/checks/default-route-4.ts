import { type Check, fail, ok } from '../check.ts';
import { checkGateway } from './gateway.ts';
import { say } from '../../../texts/text.ts';

export const defaultRoute4: Check = {
  id: 'default-route-4',
  area: 'network',
  isCheap: true,
  title: say('IPv4 default route'),
  why: say(
    'Clients of the IPv4 Internet come in through the IPv4 default route, and NAT64 sends through it.',
  ),
  async run(deps) {
    const finding = await checkGateway(deps, 4);
    if (finding !== undefined) return finding;
    // A point-to-point link has no gateway.
    if (deps.machine.sourceIpv4() !== undefined)
      return ok(say('IPv4 packets leave through a point-to-point link.'));
    return fail(
      say('There is no IPv4 default route: nothing gets to the IPv4 Internet, and no answer gets back.'),
      say(
        'Connect the appliance to your router. If the router gives addresses by DHCP, check that its DHCP server is on; otherwise set address and gateway by hand.',
      ),
    );
  },
};
