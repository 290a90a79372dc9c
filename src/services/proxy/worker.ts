/** The proxy's worker thread. */
import type { HostConfig } from '../../config/schema.ts';
import type { FoundWays } from '../../net/found-ways.ts';
import { createSourceOf } from '../../net/mapped-source.ts';
import { runTcpWorker } from '../../net/tcp-worker.ts';
import { compileTrusted } from '../../net/trusted-proxies.ts';
import { parseIpPrefix } from '../../wire/ip-prefix.ts';
import { type MappedConfig, probeAddress, withoutCounterOf } from '../mapped.ts';
import { proxyCounterTable } from './counters.ts';
import { type HostTableOptions, buildHostTable } from './host-table.ts';
import { type HttpListener, createHttpListener } from './http/listener.ts';
import { createTlsGate } from './tls-gate.ts';

export interface ProxyWorkerConfig extends HostTableOptions {
  readonly hosts: readonly HostConfig[];
  readonly mapped: MappedConfig;
  readonly foundWays?: FoundWays | undefined;
  readonly responseTimeoutMs: number;
  /** Prefixes: connections from there begin with a PROXY header. */
  readonly trustedProxies: readonly string[];
}

/** By name. Kept over changes of the configuration, because their connections are. */
const httpListeners = new Map<string, HttpListener>();

runTcpWorker<ProxyWorkerConfig, typeof proxyCounterTable>({
  counterTable: proxyCounterTable,
  createGates({ hosts, responseTimeoutMs, mapped, foundWays, trustedProxies, ...options }, index, peerOf) {
    for (const [name, listener] of httpListeners)
      if (!options.listeners.some((each) => each.name === name && each.protocol === 'http'))
        listener.retire();
    const withoutCounter = withoutCounterOf(mapped, index['mapped-fallback']);
    const sourceOf = createSourceOf(probeAddress(mapped), withoutCounter, foundWays);
    const trusted = compileTrusted(trustedProxies.flatMap((text) => parseIpPrefix(text) ?? []));
    return (name) => {
      const listener = options.listeners.find((candidate) => candidate.name === name)!;
      const table = buildHostTable(hosts, listener, options);
      if (listener.protocol === 'tls') return { ...createTlsGate(table, index, peerOf, sourceOf), trusted };
      let http = httpListeners.get(name);
      if (http === undefined) httpListeners.set(name, (http = createHttpListener(index, peerOf)));
      http.update(table, responseTimeoutMs, sourceOf, trusted);
      return http.gate;
    };
  },
});
