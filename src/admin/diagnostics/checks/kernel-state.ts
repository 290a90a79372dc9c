import { listOf, say, unique } from '../../../texts/text.ts';
import { type Check, type Finding, fail, ok, warn } from '../check.ts';

export const kernelState: Check = {
  id: 'kernel-state',
  area: 'network',
  isCheap: true,
  title: say('Other programs and the kernel'),
  why: say(
    'Services need routes, rules and parameters in the kernel. If another program removes them, they are put back, but traffic is interrupted each time.',
  ),
  run({ services }): Finding {
    const contests = services.flatMap(({ kernelContests = [] }) => kernelContests);
    if (contests.length === 0)
      return ok(say('Nothing that the services need in the kernel is missing or removed repeatedly.'));
    const list = contests.map(({ what, who, times, isMissing }) =>
      times === 0
        ? say('{what} is missing: the kernel refuses it', { what })
        : isMissing
          ? say('{what} is missing: removed or changed {times} times, last by {who}', { what, times, who })
          : say('{what} was removed or changed {times} times, last by {who}', { what, times, who }),
    );
    const found = say('{list}.', { list: listOf(list, '; ') });
    const remedy = say(
      'Stop the program that does this ({who}), or configure it to leave this alone: systemd-networkd with ManageForeignRoutes=no and ManageForeignRoutingPolicyRules=no in networkd.conf, a firewall by loading only its own tables instead of "flush ruleset". See also the log.',
      { who: listOf(unique(contests.map(({ who }) => who))) },
    );
    return contests.some(({ isMissing }) => isMissing) ? fail(found, remedy) : warn(found, remedy);
  },
};
