/** Assembles the diagnostics for this machine, or for a simulated one in tests. */
import { addressesOf } from '../../config/host-services.ts';
import type { AskHttps, ProbeTarget } from '../../services/check.ts';
import { prefixesOf } from '../../services/configured.ts';
import { upstreamServers } from '../../config/resolvers.ts';
import type { Config, HostConfig } from '../../config/schema.ts';
import type { ConnectionFound } from '../../net/connection-event.ts';
import { compileOurselves, isOwnAddress } from '../../os/ourselves.ts';
import { english, listOf } from '../../texts/text.ts';
import type { HealthFound as HealthChange } from '../../runtime/own-events.ts';
import type { AddressHealthFound } from '../../runtime/address-health.ts';
import { type HostTraffic, sumHosts } from '../../runtime/host-traffic.ts';
import type { ServiceReport } from '../../runtime/report.ts';
import { parseIpv6 } from '../../wire/ip-address.ts';
import type { NeighboursAnswer } from '../contract/checks.ts';
import type { HealthFound, HostFound, ProbeFound, PublicIpv4Found } from './found.ts';
import { sshConfigSnippet } from '../routes/ssh-config.ts';
import { addressChecks, withChecks } from './address-checks.ts';
import { askHttps } from './ask-https.ts';
import { runInTurn } from './background.ts';
import type { Check } from './check.ts';
import { CHECKS } from './checks/table.ts';
import type { Diagnostics, DiagnosticsDeps } from './diagnostics.ts';
import { recordsToPublish } from './dns-records.ts';
import { startHealthMonitor } from './health.ts';
import { type Machine, linuxMachine } from '../../os/machine.ts';
import { type NeighbourDeps, avahiName, isPortOpen, listNeighbours, probeNeighbours } from './neighbours.ts';
import { createPublicIpv4Finder, describeNetwork, lookUpRecords } from './network.ts';
import { OF_SERVICES, planProbes } from './of-services.ts';
import { lastSeenFromOutside } from './outside.ts';
import { ownAddressReport, probeTarget } from './probe.ts';
import { type CheckRunner, createCheckRunner } from './run-checks.ts';

const PROBE_TIMEOUT_MS = 5000;
/** For a question over HTTPS: connection, handshake and answer. */
const ASK_TIMEOUT_MS = 3 * PROBE_TIMEOUT_MS;
/** More than the log keeps. */
const MAX_CONNECTIONS_SEEN = 10_000;

