/** The composition root: the only file that knows every room. */
import type { ConfigChanges } from './config/changes.ts';
import type { Config } from './config/schema.ts';
import type { ConfigStore } from './config/store.ts';
import { failWorkerOf, reconfigureAll, servicesOf, sshPortsOf } from './app-services.ts';
import { explainersOf } from './explainers.ts';
import { consoleState, keepConsoleFile } from './admin/console-file.ts';
import { type AdminOptions, startAdmin } from './admin/server.ts';
import type { Conditions } from './runtime/conditions.ts';
import type { EventSink } from './runtime/events.ts';
import { watchLimits } from './runtime/limits.ts';
import type { Logger } from './runtime/log.ts';
import type { ServiceContext } from './runtime/service.ts';
import type { ServiceReport } from './runtime/report.ts';
import { ServiceSlot } from './runtime/service-slot.ts';
import type { Storage } from './runtime/storage.ts';
import { SERVICES } from './services/all.ts';
import { prefixesOf } from './services/configured.ts';
import { join } from 'node:path';
import { applianceActions } from './os/appliance-actions.ts';
import { followOurselves } from './os/follow-ourselves.ts';
import { EVENT_KINDS } from './state/event-kinds.ts';
import { createEventLog } from './state/event-log.ts';
import { createHostSampler, createSampler } from './state/figures.ts';
import { openHistoryFile } from './state/history-file.ts';
import { HISTORY_SERIES } from './state/history-series.ts';
import { type History, startHistory } from './state/history.ts';
import type { LogRing } from './state/log-ring.ts';
import type { HardwareSource } from './state/hardware.ts';
import { type Machine, openMachine } from './state/machine.ts';
import { serverNames } from './state/server-names.ts';
import { watchOwnAddresses } from './state/own-address-watch.ts';
import { watchServices } from './state/service-watch.ts';

export interface AppOptions {
  readonly store: ConfigStore;
  readonly changes: ConfigChanges;
  readonly configPath: string;
  /** For data that must survive a restart. */
  readonly storage: Storage;
  readonly conditions: Conditions;
  readonly version: string;
  readonly log: Logger;
  /** The recent log. */
  readonly logs: LogRing;
  /** Ends the process in order, so that its supervisor starts it again; undefined if there is no supervisor. */
  readonly restart: (() => void) | undefined;
}

export interface App extends AsyncDisposable {
  reports(): ServiceReport[];
  /**
   * Call before disposal: accepts no new work, and resolves when open work has finished or `signal` aborts. NAT64 translates
   * until it is disposed.
   */
  drain(signal: AbortSignal): Promise<void>;
  /** Test hook: makes the worker thread of a service throw. Throws if no running service has this name. */
  failWorker(serviceName: string): void;
}

const HISTORY_FILE = 'history.sqlite';
/** The parsers for the files of services in a backup. */
const PARSERS = Object.fromEntries(
  SERVICES.flatMap(({ files = {} }) =>
    Object.entries(files).map(([name, parse]) => [`state/${name}`, parse]),
  ),
);

/** Reports problems with files as conditions and in the timeline. */
function reportFiles({
  store,
  storage,
  conditions,
  events,
}: Pick<AppOptions, 'store' | 'storage' | 'conditions'> & { readonly events: EventSink }): void {
  store.onFileProblem((problem) => {
    conditions.set('configuration', 'file', problem);
    if (problem === undefined) return;
    events.put({ kind: 'notice', service: 'configuration', severity: 'warn', text: problem }, Date.now());
  });
  storage.onNotice((notice) => events.put({ kind: 'notice', service: 'storage', ...notice }, Date.now()));
}

/** How soon a part's problem is in the timeline. */
const WATCH_MS = 2000;

