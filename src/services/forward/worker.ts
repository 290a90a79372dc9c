/** The forwarder's worker thread: the port selects the server, and no byte is inspected. */
import type { FoundWays } from '../../net/found-ways.ts';
import type { AccessLevelId } from '../../net/access-record.ts';
import { type Gate, RESET, type Route } from '../../net/gate.ts';
import { createSourceOf } from '../../net/mapped-source.ts';
import { createServerAddresses } from '../../net/server-addresses.ts';
import { runTcpWorker } from '../../net/tcp-worker.ts';
import { compileTrusted } from '../../net/trusted-proxies.ts';
import { parseIpPrefix } from '../../wire/ip-prefix.ts';
import { type HostAccess, mayReach } from '../host-access.ts';
import { type MappedConfig, probeAddress, withoutCounterOf } from '../mapped.ts';
import { forwardCounterTable } from './counters.ts';

export interface ForwardTarget {
  /** sockaddr_in6 of the server's SSH port; several if it has several addresses. */
  readonly addresses: readonly Uint8Array[];
  readonly isRoundRobin: boolean;
  readonly access: HostAccess;
  /** Nobody is led there for now. */
  readonly maintenance: boolean;
  readonly accessLog: AccessLevelId;
}

export interface ForwardWorkerConfig {
  /** By listener name. */
  readonly targets: Readonly<Record<string, ForwardTarget>>;
  /** With the names of the servers that see mapped addresses. */
  readonly mapped?: MappedConfig & {
    readonly servers: readonly string[];
    readonly foundWays: FoundWays;
  };
  /** Prefixes: connections from there begin with a PROXY header. */
  readonly trustedProxies: readonly string[];
}

runTcpWorker<ForwardWorkerConfig, typeof forwardCounterTable>({
  counterTable: forwardCounterTable,
  createGates: ({ targets, mapped, trustedProxies }, index, peerOf) => {
    const trusted = compileTrusted(trustedProxies.flatMap((text) => parseIpPrefix(text) ?? []));
    const notAllowed = { ...RESET, counter: index['refused-not-allowed'] };
    const maintenance = { ...RESET, counter: index['refused-maintenance'] };
    return (name): Gate => {
      const target = targets[name];
      const { addresses, isRoundRobin } = target;
      const route: Route = {
        server: name,
        serverAddress: addresses[0],
        addresses: addresses.length === 1 ? undefined : createServerAddresses(addresses, isRoundRobin),
        preamble: null,
      };
      const gate: Gate = {
        trusted,
        begin: null,
        route,
        accessLog: target.accessLog,
        refuses(clientFd) {
          if (target.access !== null && !mayReach(target.access, peerOf(clientFd)?.address))
            return notAllowed;
          return target.maintenance ? maintenance : null;
        },
        // The client gets a reset, as if the server itself had refused.
        serverFailed: () => RESET,
      };
      if (mapped?.servers.includes(name) !== true) return gate;
      const withoutCounter = withoutCounterOf(mapped, index['mapped-fallback']);
      const sourceOf = createSourceOf(probeAddress(mapped), withoutCounter, mapped.foundWays);
      return {
        ...gate,
        routeFor(clientFd) {
          const client = peerOf(clientFd);
          return { ...route, source: client && sourceOf(client) };
        },
      };
    };
  },
});
