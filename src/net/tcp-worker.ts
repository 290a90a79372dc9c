/** The worker thread of a TCP service: the engine in a supervised loop. */

import { formatSocketAddress } from '../os/socket-address.ts';
import type { Ourselves } from '../os/ourselves.ts';
import { type CounterTable, createCounters } from '../runtime/counters.ts';
import { MAX_WAIT_MS, workerThread } from '../runtime/worker-thread.ts';
import { tcpGaugeTable, type TcpCounters } from './counters.ts';
import type { ConnectionTimeouts } from './deadlines.ts';
import { createTcpEngine } from './engine.ts';
import { type TcpEvents, createTcpEvents } from './events.ts';
import type { Gate } from './gate.ts';
import { createHostCounters } from './host-slots.ts';
import type { OpenListener } from './listen.ts';

/** The state that the main thread wants in force. */
export interface TcpPlaneState<Config> {
  /** Counts up with each change; the worker reports the one it has applied. */
  readonly generation: number;
  readonly limits: ConnectionTimeouts;
  readonly keepalive: boolean;
  /** The process is about to end: what is open is finished, and then reported. */
  readonly isDraining: boolean;
  readonly ourselves: Ourselves;
  readonly listeners: readonly OpenListener[];
  /** By server. */
  readonly hostSlots: Readonly<Record<string, number>>;
  readonly config: Config;
}

export interface TcpWorkerInit<Config> {
  readonly state: TcpPlaneState<Config>;
  readonly maxConnections: number;
  readonly counters: SharedArrayBuffer;
  readonly gauges: SharedArrayBuffer;
  readonly hosts: SharedArrayBuffer;
  readonly events: SharedArrayBuffer;
}

export type FromTcpWorker =
  /** A generation is in force: sockets that it lacks are no longer accepted on. */
  | { readonly kind: 'applied'; readonly generation: number }
  /** A listening socket is broken for good, and no longer accepted on. */
  | { readonly kind: 'broken'; readonly fd: number; readonly code: number }
  /** While draining: nothing is open and nobody waits. */
  | { readonly kind: 'drained' };

/** How long a turn may wait while draining: its end is noticed this soon. */
const DRAIN_WAIT_MS = 20;

/**
 * What a service adds: `createGates` builds the gate of each listener name, from the service's own configuration. `peerOf`: who
 * the client at a descriptor is.
 */
export interface TcpWorkerOptions<Config, Table extends CounterTable> {
  readonly counterTable: Table;
  readonly createGates: (
    config: Config,
    index: { readonly [Name in keyof Table]: number },
    peerOf: TcpEvents['peerOf'],
  ) => GateOf;
}

/** The gate of a listener, by its name. */
export type GateOf = (listenerName: string) => Gate;

/** Runs until the supervisor asks to stop; call as the last statement of the worker's entry module. */
export function runTcpWorker<Config, Table extends CounterTable>({
  counterTable,
  createGates,
}: TcpWorkerOptions<Config, Table>): void {
  const thread = workerThread<TcpWorkerInit<Config>, TcpPlaneState<Config>, FromTcpWorker>();
  const { init, ledger, wakeFd } = thread;
  const counters = createCounters(counterTable, init.counters);
  const gauges = createCounters(tcpGaugeTable, init.gauges);
  gauges.values.fill(0);
  const hosts = createHostCounters(init.hosts);
  const events = createTcpEvents(init.events);
  events.tick();
  const engine = createTcpEngine({
    ledger,
    counters: counters as unknown as TcpCounters,
    gauges,
    hosts,
    events,
    keepalive: init.state.keepalive,
    maxConnections: init.maxConnections,
    wakeFd,
    onBrokenListener: (fd, code) => thread.post({ kind: 'broken', fd, code }),
  });

  let isDraining = false;

  function apply(state: TcpPlaneState<Config>): void {
    const gateOf = createGates(state.config, counters.index, events.peerOf);
    // Sockets of one name share their gate.
    const gates = new Map<string, Gate>();
    const byFd = new Map<number, Gate>();
    for (const { spec, fd } of state.listeners) {
      let gate = gates.get(spec.name);
      if (gate === undefined) {
        gates.set(spec.name, (gate = gateOf(spec.name)));
        events.nameGate(gate, spec.name);
      }
      byFd.set(fd, gate);
      thread.log('debug', { listener: spec.name }, `accepting on ${formatSocketAddress(spec)}`);
    }
    engine.configure(state.limits, byFd, state.ourselves);
    // Only now: who waited on a socket that goes has just been taken, for a server of before.
    hosts.assign(state.hostSlots);
    isDraining = state.isDraining;
    thread.post({ kind: 'applied', generation: state.generation });
  }

  apply(init.state);
  thread.ready();
  for (;;) {
    thread.beat();
    if (engine.turn(isDraining ? DRAIN_WAIT_MS : MAX_WAIT_MS) && !thread.receive(apply)) return;
    if (isDraining && engine.isIdle) {
      isDraining = false;
      thread.post({ kind: 'drained' });
    }
  }
}