/** Starts every service and the admin page. A service that cannot start is reported and retried; the others run. */
export async function startApp(options: AppOptions): Promise<App> {
  const { store, changes, storage, conditions, log } = options;
  const stateDirectory = storage.directory;
  const startedAt = new Date();
  await using started = new AsyncDisposableStack();
  const events = started.use(
    createEventLog({ kinds: EVENT_KINDS, serverAt: serverNames(() => store.current.hosts) }),
  );
  reportFiles({ store, storage, conditions, events });
  const config = store.current;
  const ourselves = started.use(followOurselves(prefixesOf(config)));
  const context: ServiceContext = {
    log,
    stateDirectory,
    runtimeDirectory: process.env['RUNTIME_DIRECTORY'],
    ourselves,
    events,
    conditions,
    storage,
  };
  const ownAddresses = started.use(
    watchOwnAddresses({ ourselves, config: () => store.current, conditions, log }),
  );
  for (const { prepare } of SERVICES) {
    if (prepare !== undefined) started.use(await prepare(context));
  }
  const services = servicesOf(config, context);
  const slots = services.map((each) => each.slot);
  const running = (name: string) => slots.find((each) => each.name === name)?.service;

  for (const each of slots) started.use(each);
  await Promise.all(slots.map((each) => each.start()));

  const own = () => ourselves.current.own;
  const explainers = (of: Config, isLive: boolean) => explainersOf(of, isLive, { own, running });
  changes.onAssess(async (next) => {
    if (next.assertions.length === 0) return [];
    const { assess } = await import('./admin/explain/assertions.ts');
    return assess(next, await explainers(next, false));
  });

  /** The page is added last, and reads this list itself. The history takes its first sample before that. */
  const ofAdmin: { report(): ServiceReport }[] = [];
  const reports = (): ServiceReport[] => [
    ...slots.map((each) => each.report()),
    ...conditions.reports(),
    ...ofAdmin.map((each) => each.report()),
  ];
  const machine = openMachine();
  const noteServices = watchServices(events);
  const history = started.use(recordFigures(reports, machine, noteServices, storage, log));
  const stopping = new AbortController();
  const admin = panelSlot(
    options,
    {
      explainers,
      services: reports,
      sshPorts: () => sshPortsOf(services),
      queries: (name) => running(name)?.queries,
      network: ourselves,
      live: { events, noteServices, history, machine, stopping: stopping.signal },
      startedAt,
    },
    context,
  );
  ofAdmin.push(admin);
  started.use(admin);
  await admin.start();
  await keepScreen(started, () => admin.service !== undefined, reports, context);
  const watch = setInterval(() => noteServices(reports(), Date.now()), WATCH_MS).unref();
  started.defer(() => clearInterval(watch));
  started.defer(() => stopping.abort());
  const parts = [...slots, admin];
  started.use(
    watchLimits(
      () => Object.fromEntries(parts.map(({ name, service }) => [name, service?.limits?.() ?? []])),
      conditions,
      (service, text) => events.put({ kind: 'notice', service, severity: 'warn', text }, Date.now()),
    ),
  );

  const reconfigure = async (of: Config) => {
    ourselves.setPrefixes(prefixesOf(of));
    ownAddresses.look(of);
  };
  store.onChange((next, previous) => reconfigureAll([{ reconfigure }, ...parts], next, previous, log));

  const stack = started.move();
  return {
    reports,
    async drain(signal) {
      stopping.abort();
      await Promise.all(parts.map((each) => each.drain(signal)));
    },
    failWorker: (serviceName) => failWorkerOf(serviceName, running(serviceName)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

type PanelDeps = Parameters<typeof startAdmin>[1];

/** The control panel in its slot. */
function panelSlot(
  { store, changes, configPath, storage, version, logs, restart }: AppOptions,
  deps: Omit<PanelDeps, 'store' | 'changes' | 'version' | 'live'> & {
    readonly live: Pick<PanelDeps['live'], 'events' | 'noteServices' | 'history' | 'machine' | 'stopping'>;
  },
  context: ServiceContext,
) {
  const stateDirectory = storage.directory;
  const live = {
    ...deps.live,
    hardware: hardwareFinder(),
    logs,
    places: { configPath, stateDirectory },
    unwritten: (name: string) => storage.file(name).unwritten,
    parsers: PARSERS,
    actions: applianceActions(process.env, stateDirectory),
    restart,
  };
  return new ServiceSlot(
    'admin',
    ({ admin }: Config) => ({ admin }),
    (adminOptions: AdminOptions, adminContext) =>
      startAdmin(adminOptions, { ...deps, store, changes, version, live }, adminContext),
    store.current,
    context,
  );
}

/** Finds the hardware of the machine: a separate program, started at the first request. */
function hardwareFinder(): HardwareSource['find'] {
  let hardware: Promise<HardwareSource> | undefined;
  return async () => {
    hardware ??= import('./state/hardware.ts').then(({ createHardware }) => createHardware());
    return (await hardware).find();
  };
}

/** Without the panel, the screen still shows all problems, including those of the panel itself. */
async function keepScreen(
  started: AsyncDisposableStack,
  hasPanel: () => boolean,
  reports: () => ServiceReport[],
  { runtimeDirectory, stateDirectory, log }: ServiceContext,
): Promise<void> {
  const content = () =>
    hasPanel()
      ? undefined
      : { urls: [], claim: null, certificateFingerprint: null, ...consoleState(reports()) };
  const screen = started.use(keepConsoleFile(runtimeDirectory ?? stateDirectory, content, log));
  await screen.refresh();
}

/** Samples the figures of all parts, and stores them. */
function recordFigures(
  reports: () => ServiceReport[],
  machine: Machine,
  noteServices: ReturnType<typeof watchServices>,
  storage: Storage,
  log: Logger,
): History {
  const sample = createSampler(reports, machine);
  const series = Object.keys(HISTORY_SERIES);
  return startHistory({
    series,
    sample(nowMs) {
      noteServices(reports(), nowMs);
      return sample(nowMs);
    },
    sampleHosts: createHostSampler(reports),
    async openFile() {
      storage.assertOurs();
      return openHistoryFile(join(storage.directory, HISTORY_FILE), series, storage);
    },
    onTrouble: (error) => storage.note(HISTORY_FILE, 'write', error),
    log,
  });
}
