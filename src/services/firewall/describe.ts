/** The description of the firewall service. It only runs where its unit says where the rules are. */
import { asIs } from '../../texts/text.ts';
import { describeService } from '../description.ts';

const FILE = 'TOMBOLO_FIREWALL';

export const firewall = describeService({
  name: 'firewall',
  title: asIs('Firewall'),
  counters: {},
  isHere: (environment) => environment[FILE] !== undefined,
  options: () => ({ file: process.env[FILE] ?? '' }),
  async start({ file }, context) {
    const { ownControlGroup, startFirewall } = await import('./service.ts');
    return startFirewall({ file, controlGroup: ownControlGroup() }, context);
  },
});
