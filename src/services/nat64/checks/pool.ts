import { type Check, type Finding, fail, ok, warn } from '../../check.ts';
import type { Nat64Queries } from '../questions.ts';
import { say } from '../../../texts/text.ts';

const WARN_PERCENT = 80;
const FAIL_PERCENT = 95;
const REMEDY = say(
  'See which server has the most sessions on the NAT64 page. Add an address or more ports to nat64.pool4, or raise nat64.maxSessions.',
);

export const nat64Pool: Check = {
  id: 'nat64-pool',
  area: 'nat64',
  isCheap: true,
  title: say('Ports and sessions of NAT64'),
  why: say('Every connection of a server takes a port: when none is left, new connections fail.'),
  async run({ queries }): Promise<Finding | readonly Finding[]> {
    const running = queries('nat64') as Nat64Queries | undefined;
    if (running === undefined) return [];
    const { sessions, maxSessions, pools } = await running.poolUse();
    const uses = [
      {
        what: say('sessions ({used} of {most})', { used: sessions, most: maxSessions }),
        share: sessions / maxSessions,
      },
      ...(['tcp', 'udp', 'icmp'] as const).map((protocol) => {
        const serving = pools.filter(({ protocols }) => protocols.includes(protocol));
        const used = serving.reduce((sum, pool) => sum + pool.used[protocol], 0);
        const size = serving.reduce((sum, pool) => sum + pool.size, 0);
        return {
          what: say('ports for {protocol} ({used} of {size})', {
            protocol: protocol.toUpperCase(),
            used,
            size,
          }),
          share: size === 0 ? 0 : used / size,
        };
      }),
    ];
    const worst = uses.reduce((a, b) => (b.share > a.share ? b : a));
    const percent = Math.round(worst.share * 100);
    const text = say('{percent} % of the {what} are in use.', { percent, what: worst.what });
    if (percent >= FAIL_PERCENT) return fail(text, REMEDY);
    return percent >= WARN_PERCENT ? warn(text, REMEDY) : ok(text);
  },
};
