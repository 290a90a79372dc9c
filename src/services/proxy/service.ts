/** The proxy: IPv4 clients reach IPv6-only servers by the name that they ask for. */
import type { HostConfig, ProxyConfig } from '../../config/schema.ts';
import { serviceAt, usedListeners } from '../../config/host-services.ts';
import { boundAddresses } from '../../config/values.ts';
import { type FoundWays, createFoundWays } from '../../net/found-ways.ts';
import { type TcpPlan, startTcpPlane } from '../../net/tcp-plane.ts';
import { createWayTrials } from '../../net/try-ways.ts';
import { workersThatFit } from '../../net/workers-that-fit.ts';
import { followAttached } from '../../os/follow-attached.ts';
import { createInTurn } from '../../os/in-turn.ts';
import type { ServiceStatus } from '../../runtime/report.ts';
import type { Service, ServiceContext } from '../../runtime/service.ts';
import { sentences } from '../../texts/text.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { type IpPrefix, formatIpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';
import { proxyCounterTable } from './counters.ts';
import { type PreparedHealth, keepHealth } from './health/keep.ts';
import { keepMappedRoute } from './mapped-route.ts';
import { probeAddress, usesMapped, waysToTry } from '../mapped.ts';
import type { ProxyWorkerConfig } from './worker.ts';

export interface ProxyOptions {
  readonly proxy: ProxyConfig;
  readonly hosts: readonly HostConfig[];
}

/** Limits the kernel's memory for two sockets per connection; the limit of descriptors may be lower. */
const MAX_CONNECTIONS = 32_768;

/**
 * A listener is open while at least one server names it in its `services`: a port that leads nowhere stays closed. `attached`:
 * the networks that "lan" stands for. `failing`: what health checks find.
 */
export function planProxy(
  { proxy, hosts }: ProxyOptions,
  attached: readonly IpPrefix[],
  failing?: PreparedHealth['failing'],
): TcpPlan<ProxyWorkerConfig> {
  const named = usedListeners(hosts);
  const listeners = proxy.listeners.filter(({ name }) => named.has(name));
  const listen = boundAddresses(proxy.listen).flatMap((text) => {
    const address = parseIpAddress(text);
    if (address === undefined) throw new Error(`proxy.listen: "${text}" is no address`);
    return listeners.map(({ name, port }) => ({ name, address, port }));
  });
  return {
    listen,
    handshakeTimeoutMs: proxy.handshakeTimeoutMs,
    idleTimeoutMs: proxy.idleTimeoutMs,
    workers: proxy.workers === 'auto' ? workersThatFit() : proxy.workers,
    hosts: hosts.map(({ name }) => name),
    config: {
      hosts,
      listeners,
      defaultHost: proxy.defaultHost,
      attached,
      ...(failing !== undefined && { failing }),
      mapped: { mappedPrefix: proxy.mappedPrefix, mappedFallback: proxy.mappedFallback },
      ...foundWaysOf(proxy, hosts),
      responseTimeoutMs: proxy.responseTimeoutMs,
      trustedProxies: proxy.trustedProxies,
    },
  };
}

/** Memory for what the trials of the ways back find; none if no server is tried. */
function foundWaysOf(proxy: ProxyConfig, hosts: readonly HostConfig[]): { foundWays?: FoundWays } {
  const uses = (host: HostConfig) => proxy.listeners.map((listener) => serviceAt(host, listener));
  const servers = waysToTry(proxy, hosts, (host) => {
    return uses(host).find((use) => use?.clientAddress === 'mapped')?.port;
  });
  return servers.length === 0 ? {} : { foundWays: createFoundWays(servers) };
}

/** The prefixes whose addresses connections to servers come from, as the kernel writes them. */
const mappedPrefixes = ({ proxy, hosts }: ProxyOptions): string[] =>
  usesMapped(hosts) ? [formatIpPrefix(parseIpPrefix(proxy.mappedPrefix)!)] : [];

/** Starts the proxy. Throws when a listening socket cannot be opened: the error names listener, address and port. */
export async function startProxy(
  options: ProxyOptions,
  context: Pick<ServiceContext, 'log' | 'ourselves' | 'events'>,
): Promise<Service<ProxyOptions>> {
  const { ourselves, events } = context;
  const log = context.log.child({ service: 'proxy' });
  const inTurn = createInTurn();
  const started = Promise.withResolvers<void>();
  let current = options;
  await using starting = new AsyncDisposableStack();
  const mapped = starting.use(await keepMappedRoute({ log, events }, mappedPrefixes(options)));
  const attached = starting.use(
    followAttached(ourselves, () => {
      inTurn(() => started.promise.then(() => putInForce(current))).catch((err: unknown) =>
        log.error({ err }, 'proxy: the networks of this machine could not be followed'),
      );
    }),
  );
  const health = starting.use(keepHealth({ log, ourselves, events }));
  const firstHealth = await health.prepare(options.hosts, options.proxy.listeners);
  const wayTrials = starting.use(
    createWayTrials((err) => log.error({ err }, 'proxy: the ways back of servers could not be tried')),
  );
  const firstPlan = planProxy(options, attached.of(options.hosts), firstHealth.failing);
  const plane = await startTcpPlane<ProxyWorkerConfig, typeof proxyCounterTable>(
    {
      name: 'proxy',
      entry: new URL('worker.ts', import.meta.url),
      counterTable: proxyCounterTable,
      keepalive: false,
      maxConnections: MAX_CONNECTIONS,
      descriptorShare: 0.75,
      log,
      ourselves,
      events,
    },
    firstPlan,
  );
  firstHealth.commit();
  wayTrials.begin(firstPlan.config.foundWays, probeAddress(options.proxy));
  const following = starting.move();
  started.resolve();

  async function putInForce(next: ProxyOptions): Promise<void> {
    const [before, after] = [mappedPrefixes(current), mappedPrefixes(next)];
    await mapped.want([...before, ...after.filter((prefix) => !before.includes(prefix))]);
    try {
      const { failing, commit } = await health.prepare(next.hosts, next.proxy.listeners);
      const plan = planProxy(next, attached.of(next.hosts), failing);
      await plane.apply(plan);
      commit();
      wayTrials.begin(plan.config.foundWays, probeAddress(next.proxy));
      current = next;
    } finally {
      attached.of(current.hosts);
      await mapped.want(mappedPrefixes(current));
    }
  }

  function status(): ServiceStatus {
    const of = plane.status();
    const problem = mapped.problem();
    if (problem === undefined) return of;
    return { ...of, state: 'degraded', problem: sentences(of.problem, problem) };
  }

  return {
    name: 'proxy',
    counterTable: proxyCounterTable,
    reconfigure: (next) => inTurn(() => putInForce(next)),
    status,
    kernelContests: mapped.contests,
    counters: plane.counters,
    hosts: plane.hosts,
    health: health.report,
    limits: plane.limits,
    drain: plane.drain,
    failWorker: plane.failWorker,
    async [Symbol.asyncDispose]() {
      // The route goes last: connections may still come from mapped addresses.
      await inTurn(() => {});
      await plane[Symbol.asyncDispose]();
      await following.disposeAsync();
    },
  };
}
