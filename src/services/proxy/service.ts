/** The proxy: IPv4 clients reach IPv6-only servers by the name that they ask for. */
import type { HostConfig, ProxyConfig } from '../../config/schema.ts';
import { serviceAt, usedListeners, isAccessLogged } from '../../config/host-services.ts';
import { boundAddresses } from '../../config/values.ts';
import { type FoundWays, createFoundWays } from '../../net/found-ways.ts';
import { type TcpPlan, startTcpPlane } from '../../net/tcp-plane.ts';
import { createWayTrials } from '../../net/try-ways.ts';
import type { TcpQueries } from '../../net/tcp-shares.ts';
import { workersThatFit } from '../../net/workers-that-fit.ts';
import { followAttached } from '../../os/follow-attached.ts';
import { createInTurn } from '../../os/in-turn.ts';
import { createCounters, readCounters } from '../../runtime/counters.ts';
import type { Limit } from '../../runtime/limits.ts';
import type { ServiceStatus } from '../../runtime/report.ts';
import type { Service, ServiceContext } from '../../runtime/service.ts';
import { say, sentences } from '../../texts/text.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { type IpPrefix, formatIpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';
import { proxyCounterTable } from './counters.ts';
import { type PreparedHealth, keepHealth } from './health/keep.ts';
import { LEARNED_SERVER, MAX_LOOK_UPS, type NameQuestion } from './learned.ts';
import { type LookUpSettings, type LookUps, createLookUps } from './look-ups.ts';
import { keepMappedRoute } from './mapped-route.ts';
import { probeAddress, usesMapped, waysToTry } from '../mapped.ts';
import type { ProxyWorkerConfig } from './worker.ts';

/** How names are looked up. */
export interface NameOptions extends LookUpSettings {
  /** Prefixes in which IPv4 addresses are embedded, as text. */
  readonly embedding: readonly string[];
}

export interface ProxyOptions {
  readonly proxy: ProxyConfig;
  readonly hosts: readonly HostConfig[];
  /** Absent: names that no server has are not looked up. */
  readonly names?: NameOptions;
}

/** Limits the kernel's memory for two sockets per connection; the limit of descriptors may be lower. */
const MAX_CONNECTIONS = 32_768;

/**
 * Which listeners are open: `usedListeners`. A port that leads nowhere stays closed. `attached`: the networks that "lan" stands
 * for. `failing`: what health checks find.
 */
export function planProxy(
  { proxy, hosts, names }: ProxyOptions,
  attached: readonly IpPrefix[],
  failing?: PreparedHealth['failing'],
): TcpPlan<ProxyWorkerConfig> {
  const named = usedListeners(proxy, hosts);
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
    limits: proxy.limits,
    workers: proxy.workers === 'auto' ? workersThatFit() : proxy.workers,
    hosts: [...hosts.map(({ name }) => name), ...(names === undefined ? [] : [LEARNED_SERVER])],
    isLogged: isAccessLogged(hosts, proxy.accessLog),
    config: {
      hosts,
      listeners,
      defaultHost: proxy.defaultHost,
      attached,
      ...(failing !== undefined && { failing }),
      mapped: { mappedPrefix: proxy.mappedPrefix, mappedFallback: proxy.mappedFallback },
      ...foundWaysOf(proxy, hosts),
      responseTimeoutMs: proxy.responseTimeoutMs,
      accessLog: proxy.accessLog,
      allowed: {
        prefixes: names === undefined ? [] : proxy.allowedPrefixes,
        embedding: names?.embedding ?? [],
      },
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

const NO_NAMES: LookUpSettings = { resolvers: [], own: undefined };

/** The workers have most counters; the main thread those of its look-ups. */
const addCounters = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(a).map(([name, value]) => [name, value + b[name]]));

const lookUpLimit = ({ underWay }: LookUps): Limit => ({
  what: say('look-ups of names'),
  used: underWay,
  size: MAX_LOOK_UPS,
  advice: say(
    'Resolvers answer slowly, or one client asks for many names: see in the timeline which one. It is refused first.',
  ),
});

/** Starts the proxy. Throws when a listening socket cannot be opened: the error names listener, address and port. */
export async function startProxy(
  options: ProxyOptions,
  context: Pick<ServiceContext, 'log' | 'ourselves' | 'events' | 'lines'>,
): Promise<Service<ProxyOptions>> {
  const { ourselves, events, lines } = context;
  const { log } = context;
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
  const counters = createCounters(proxyCounterTable);
  const lookUps = starting.use(
    createLookUps(
      options.names ?? NO_NAMES,
      counters,
      () => ourselves.current,
      // A worker may ask before the start is complete.
      (answer) => void started.promise.then(() => plane.tell(answer)),
    ),
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
      maxConnections: MAX_CONNECTIONS,
      descriptorShare: 0.75,
      log,
      ourselves,
      events,
      lines,
      onAsked: (question) => lookUps.ask(question as NameQuestion),
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
      lookUps.set(next.names ?? NO_NAMES);
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
    counters: () => addCounters(plane.counters(), readCounters(counters)),
    hosts: plane.hosts,
    health: health.report,
    limits: () => [...plane.limits(), lookUpLimit(lookUps)],
    queries: { shares: plane.shares } satisfies TcpQueries,
    drain: plane.drain,
    failWorker: plane.failWorker,
    async [Symbol.asyncDispose]() {
      // The route goes last: connections may still come from mapped addresses.
      await inTurn(() => {});
      lookUps[Symbol.dispose](); // nothing is told to a worker that has ended
      await plane[Symbol.asyncDispose]();
      await following.disposeAsync();
    },
  };
}