export interface EngineEdges {
  readonly machine: Machine;
  readonly probe: (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeFound[]>;
  readonly askHttps: AskHttps;
  readonly mdnsName: NeighbourDeps['mdnsName'];
  readonly isOpen: NeighbourDeps['isOpen'];
  readonly now: () => Date;
  readonly monotonicMs: () => number;
}

/** What the services know of the servers, by name. */
interface SeenByServices {
  readonly traffic: ReadonlyMap<string, HostTraffic>;
  readonly checks: ReadonlyMap<string, readonly AddressHealthFound[]>;
}

const seenBy = (reports: readonly ServiceReport[]): SeenByServices => ({
  traffic: sumHosts(reports),
  checks: addressChecks(reports),
});

type LoggedConnection = ConnectionFound & { readonly at: string };

const now = () => new Date();

const LINUX: EngineEdges = {
  machine: linuxMachine,
  probe: (target, signal) => probeTarget(target, { now: now(), signal, timeoutMs: PROBE_TIMEOUT_MS }),
  askHttps: (target, hostname, authority) =>
    askHttps(target, hostname, authority, {
      now: now(),
      signal: AbortSignal.timeout(ASK_TIMEOUT_MS),
      timeoutMs: PROBE_TIMEOUT_MS,
    }),
  mdnsName: (address) => avahiName(address),
  isOpen: isPortOpen,
  now,
  monotonicMs: () => performance.now(),
};

export function createEngine(deps: DiagnosticsDeps, edges: EngineEdges = LINUX): Diagnostics {
  const { store, services, sshPorts, queries, stateDirectory, log } = deps;
  const { machine } = edges;
  const findPublicIpv4 = createPublicIpv4Finder(machine, edges.monotonicMs);
  const onError = (err: unknown) => log.error({ err }, 'diagnostics: could not look');
  const isOwn = (address: string) =>
    isOwnAddress(compileOurselves(machine.own(), prefixesOf(store.current)), address);
  const health = startHealthMonitor({
    onError,
    hosts: () => store.current.hosts.map((host) => ({ host, targets: planProbes(store.current, host) })),
    probe: async (target, signal) =>
      isOwn(target.address) ? [ownAddressReport(target)] : edges.probe(target, signal),
    now: edges.now,
    monotonicMs: edges.monotonicMs,
    onChange: (server, found, before) => reportChange(deps, edges, server, found, before),
  });
  const runner = createCheckRunner({
    onError,
    onFound: () => background.measured(),
    checks: CHECKS,
    now: edges.now,
    revision: () => store.revision,
    deps: () => {
      const config = store.current;
      return {
        machine,
        config,
        services: services(),
        sshPorts: sshPorts(),
        queries,
        askHttps: async (target, ...names) =>
          isOwn(target.address) ? undefined : edges.askHttps(target, ...names),
        stateDirectory,
        now: edges.now(),
        seenFromOutside: async () => lastSeenFromOutside(connections(), await machine.interfaces()),
        publicIpv4: once(() => findPublicIpv4(config)),
        probe: onceEach(async (name) => (await health.check(name)) ?? health.report(name)),
      };
    },
  });
  const background = watchCheapChecks(deps, runner, onError);
  const connections = () => lastConnections(deps);
  const neighbourDeps = (): NeighbourDeps => ({ ...edges, config: store.current });
  /** The probe under way: requests that come meanwhile get the same answer. */
  let neighboursProbed: Promise<NeighboursAnswer> | undefined;
  const hostNamed = (name: string) => store.current.hosts.find((host) => host.name === name);

  const describe = (
    host: HostConfig,
    address: PublicIpv4Found,
    { traffic, checks }: SeenByServices,
  ): HostFound => {
    const path = machine.pathTo(parseIpv6(host.address) ?? new Uint8Array(16));
    const sshPort = sshPorts()[host.name] ?? null;
    const own = address.address ?? 'YOUR-PUBLIC-IPV4-ADDRESS';
    return {
      name: host.name,
      address: host.address,
      addresses: addressesOf(host),
      enabled: host.enabled,
      maintenance: host.maintenance,
      hostnames: [...host.hostnames],
      clientAddress: host.clientAddress,
      health: withChecks(health.report(host.name), checks.get(host.name) ?? []),
      healthChecks: checks.get(host.name) ?? [],
      traffic: traffic.get(host.name) ?? null,
      sshPort,
      sshConfig: sshPort === null ? null : sshConfigSnippet(host.name, own, sshPort),
      dnsRecords: recordsToPublish(host, address),
      snippets: 'problem' in path ? [] : snippetsFor(store.current, host, path.source),
    };
  };

  return {
    async hosts() {
      health.watch();
      const publicIpv4 = await findPublicIpv4(store.current);
      const seen = seenBy(services());
      return { publicIpv4, hosts: store.current.hosts.map((host) => describe(host, publicIpv4, seen)) };
    },
    async checkHost(name) {
      health.watch();
      await health.check(name);
      const host = hostNamed(name);
      return host && describe(host, await findPublicIpv4(store.current), seenBy(services()));
    },
    async dnsRecords(name) {
      const host = hostNamed(name);
      if (host === undefined) return undefined;
      const config = store.current;
      const publicIpv4 = await findPublicIpv4(config);
      return {
        records: await lookUpRecords(machine, config, host, publicIpv4),
        publicIpv4,
        resolver: upstreamServers(config)
          .map(({ text }) => text)
          .join(', '),
        checkedAt: edges.now().toISOString(),
      };
    },
    async checks() {
      health.watch();
      runner.refresh();
      return runner.answer();
    },
    runChecks: (id) => runner.run(id),
    network: async () =>
      describeNetwork(machine, store.current, sshPorts(), await findPublicIpv4(store.current)),
    neighbours: () => listNeighbours(neighbourDeps()),
    probeNeighbours() {
      return (neighboursProbed ??= probeNeighbours(neighbourDeps()).finally(() => {
        neighboursProbed = undefined;
      }));
    },
    [Symbol.dispose]() {
      background[Symbol.dispose]();
      health[Symbol.dispose]();
    },
  };
}

const lastConnections = ({ live }: DiagnosticsDeps) =>
  live.events
    .page({ kinds: ['connection'] }, undefined, MAX_CONNECTIONS_SEEN)
    .events.map((event) => event as unknown as LoggedConnection);

const snippetsFor = (config: Config, host: HostConfig, source: string) =>
  OF_SERVICES.flatMap(({ snippets }) => snippets?.(config, host, source) ?? []);

function reportChange(
  { live, log }: DiagnosticsDeps,
  edges: EngineEdges,
  server: string,
  health: HealthFound,
  before: HealthFound,
): void {
  const { state, probes } = health;
  // A server that is well at the first measurement is not reported.
  if (before.state === 'unknown' && state === 'ok') return;
  live.events.put(healthEvent(server, health, before), edges.now().getTime());
  const details = probes
    .filter((probe) => probe.state !== 'ok')
    .map((each) => `${each.service}: ${english(each.detail)}`);
  if (state === 'ok') log.info({ server }, 'health: the server is well again');
  else log.warn({ server, state, details }, 'health: the server is not well');
}

/** Cheap checks run automatically; what they find is a problem of the appliance. */
function watchCheapChecks(
  { store, conditions, network }: DiagnosticsDeps,
  runner: CheckRunner,
  onError: (err: unknown) => void,
): Disposable & { measured(): void } {
  const cheap = CHECKS.filter(({ isCheap }) => isCheap !== undefined);
  const isDone = ({ isCheap }: Check) => isCheap === true || isCheap?.(store.current) === true;
  /** Health is the measured state: each failure is a problem of the appliance. It is known when each check has run once. */
  function measured(): void {
    const failures = cheap.map((check) => ({
      id: check.id,
      found: isDone(check) ? runner.failures(check) : [],
    }));
    for (const { id, found = [] } of failures)
      conditions?.set('checks', id, found.length === 0 ? undefined : listOf(found, ' '));
    if (failures.some(({ found }) => found === undefined)) return;
    const failing = failures.filter(({ found = [] }) => found.length > 0).length;
    conditions?.setMeasured('checks', { checks: cheap.length, failing });
  }
  const inTurn = runInTurn(
    cheap.map((check) => async () => {
      if (!isDone(check)) return false;
      await runner.runAlone(check);
      return runner.hasFailed(check);
    }),
    onError,
  );
  const following = network?.onNetworkChange(() => inTurn.lookSoon());
  return {
    measured,
    [Symbol.dispose]() {
      following?.[Symbol.dispose]();
      inTurn[Symbol.dispose]();
    },
  };
}

/** The state comes from the worst probe; among equally bad ones, the first. A failure that costs nothing is a warning. */
function healthEvent(server: string, { state, probes }: HealthFound, before: HealthFound): HealthChange {
  const decisive =
    state === 'ok'
      ? undefined
      : (probes.find((probe) => probe.state === state) ?? probes.find((probe) => probe.state !== 'ok'));
  return {
    kind: 'health',
    server,
    address: null,
    state,
    before: before.state,
    probe: decisive?.name ?? null,
    service: decisive?.service ?? null,
    port: decisive?.port ?? null,
    hostname: decisive?.hostname ?? null,
    detail: decisive?.detail ?? null,
    failing: probes.filter((probe) => probe.state !== 'ok').length,
  };
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => (answer ??= ask());
}

function onceEach(ask: (name: string) => Promise<HealthFound>): (name: string) => Promise<HealthFound> {
  const answers = new Map<string, Promise<HealthFound>>();
  return (name) => {
    const answer = answers.get(name) ?? ask(name);
    answers.set(name, answer);
    return answer;
  };
}
