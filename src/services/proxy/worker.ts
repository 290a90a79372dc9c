/** The proxy's worker thread. */
import type { HostConfig, ListenerConfig, ProxyConfig } from '../../config/schema.ts';
import { runTcpWorker } from '../../net/tcp-worker.ts';
import { proxyCounterTable } from './counters.ts';
import { buildHostTable } from './host-table.ts';
import { createHttpGate } from './http-gate.ts';
import { createSourceOf } from './mapped-source.ts';
import { createTlsGate } from './tls-gate.ts';

export interface ProxyWorkerConfig {
  readonly hosts: readonly HostConfig[];
  readonly listeners: readonly ListenerConfig[];
  readonly mapped: Pick<ProxyConfig, 'mappedPrefix' | 'mappedFallback'>;
}

/** What picks the server, by the listener's protocol. */
const GATES = { http: createHttpGate, tls: createTlsGate } satisfies Record<
  ListenerConfig['protocol'],
  unknown
>;

runTcpWorker<ProxyWorkerConfig, typeof proxyCounterTable>({
  counterTable: proxyCounterTable,
  createGates:
    ({ hosts, listeners, mapped }, index, peerOf) =>
    (name) => {
      const listener = listeners.find((candidate) => candidate.name === name)!;
      const sourceOf = createSourceOf(mapped, index['mapped-fallback']);
      return GATES[listener.protocol](buildHostTable(hosts, listener), index, peerOf, sourceOf);
    },
});
