/**
 * The diagnostics of the control panel: health of the servers, "check my setup", the network as found, neighbours. The code is
 * loaded at the first request, or when the first probe is due.
 */
import type { ConfigStore } from '../../config/store.ts';
import type { FollowedNetwork } from '../../os/follow-ourselves.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Conditions } from '../../runtime/conditions.ts';
import type { ServiceReport } from '../../runtime/report.ts';
import type { EventLog } from '../../state/event-log.ts';
import type { NeighboursAnswer } from '../contract/checks.ts';
import type { ChecksFound, DnsRecordsFound, HostFound, HostsFound, NetworkFound } from './found.ts';

export interface DiagnosticsDeps {
  readonly store: ConfigStore;
  readonly services: () => readonly ServiceReport[];
  readonly sshPorts: () => Readonly<Record<string, number>>;
  /** The queries of a running service. */
  readonly queries: (service: string) => unknown;
  readonly live: { readonly events: Pick<EventLog, 'page' | 'put'> };
  readonly stateDirectory: string;
  /** Where the automatic checks report what they measure. */
  readonly conditions?: Conditions | undefined;
  /** After a change of the network, the automatic checks run soon. */
  readonly network?: FollowedNetwork | undefined;
  readonly log: Logger;
}

/** Answers are undefined if there is no such server or check. */
export interface Diagnostics extends Disposable {
  hosts(): Promise<HostsFound>;
  checkHost(name: string): Promise<HostFound | undefined>;
  dnsRecords(name: string): Promise<DnsRecordsFound | undefined>;
  checks(): Promise<ChecksFound>;
  runChecks(id?: string): Promise<ChecksFound | undefined>;
  network(): Promise<NetworkFound>;
  neighbours(): Promise<NeighboursAnswer>;
  probeNeighbours(): Promise<NeighboursAnswer>;
}

/** Health is measured and checks run even if no page is open, but not while the appliance starts. */
const FIRST_PROBES_AFTER_MS = 120_000;

/** Costs nothing until it is used, or two minutes have passed. */
export function startDiagnostics(deps: DiagnosticsDeps): Diagnostics {
  let loaded: Promise<Diagnostics> | undefined;
  let isDisposed = false;
  const load = (): Promise<Diagnostics> => {
    loaded ??= import('./engine.ts').then(({ createEngine }) => {
      const engine = createEngine(deps);
      if (isDisposed) engine[Symbol.dispose]();
      return engine;
    });
    return loaded;
  };
  const timer = setTimeout(() => {
    load().catch((err: unknown) => deps.log.error({ err }, 'diagnostics: could not start to probe servers'));
  }, FIRST_PROBES_AFTER_MS).unref();
  return {
    hosts: async () => (await load()).hosts(),
    checkHost: async (name) => (await load()).checkHost(name),
    dnsRecords: async (name) => (await load()).dnsRecords(name),
    checks: async () => (await load()).checks(),
    runChecks: async (id) => (await load()).runChecks(id),
    network: async () => (await load()).network(),
    neighbours: async () => (await load()).neighbours(),
    probeNeighbours: async () => (await load()).probeNeighbours(),
    [Symbol.dispose]() {
      isDisposed = true;
      clearTimeout(timer);
      void loaded?.then((engine) => engine[Symbol.dispose]()).catch(() => {});
    },
  };
}
