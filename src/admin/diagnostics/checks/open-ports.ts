import { type Check, type Finding, fail, ok, unknown } from '../check.ts';
import { statesOfPorts, wantedPorts } from '../ports.ts';

const HOW_TO_TEST = 'Test it from elsewhere, such as a phone with Wi-Fi switched off.';

export const openPorts: Check = {
  id: 'open-ports',
  area: 'ports',
  title: 'Ports open to the Internet',
  why: 'Clients of the IPv4 Internet come through these ports.',
  async run({ machine, config, sshPorts, publicIpv4 }): Promise<Finding> {
    const wanted = wantedPorts(config, sshPorts).filter(({ isForOutside }) => isForOutside);
    const states = statesOfPorts(wanted, machine.sockets(), machine.ownSockets());
    if (states.length === 0) return ok('No server is configured yet, so no port is open.');
    // A port that another program has is told by its own check.
    const closed = states.filter(({ isOpen, taker }) => !isOpen && taker === undefined);
    if (closed.length > 0) {
      return {
        ...fail(
          `Nothing listens on ${closed.map(({ port, wantedBy }) => `TCP ${port} (${wantedBy})`).join(', ')}.`,
          'The service of the port does not run: its own line says why.',
        ),
        needs: ['port-conflicts'],
      };
    }
    const ports = [...new Set(states.map(({ port }) => port))].sort((a, b) => a - b).join(', ');
    const { kind, address } = await publicIpv4();
    if (kind === 'own') {
      return ok(
        `TCP ${ports} listen on ${address}. Whether a firewall before the appliance lets them pass cannot be seen from here. ${HOW_TO_TEST}`,
      );
    }
    return unknown(
      `TCP ${ports} listen, but whether your router forwards them cannot be seen from inside.`,
      `In the router${address === null ? '' : ` (${address} towards the Internet)`}, forward TCP ${ports} to the appliance, each to the same port. ${HOW_TO_TEST}`,
    );
  },
};
