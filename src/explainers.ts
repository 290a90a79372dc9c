/** What each service would do with traffic under any configuration: the part of the composition root that explains. */
import { nat64PrefixesOf } from './config/check-nat64.ts';
import type { Config } from './config/schema.ts';
import { compileOurselves } from './os/ourselves.ts';
import type { Explainer } from './runtime/explain.ts';
import type { Nat64Queries } from './runtime/nat64-queries.ts';
import type { Allotments } from './services/forward/allot-ports.ts';
import type { ForwardOptions } from './services/forward/service.ts';
import type { IpPrefix } from './wire/ip-prefix.ts';

/** What the answer needs from the running services, beside the configuration. */
export interface RunningServices {
  /** The ports that were allotted until now. */
  readonly allotments: () => Allotments;
  readonly forwardOptions: (config: Config) => ForwardOptions;
  /** Own addresses. */
  readonly own: () => readonly IpPrefix[];
  /** The tables of the running translator. */
  readonly nat64: () => Nat64Queries | undefined;
}

/**
 * The services that have a say, in the order in which the kernel gives them a packet. `isLive`: the configuration is the
 * one in force, and the sessions that there are count. Their code is loaded when it is first asked.
 */
export async function explainersOf(
  config: Config,
  isLive: boolean,
  running: RunningServices,
): Promise<readonly Explainer[]> {
  const [{ explainDns64 }, { explainNat64 }, { explainProxy }, { explainForward }] = await Promise.all([
    import('./services/dns64/explain-step.ts'),
    import('./services/nat64/explain-step.ts'),
    import('./services/proxy/explain-step.ts'),
    import('./services/forward/explain-step.ts'),
  ]);
  const { proxy, hosts, dns64, nat64 } = config;
  const ourselves = compileOurselves(running.own(), nat64PrefixesOf(config));
  return [
    { service: 'nat64', explain: explainNat64(nat64, isLive ? running.nat64() : undefined) },
    { service: 'proxy', explain: async (flow) => explainProxy({ proxy, hosts }, ourselves, flow) },
    {
      service: 'forward',
      explain: async (flow) =>
        explainForward(running.forwardOptions(config), running.allotments(), ourselves, flow),
    },
    { service: 'dns64', explain: (flow) => explainDns64(dns64, ourselves, flow) },
  ];
}
