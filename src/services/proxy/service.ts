/** The proxy: IPv4 clients reach IPv6-only servers by the name that they ask for. */
import type { HostConfig, ProxyConfig } from '../../config/schema.ts';
import { boundAddresses } from '../../config/values.ts';
import { type TcpPlan, startTcpPlane } from '../../net/tcp-plane.ts';
import type { Service, ServiceContext } from '../../runtime/service.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { proxyCounterTable } from './counters.ts';
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
    config: { hosts, listeners },
  };
}

/** Starts the proxy. Throws when a listening socket cannot be opened: the error names listener, address and port. */
export async function startProxy(
  options: ProxyOptions,
  { log, ourselves, events }: Pick<ServiceContext, 'log' | 'ourselves' | 'events'>,
): Promise<Service<ProxyOptions>> {
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
  return {
    name: 'proxy',
    counterTable: proxyCounterTable,
    reconfigure: async (options) => plane.apply(planProxy(options)),
    status: plane.status,
    counters: plane.counters,
    hosts: plane.hosts,
    limits: plane.limits,
    drain: plane.drain,
    failWorker: plane.failWorker,
    [Symbol.asyncDispose]: () => plane[Symbol.asyncDispose](),
  };
}
