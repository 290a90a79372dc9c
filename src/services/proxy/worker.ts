/** The proxy's worker thread. */
import type { HostConfig, ListenerConfig } from '../../config/schema.ts';
import { runTcpWorker } from '../../net/tcp-worker.ts';
import { proxyCounterTable } from './counters.ts';
import { type HostTableOptions, buildHostTable } from './host-table.ts';
import { createHttpGate } from './http-gate.ts';
import { createTlsGate } from './tls-gate.ts';

export interface ProxyWorkerConfig extends HostTableOptions {
  readonly hosts: readonly HostConfig[];
}

/** What picks the server, by the listener's protocol. */
const GATES = { http: createHttpGate, tls: createTlsGate } satisfies Record<
  ListenerConfig['protocol'],
  unknown
>;

runTcpWorker<ProxyWorkerConfig, typeof proxyCounterTable>({
  counterTable: proxyCounterTable,
  createGates:
    ({ hosts, ...options }, index, peerOf) =>
    (name) => {
      const listener = options.listeners.find((candidate) => candidate.name === name)!;
      return GATES[listener.protocol](buildHostTable(hosts, listener, options), index, peerOf);
    },
});
