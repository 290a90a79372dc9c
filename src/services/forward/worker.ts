/** The forwarder's worker thread: a port leads to a server, no byte is looked at. */
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
      // A reset is what the client would have got from the server's own refusal.
      serverFailed: () => RESET,
    }),
});
