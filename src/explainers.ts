/** What each service would do with traffic under any configuration: the part of the composition root that explains. */
import type { Config } from './config/schema.ts';
import type { Explainer } from './runtime/explain.ts';
import type { Nat64Queries } from './runtime/nat64-queries.ts';
import type { Allotments } from './services/forward/allot-ports.ts';
import type { ForwardOptions } from './services/forward/service.ts';

/** What the answer needs from the running services, beside the configuration. */
export interface RunningServices {
  /** The ports that were allotted until now. */
  readonly allotments: () => Allotments;
  readonly forwardOptions: (config: Config) => ForwardOptions;
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
  return [
    { service: 'nat64', explain: explainNat64(nat64, isLive ? running.nat64() : undefined) },
    { service: 'proxy', explain: async (flow) => explainProxy({ proxy, hosts }, flow) },
    {
      service: 'forward',
      explain: async (flow) => explainForward(running.forwardOptions(config), running.allotments(), flow),
    },
    { service: 'dns64', explain: (flow) => explainDns64(dns64, flow) },
  ];
}
