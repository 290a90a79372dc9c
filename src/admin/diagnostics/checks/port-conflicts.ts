import { type Check, type Finding, fail, ok } from '../check.ts';
import { findPortConflicts } from '../network.ts';

export const portConflicts: Check = {
  id: 'port-conflicts',
  area: 'ports',
  title: 'Ports taken by other programs',
  why: 'Two programs cannot have the same port: the service that comes second does not start.',
  async run({ machine, config, sshPorts }): Promise<Finding> {
    const conflicts = await findPortConflicts(machine, config, sshPorts);
    if (conflicts.length === 0) return ok('No other program has a port that the configuration uses.');
    const list = conflicts.map(
      ({ protocol, port, owner, wantedBy }) =>
        `${protocol.toUpperCase()} ${port} (${wantedBy}) is taken by ${owner}`,
    );
    const owners = [...new Set(conflicts.map(({ owner }) => owner))].join(', ');
    return fail(
      `${[...new Set(list)].join('; ')}.`,
      `Stop ${owners} (and disable it, so that it does not come back), or choose other ports. The service then starts by itself.`,
    );
  },
};
