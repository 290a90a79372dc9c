import { type Check, type Finding, fail, ok, unknown } from '../check.ts';
import { statesOfPorts, wantedPorts } from '../ports.ts';
import { listOf, say, sentences } from '../../../texts/text.ts';

const HOW_TO_TEST = say('Test it from elsewhere, such as a phone with Wi-Fi switched off.');

export const openPorts: Check = {
  id: 'open-ports',
  area: 'ports',
  title: say('Ports open to the Internet'),
  why: say('Clients of the IPv4 Internet come through these ports.'),
  async run({ machine, config, sshPorts, publicIpv4, seenFromOutside }): Promise<Finding> {
    const wanted = wantedPorts(config, sshPorts).filter(({ taker }) => taker !== undefined);
    const states = statesOfPorts(wanted, machine.sockets(), machine.ownSockets());
    if (states.length === 0) return ok(say('No server is configured yet, so no port is open.'));
    // A port that another program uses is reported by its own check.
    const closed = states.filter(({ isOpen, obstacle }) => !isOpen && obstacle === undefined);
    if (closed.length > 0) {
      return {
        ...fail(
          say('Nothing listens on {ports}.', {
            ports: listOf(closed.map(({ port, wantedBy }) => listOf([`TCP ${port} (`, wantedBy, ')'], ''))),
          }),
          say('The service of the port does not run: its own line says why.'),
        ),
        needs: ['port-conflicts'],
      };
    }
    const seen = await seenFromOutside();
    const isProven = ({ taker }: (typeof states)[number]) => taker !== undefined && seen.has(taker);
    const proven = portsOf(states.filter(isProven));
    const others = portsOf(states.filter((state) => !isProven(state)));
    const proof =
      proven === ''
        ? undefined
        : say('Clients of the Internet have come through TCP {ports}.', { ports: proven });
    if (others === '') return ok(sentences(proof));
    const { kind, address } = await publicIpv4();
    if (kind === 'own') {
      return ok(
        sentences(
          proof,
          say(
            'TCP {ports} listen on {address}. Whether a firewall before the appliance lets them pass cannot be seen from here.',
            { ports: others, address: address ?? '' },
          ),
          HOW_TO_TEST,
        ),
      );
    }
    const router =
      address === null ? say('the router') : say('the router ({address} towards the Internet)', { address });
    return unknown(
      sentences(
        proof,
        say(
          'TCP {ports} listen, but whether your router forwards them is only known once somebody has come through.',
          { ports: others },
        ),
      ),
      sentences(
        say('In {router}, forward TCP {ports} to the appliance, each to the same port.', {
          router,
          ports: others,
        }),
        HOW_TO_TEST,
      ),
    );
  },
};

const portsOf = (states: readonly { readonly port: number }[]): string =>
  [...new Set(states.map(({ port }) => port))].sort((a, b) => a - b).join(', ');
