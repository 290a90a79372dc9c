import { type Check, type Finding, fail, ok, unknown } from '../check.ts';
import { statesOfPorts, wantedPorts } from '../ports.ts';

const HOW_TO_TEST = 'Test it from elsewhere, such as a phone with Wi-Fi switched off.';

export const openPorts: Check = {
  id: 'open-ports',
  area: 'ports',
  title: 'Ports open to the Internet',
  why: 'Clients of the IPv4 Internet come through these ports.',
  async run({ machine, config, sshPorts, publicIpv4, seenFromOutside }): Promise<Finding> {
    const wanted = wantedPorts(config, sshPorts).filter(({ taker }) => taker !== undefined);
    const states = statesOfPorts(wanted, machine.sockets(), machine.ownSockets());
    if (states.length === 0) return ok('No server is configured yet, so no port is open.');
    // A port that another program has is told by its own check.
    const closed = states.filter(({ isOpen, obstacle }) => !isOpen && obstacle === undefined);
    if (closed.length > 0) {
      return {
        ...fail(
          `Nothing listens on ${closed.map(({ port, wantedBy }) => `TCP ${port} (${wantedBy})`).join(', ')}.`,
          'The service of the port does not run: its own line says why.',
        ),
        needs: ['port-conflicts'],
      };
    }
    const seen = await seenFromOutside();
    const isProven = ({ taker }: (typeof states)[number]) => taker !== undefined && seen.has(taker);
    const proven = listOf(states.filter(isProven));
    const others = listOf(states.filter((state) => !isProven(state)));
    const proof = proven === '' ? '' : `Clients of the Internet have come through TCP ${proven}. `;
    if (others === '') return ok(proof.trim());
    const { kind, address } = await publicIpv4();
    if (kind === 'own') {
      return ok(
        `${proof}TCP ${others} listen on ${address}. Whether a firewall before the appliance lets them pass cannot be seen from here. ${HOW_TO_TEST}`,
      );
    }
    const router = address === null ? 'the router' : `the router (${address} towards the Internet)`;
    return unknown(
      `${proof}TCP ${others} listen, but whether your router forwards them is only known once somebody has come through.`,
      `In ${router}, forward TCP ${others} to the appliance, each to the same port. ${HOW_TO_TEST}`,
    );
  },
};

const listOf = (states: readonly { readonly port: number }[]): string =>
  [...new Set(states.map(({ port }) => port))].sort((a, b) => a - b).join(', ');
