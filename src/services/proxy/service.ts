/** The proxy: IPv4 clients reach IPv6-only servers by the name that they ask for. */
import type { HostConfig, ProxyConfig } from '../../config/schema.ts';
import { boundAddresses } from '../../config/values.ts';
import { type TcpPlan, startTcpPlane } from '../../net/tcp-plane.ts';
import type { ServiceStatus } from '../../runtime/report.ts';
import type { Service, ServiceContext } from '../../runtime/service.ts';
import { sentences } from '../../texts/text.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';
import { proxyCounterTable } from './counters.ts';
import { keepMappedRoute } from './mapped-route.ts';
import { usesMapped } from '../mapped.ts';
import type { ProxyWorkerConfig } from './worker.ts';

export interface ProxyOptions {
  readonly proxy: ProxyConfig;
  readonly hosts: readonly HostConfig[];
}

/** Limits the kernel's memory for two sockets per connection; the limit of descriptors may be lower. */
const MAX_CONNECTIONS = 32_768;

/** A listener is open while at least one server names it in its `services`: a port that leads nowhere stays closed. */
export function planProxy({ proxy, hosts }: ProxyOptions): TcpPlan<ProxyWorkerConfig> {
  const named = new Set(hosts.flatMap(({ services }) => services));
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
    hosts: hosts.map(({ name }) => name),
    config: {
      hosts,
      listeners,
      mapped: { mappedPrefix: proxy.mappedPrefix, mappedFallback: proxy.mappedFallback },
    },
  };
}

/** The prefixes whose addresses connections to servers come from, as the kernel writes them. */
const mappedPrefixes = ({ proxy, hosts }: ProxyOptions): string[] =>
  usesMapped(hosts) ? [formatIpPrefix(parseIpPrefix(proxy.mappedPrefix)!)] : [];

/** Starts the proxy. Throws when a listening socket cannot be opened: the error names listener, address and port. */
export async function startProxy(
  options: ProxyOptions,
  { log, ourselves, events }: Pick<ServiceContext, 'log' | 'ourselves' | 'events'>,
): Promise<Service<ProxyOptions>> {
  let mapped = mappedPrefixes(options);
  await using cleanUp = new AsyncDisposableStack();
  const route = cleanUp.use(await keepMappedRoute({ log: log.child({ service: 'proxy' }), events }, mapped));
  const plane = await startTcpPlane<ProxyWorkerConfig, typeof proxyCounterTable>(
    {
      name: 'proxy',
      entry: new URL('worker.ts', import.meta.url),
      counterTable: proxyCounterTable,
      keepalive: false,
      maxConnections: MAX_CONNECTIONS,
      descriptorShare: 0.75,
      log: log.child({ service: 'proxy' }),
      ourselves,
      events,
    },
    planProxy(options),
  );

  async function reconfigure(options: ProxyOptions): Promise<void> {
    const next = mappedPrefixes(options);
    await route.want([...mapped, ...next.filter((prefix) => !mapped.includes(prefix))]);
    try {
      await plane.apply(planProxy(options));
      mapped = next;
    } finally {
      await route.want(mapped);
    }
  }

  function status(): ServiceStatus {
    const of = plane.status();
    const problem = route.problem();
    if (problem === undefined) return of;
    return { ...of, state: 'degraded', problem: sentences(of.problem, problem) };
  }

  const running = cleanUp.move();
  running.use(plane);
  return {
    name: 'proxy',
    counterTable: proxyCounterTable,
    reconfigure,
    status,
    kernelContests: route.contests,
    counters: plane.counters,
    hosts: plane.hosts,
    limits: plane.limits,
    drain: plane.drain,
    failWorker: plane.failWorker,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
