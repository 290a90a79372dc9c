import { type Check, type Finding, fail, ok } from '../check.ts';
import { findPortConflicts } from '../network.ts';
import { listOf, say, unique } from '../../../texts/text.ts';

export const portConflicts: Check = {
  id: 'port-conflicts',
  area: 'ports',
  isCheap: true,
  title: say('Ports taken by other programs'),
  why: say('Two programs cannot have the same port: the service that comes second does not start.'),
  async run({ machine, config, sshPorts }): Promise<Finding> {
    const conflicts = await findPortConflicts(machine, config, sshPorts);
    if (conflicts.length === 0) return ok(say('No other program has a port that the configuration uses.'));
    const list = conflicts.map(({ protocol, port, owner, wantedBy }) =>
      say('{protocol} {port} ({wantedBy}) is taken by {owner}', {
        protocol: protocol.toUpperCase(),
        port,
        wantedBy,
        owner,
      }),
    );
    const owners = listOf(unique(conflicts.map(({ owner }) => owner)));
    return fail(
      say('{list}.', { list: listOf(unique(list), '; ') }),
      say(
        'Stop {owners} (and disable it, so that it does not come back), or choose other ports. The service then starts by itself.',
        { owners },
      ),
    );
  },
};
