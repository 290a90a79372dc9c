/** The worker thread of a TCP service: the engine in a supervised loop. */

import { formatSocketAddress } from '../os/socket-address.ts';
import type { Ourselves } from '../os/ourselves.ts';
import { type CounterTable, createCounters } from '../runtime/counters.ts';
import { MAX_WAIT_MS, workerThread } from '../runtime/worker-thread.ts';
import { createAdmission } from './admission.ts';
import { type AdmissionSeed, MAX_WORKERS, attachAdmission } from './admission-memory.ts';
import { numberConnections } from './connection.ts';
import { tcpGaugeTable, type TcpCounters } from './counters.ts';
import type { ConnectionTimeouts } from './timeouts.ts';
import { createByteWriter } from '../runtime/byte-ring.ts';
import { createAccessWriter } from './access-log.ts';
import { createTcpEngine } from './engine.ts';
import { type TcpEvents, createTcpEvents } from './events.ts';
import type { Gate, Awaited } from './gate.ts';
import { createHolders } from './holders.ts';
import { createHostCounters } from './host-slots.ts';
import type { OpenListener } from './listen.ts';

/** The state that the worker has to apply. */
export interface TcpPlaneState<Config> {
  /** Counts up with each change; the worker reports the one it has applied. */
  readonly generation: number;
  readonly limits: ConnectionTimeouts;
  /** The process is about to end: open connections may finish, and then the worker reports it. */
  readonly isDraining: boolean;
  /** What this worker is for: `new` does not accept yet; `leaving` no longer accepts, and ends after its last connection. */
  readonly role: 'new' | 'serving' | 'leaving';
  /** How many workers there are, and whether another one uses the shared memory. */
  readonly workers: number;
  readonly isShared: boolean;
  readonly ourselves: Ourselves;
  readonly listeners: readonly OpenListener[];
  /** Slot numbers by server name. */
  readonly hostSlots: Readonly<Record<string, number>>;
  readonly config: Config;
}

/** What the service's main thread tells its worker beside the state. */
export interface Told {
  readonly told: unknown;
}

export interface TcpWorkerInit<Config> {
  readonly state: TcpPlaneState<Config>;
  /** The number of this worker. */
  readonly worker: number;
  readonly admission: AdmissionSeed;
  readonly counters: SharedArrayBuffer;
  readonly gauges: SharedArrayBuffer;
  readonly hosts: SharedArrayBuffer;
  readonly holders: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
  /** For records of the access log. */
  readonly access: SharedArrayBuffer;
}

export type FromTcpWorker =
  /** A generation has been applied: sockets that are not in it no longer accept. */
  | { readonly kind: 'applied'; readonly generation: number }
  /** A listening socket is permanently broken, and no longer accepts. */
  | { readonly kind: 'broken'; readonly fd: number; readonly code: number }
  /** The service's worker asks its main thread. */
  | { readonly kind: 'asked'; readonly question: unknown }
  /** While draining: no connection is open and no client waits. Sent again if one came afterwards from another worker. */
  | { readonly kind: 'drained' };

/** How long a turn may wait while draining, so that the end is noticed soon. */
const DRAIN_WAIT_MS = 20;

/**
 * What a service adds: `createGates` builds the gate for each listener name, from the service's own configuration. `peerOf`
 * returns the address of the client of a descriptor.
 */
export interface TcpWorkerOptions<Config, Table extends CounterTable> {
  readonly counterTable: Table;
  readonly createGates: (
    config: Config,
    index: { readonly [Name in keyof Table]: number },
    peerOf: TcpEvents['peerOf'],
    means: GateMeans,
  ) => GateOf;
  /** The main thread has told something. `resume` continues connections that waited for it. */
  readonly onTold?: (told: unknown, resume: (awaited: Awaited) => void) => void;
}

/** What gates may use beside their configuration. */
export interface GateMeans {
  /** The counters of the service. */
  readonly values: Float64Array;
  /** Own addresses, which are never dialled. */
  readonly ourselves: Ourselves;
  /** Asks the service's main thread. */
  ask(question: unknown): void;
}

/** The gate of a listener, by its name. */
export type GateOf = (listenerName: string) => Gate;

/** Runs until the supervisor requests a stop; call it as the last statement of the worker's entry module. */
export function runTcpWorker<Config, Table extends CounterTable>({
  counterTable,
  createGates,
  onTold,
}: TcpWorkerOptions<Config, Table>): void {
  const thread = workerThread<TcpWorkerInit<Config>, TcpPlaneState<Config> | Told, FromTcpWorker>();
  const { init, ledger, wakeFd } = thread;
  const counters = createCounters(counterTable, init.counters);
  const gauges = createCounters(tcpGaugeTable, init.gauges);
  gauges.values.fill(0);
  const hosts = createHostCounters(init.hosts);
  const events = createTcpEvents(init.events);
  const tcpCounters = counters as unknown as TcpCounters;
  const engine = createTcpEngine({
    ledger,
    counters: tcpCounters,
    gauges,
    hosts,
    events,
    access: createAccessWriter(createByteWriter(init.access), tcpCounters, events),
    admission: createAdmission(attachAdmission(init.admission), init.worker, init.state.isShared),
    holders: createHolders(init.holders),
    wakeFd,
    onBrokenListener: (fd, code) => thread.post({ kind: 'broken', fd, code }),
  });

  numberConnections(init.worker, MAX_WORKERS);
  let isDraining = false;
  let isDrained = false;

  const ask = (question: unknown) => thread.post({ kind: 'asked', question });

  function apply(state: TcpPlaneState<Config>): void {
    const means = { values: counters.values, ourselves: state.ourselves, ask };
    const gateOf = createGates(state.config, counters.index, events.peerOf, means);
    // Sockets of one name share their gate.
    const gates = new Map<string, Gate>();
    const byFd = new Map<number, Gate>();
    for (const { spec, fd } of state.listeners) {
      let gate = gates.get(spec.name);
      if (gate === undefined) {
        gates.set(spec.name, (gate = gateOf(spec.name)));
        events.nameGate(gate, spec.name);
      }
      if (state.role !== 'serving') continue;
      byFd.set(fd, gate);
      thread.log('debug', { listener: spec.name }, `accepting on ${formatSocketAddress(spec)}`);
    }
    engine.share(state.workers, state.isShared);
    engine.configure(state.limits, byFd, state.ourselves);
    // After `configure`, which still accepts clients that wait on removed sockets: they go to servers of the old configuration.
    hosts.assign(state.hostSlots);
    isDraining = state.isDraining || state.role === 'leaving';
    if (state.isDraining) engine.drain();
    else if (isDraining) engine.leave();
    thread.post({ kind: 'applied', generation: state.generation });
  }

  const receive = (message: TcpPlaneState<Config> | Told): void =>
    'told' in message ? onTold?.(message.told, engine.resume) : apply(message);

  apply(init.state);
  thread.ready();
  for (;;) {
    thread.beat();
    if (engine.turn(isDraining ? DRAIN_WAIT_MS : MAX_WAIT_MS) && !thread.receive(receive)) return;
    const wasDrained = isDrained;
    isDrained = isDraining && engine.isIdle;
    if (isDrained && !wasDrained) thread.post({ kind: 'drained' });
  }
}
