/** The proxy's worker thread. */
import type { HostConfig, ListenerConfig } from '../../config/schema.ts';
import { createSourceOf } from '../../net/mapped-source.ts';
import { runTcpWorker } from '../../net/tcp-worker.ts';
import { type MappedConfig, probeAddress, withoutCounterOf } from '../mapped.ts';
import { proxyCounterTable } from './counters.ts';
import { type HostTableOptions, buildHostTable } from './host-table.ts';
import { createHttpGate } from './http-gate.ts';
import { createTlsGate } from './tls-gate.ts';

export interface ProxyWorkerConfig extends HostTableOptions {
  readonly hosts: readonly HostConfig[];
  readonly mapped: MappedConfig;
}

/** What picks the server, by the listener's protocol. */
const GATES = { http: createHttpGate, tls: createTlsGate } satisfies Record<
  ListenerConfig['protocol'],
  unknown
>;

runTcpWorker<ProxyWorkerConfig, typeof proxyCounterTable>({
  counterTable: proxyCounterTable,
  createGates:
    ({ hosts, mapped, ...options }, index, peerOf) =>
    (name) => {
      const listener = options.listeners.find((candidate) => candidate.name === name)!;
      const table = buildHostTable(hosts, listener, options);
      const withoutCounter = withoutCounterOf(mapped, index['mapped-fallback']);
      const sourceOf = createSourceOf(probeAddress(mapped), withoutCounter);
      return GATES[listener.protocol](table, index, peerOf, sourceOf);
    },
});
