import { type Check, type Finding, fail, keyOf, ok, warn } from '../../check.ts';
import { UPSTREAMS_CHECK, upstreamServers } from '../../../config/resolvers.ts';
import { say } from '../../../texts/text.ts';

const REMEDY = say(
  'Check that the address in dns64.upstreams is right and that no firewall blocks port 53 to it, or use another resolver.',
);

export const dns64Upstreams: Check = {
  id: UPSTREAMS_CHECK,
  area: 'dns64',
  isCheap: true,
  title: say('Resolver that DNS64 asks'),
  why: say('DNS64 asks its upstreams. When none of them answers, no name resolves.'),
  async run({ machine, config }): Promise<Finding[]> {
    if (!config.dns64.enabled) return [];
    const asked = await Promise.all(
      upstreamServers(config).map(async (upstream) => {
        const startedMs = performance.now();
        // Every resolver knows the name servers of the root.
        const lookup = await machine.lookUp([upstream.server], '.', 'NS');
        return { ...upstream, lookup, tookMs: performance.now() - startedMs };
      }),
    );
    const allFail = asked.every(({ lookup }) => lookup.kind === 'failed');
    return asked.map(({ text, family, lookup, tookMs }) => ({
      key: keyOf(text),
      title: say('Resolver {resolver}', { resolver: text }),
      needs: [`default-route-${family}`],
      ...(lookup.kind !== 'failed'
        ? ok(
            say('{resolver} answers in {milliseconds} ms.', {
              resolver: text,
              milliseconds: Math.round(tookMs),
            }),
          )
        : (allFail ? fail : warn)(
            say('{resolver} cannot be used: {reason}.', { resolver: text, reason: lookup.reason }),
            REMEDY,
          )),
    }));
  },
};
