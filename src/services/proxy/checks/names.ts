/** Whether the resolvers that are asked for names (proxy.allowedPrefixes) answer. */
import { UPSTREAMS_CHECK, lookUpSettings, upstreamServers } from '../../../config/resolvers.ts';
import { isLoop } from '../../../net/dns-upstreams.ts';
import { compileOurselves } from '../../../os/ourselves.ts';
import { say } from '../../../texts/text.ts';
import { type Check, fail, ok, warn } from '../../check.ts';

export const names: Check = {
  id: 'names',
  area: 'servers',
  title: say('Names that lead to their address in DNS'),
  why: say(
    'With proxy.allowedPrefixes, the proxy asks the resolvers of dns64.upstreams for names that no server has. If none of them answers, clients of such names are refused.',
  ),
  isCheap: ({ proxy }) => proxy.allowedPrefixes.length > 0,
  needs: ['default-route-4', 'default-route-6', UPSTREAMS_CHECK],
  async run({ config, machine }) {
    if (config.proxy.allowedPrefixes.length === 0) return [];
    const { own } = lookUpSettings(config);
    const ourselves = compileOurselves(machine.own(), []);
    const asked = upstreamServers(config).filter(
      (each) => own === undefined || !isLoop(ourselves, own, each),
    );
    if (asked.length === 0)
      return fail(
        say('There is no resolver to ask: DNS64 itself makes addresses up, so it is not asked.'),
        say('Set another resolver in dns64.upstreams.'),
      );
    // Every resolver knows the name servers of the root.
    const answers = await Promise.all(asked.map(({ server }) => machine.lookUp([server], '.', 'NS')));
    const silent = asked.flatMap(({ text }, i) => (answers[i].kind === 'failed' ? [text] : []));
    const values = { resolvers: silent.join(', ') };
    const remedy = say(
      'Check that the addresses in dns64.upstreams are right and that no firewall blocks port 53 to them.',
    );
    if (silent.length === asked.length)
      return fail(
        say('No resolver answers: {resolvers}. Clients of names that are not known yet are refused.', values),
        remedy,
      );
    if (silent.length > 0)
      return warn(say('{resolvers} does not answer; another resolver does.', values), remedy);
    return ok(say('The resolvers that are asked for names answer.'));
  },
};
