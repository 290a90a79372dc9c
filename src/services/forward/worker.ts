/** The forwarder's worker thread: the port selects the server, and no byte is inspected. */
import { type Gate, RESET, type Route } from '../../net/gate.ts';
import { createSourceOf } from '../../net/mapped-source.ts';
import { runTcpWorker } from '../../net/tcp-worker.ts';
import { type MappedConfig, probeAddress, withoutCounterOf } from '../mapped.ts';
import { forwardCounterTable } from './counters.ts';

export interface ForwardWorkerConfig {
  /** sockaddr_in6 of each server's SSH port, by listener name. */
  readonly targets: Readonly<Record<string, Uint8Array>>;
  /** With the names of the servers that see mapped addresses. */
  readonly mapped?: MappedConfig & { readonly servers: readonly string[] };
}

runTcpWorker<ForwardWorkerConfig, typeof forwardCounterTable>({
  counterTable: forwardCounterTable,
  createGates:
    ({ targets, mapped }, index, peerOf) =>
    (name): Gate => {
      const route: Route = {
        server: name,
        serverAddress: targets[name],
        preamble: null,
        uploadBytes: -1,
        oneExchange: false,
      };
      // The client gets a reset, as if the server itself had refused.
      const gate: Gate = { begin: null, route, serverFailed: () => RESET };
      if (mapped?.servers.includes(name) !== true) return gate;
      const withoutCounter = withoutCounterOf(mapped, index['mapped-fallback']);
      const sourceOf = createSourceOf(probeAddress(mapped), withoutCounter);
      return {
        ...gate,
        routeFor(clientFd) {
          const client = peerOf(clientFd);
          return { ...route, source: client && sourceOf(client) };
        },
      };
    },
});
