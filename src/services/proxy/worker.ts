/** The proxy's worker thread. */
import type { HostConfig, ListenerConfig } from '../../config/schema.ts';
import { runTcpWorker } from '../../net/tcp-worker.ts';
import { proxyCounterTable } from './counters.ts';
import { buildHostTable } from './host-table.ts';
import { createHttpGate } from './http-gate.ts';
import { createTlsGate } from './tls-gate.ts';

export interface ProxyWorkerConfig {
  readonly hosts: readonly HostConfig[];
  readonly listeners: readonly ListenerConfig[];
}

runTcpWorker<ProxyWorkerConfig, typeof proxyCounterTable>({
  counterTable: proxyCounterTable,
  createGates:
    ({ hosts, listeners }, index, peerOf) =>
    (name) => {
      const listener = listeners.find((candidate) => candidate.name === name)!;
      const table = buildHostTable(hosts, listener);
      const createGate = listener.protocol === 'tls' ? createTlsGate : createHttpGate;
      return createGate(table, index, peerOf);
    },
});
