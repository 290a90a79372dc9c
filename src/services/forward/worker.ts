/** The forwarder's worker thread: the port selects the server, and no byte is inspected. */
import { RESET } from '../../net/gate.ts';
import { runTcpWorker } from '../../net/tcp-worker.ts';
import { forwardCounterTable } from './counters.ts';

export interface ForwardWorkerConfig {
  /** sockaddr_in6 of each server's SSH port, by listener name. */
  readonly targets: Readonly<Record<string, Uint8Array>>;
}

runTcpWorker<ForwardWorkerConfig, typeof forwardCounterTable>({
  counterTable: forwardCounterTable,
  createGates:
    ({ targets }) =>
    (name) => ({
      begin: null,
      route: {
        server: name,
        serverAddress: targets[name],
        preamble: null,
        uploadBytes: -1,
        oneExchange: false,
      },
      // The client gets a reset, as if the server itself had refused.
      serverFailed: () => RESET,
    }),
});
