import { addressesOf } from '../../../config/host-services.ts';
import { parseIpv6 } from '../../../wire/ip-address.ts';
import { type Check, fail, ok } from '../check.ts';
import { checkGateway } from './gateway.ts';
import { say } from '../../../texts/text.ts';

export const defaultRoute6: Check = {
  id: 'default-route-6',
  area: 'network',
  isCheap: true,
  title: say('IPv6 routes to the servers'),
  why: say('What comes in over IPv4 goes on to the servers over IPv6.'),
  async run(deps) {
    const { machine, config } = deps;
    const servers = config.hosts.flatMap((host) =>
      host.enabled ? addressesOf(host).map((address) => ({ name: host.name, address })) : [],
    );
    const lost = servers.flatMap(({ name, address }) => {
      const bytes = parseIpv6(address);
      const path = bytes === undefined ? undefined : machine.pathTo(bytes);
      return path !== undefined && 'problem' in path ? [`${name} (${address}: ${path.problem})`] : [];
    });
    if (lost.length > 0) {
      return fail(
        say('There is no IPv6 route to {servers}.', { servers: lost.join(', ') }),
        say(
          'Connect the appliance to the network of the servers, or give it a route there: an IPv6 address of that network, or a router that announces itself.',
        ),
      );
    }
    const finding = await checkGateway(deps, 6);
    return (
      finding ??
      ok(
        say(
          'All servers are on networks that the appliance is attached to; there is no IPv6 default route, and none is needed.',
        ),
      )
    );
  },
};
