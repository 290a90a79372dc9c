/**
 * The current state of a TCP service, and how it changes: the sockets and the state of the worker change together. Callers take
 * turns (`inTurn`): each change starts from the sockets that the previous one left.
 */
import type { FollowedOurselves } from '../os/follow-ourselves.ts';
import { close, errnoName } from '../os/libc.ts';
import { formatSocketAddress } from '../os/socket-address.ts';
import type { Logger } from '../runtime/log.ts';
import type { HostSlots } from './host-slots.ts';
import {
  type ListenSpec,
  type ListenerChange,
  type MissingListener,
  type OpenListener,
  openChanges,
  stopAdmitting,
} from './listen.ts';
import type { MissingSockets } from './missing.ts';
import type { TcpThreads } from './tcp-threads.ts';
import type { TcpPlaneState } from './tcp-worker.ts';
import type { ConnectionLimits } from './timeouts.ts';

/** If a worker has not applied a change after this time, its supervisor has already found it stuck and replaced it. */
const APPLY_TIMEOUT_MS = 15_000;

/** The wanted state of a service. */
export interface TcpPlan<Config> {
  readonly listen: readonly ListenSpec[];
  readonly handshakeTimeoutMs: number;
  /** 0: no limit. */
  readonly idleTimeoutMs: number;
  readonly limits: ConnectionLimits;
  /** How many worker threads: 1 to MAX_WORKERS. */
  readonly workers: number;
  /** Servers that connections may go to: their traffic is counted by name. */
  readonly hosts: readonly string[];
  /** Something is written to the access log. */
  readonly isLogged: boolean;
  /** Passed to the worker unchanged, so it must be structured-cloneable. */
  readonly config: Config;
}

export interface InForce<Config> {
  readonly name: string;
  readonly log: Logger;
  readonly ourselves: FollowedOurselves;
  readonly hostSlots: HostSlots;
  plan: TcpPlan<Config>;
  state: TcpPlaneState<Config>;
  isDraining: boolean;
}

/** The parts that are needed for changes; they exist after the start. */
export interface Means {
  readonly threads: TcpThreads;
  readonly missing: MissingSockets;
}

/** The initial state, without open sockets: the thread starts while the sockets are opened and `beforeCommit` runs. */
export function nothingInForce<Config>(
  parts: Pick<InForce<Config>, 'name' | 'log' | 'ourselves' | 'hostSlots'>,
  plan: TcpPlan<Config>,
): InForce<Config> {
  const fresh = { ...parts, plan, isDraining: false };
  return { ...fresh, state: stateOf(fresh, plan, [], 1, 0) };
}

function stateOf<Config>(
  inForce: Omit<InForce<Config>, 'state'>,
  plan: TcpPlan<Config>,
  listeners: readonly OpenListener[],
  generation: number,
  applied: number,
): TcpPlaneState<Config> {
  const { isDraining, ourselves, hostSlots } = inForce;
  return {
    generation,
    limits: {
      ...plan.limits,
      handshakeTimeoutMs: plan.handshakeTimeoutMs,
      idleTimeoutMs: plan.idleTimeoutMs,
    },
    isDraining,
    ourselves: ourselves.current,
    listeners,
    workers: plan.workers,
    // tcp-threads.ts sets these two for each thread.
    isShared: false,
    role: 'new',
    hostSlots: hostSlots.assign(plan.hosts, generation, applied),
    config: plan.config,
  };
}

/** Opens new sockets and runs `beforeCommit`. Old sockets stay open until the change is in force. Disposing rolls it back. */
export async function prepareChange<Config>(
  { state }: InForce<Config>,
  { listen }: TcpPlan<Config>,
  beforeCommit: () => Promise<void>,
  mayMiss: (spec: ListenSpec) => boolean,
): Promise<ListenerChange & AsyncDisposable> {
  const change = openChanges(state.listeners, listen, mayMiss);
  try {
    await beforeCommit();
  } catch (error) {
    change.rollback();
    throw error;
  }
  return { ...change, [Symbol.asyncDispose]: async () => change.rollback() };
}

/** Starts the threads that the plan needs, and sends the new state to all; resolves when they have applied it. */
export async function putInForce<Config>(
  inForce: InForce<Config>,
  { threads, missing }: Means,
  plan: TcpPlan<Config>,
  change: ListenerChange,
): Promise<void> {
  try {
    await threads.grow(plan.workers);
  } catch (error) {
    change.rollback();
    throw error;
  }
  inForce.plan = plan;
  inForce.state = stateOf(inForce, plan, change.listeners, inForce.state.generation + 1, threads.applied);
  if (inForce.isDraining) inForce.state.listeners.forEach(({ fd }) => stopAdmitting(fd));
  await applyState(inForce, threads);
  change.commit();
  setMissing(inForce, missing, change.missing);
}

/** Resolves when the threads have applied the state, or after a timeout. */
async function applyState<Config>(inForce: InForce<Config>, threads: TcpThreads): Promise<void> {
  const { log, name, state, plan } = inForce;
  if (await threads.apply(plan.workers, APPLY_TIMEOUT_MS)) return;
  const { generation } = state;
  log.warn({ generation }, `${name}: worker did not confirm the new configuration in time`);
}

function setMissing<Config>(
  inForce: InForce<Config>,
  missing: MissingSockets,
  failed: readonly MissingListener[],
): void {
  missing.set(
    failed.map(({ spec: { address, port }, error }) => ({ protocol: 'tcp', address, port, error })),
    (_protocol, address) =>
      inForce.state.listeners.some(({ spec }) => formatSocketAddress(spec) === formatSocketAddress(address)),
  );
}

/** Retries to open missing sockets. */
export async function openMissing<Config>(inForce: InForce<Config>, means: Means): Promise<void> {
  const { isDraining, state, plan } = inForce;
  if (isDraining) return;
  const change = openChanges(state.listeners, plan.listen, () => true);
  if (change.listeners.length > state.listeners.length) await putInForce(inForce, means, plan, change);
  else setMissing(inForce, means.missing, change.missing);
}

/**
 * Replaces a socket that can no longer accept, for example because it was closed from outside (`ss --kill`). `broken`: an element of
 * the state's listeners. Each thread reports it, so it may have been replaced already.
 */
export async function replaceBroken<Config>(
  inForce: InForce<Config>,
  means: Means,
  broken: OpenListener | undefined,
  code: number,
): Promise<void> {
  const { state, log, name } = inForce;
  if (broken === undefined || !state.listeners.includes(broken)) return;
  const { name: listener } = broken.spec;
  log.error(
    { listener, code: errnoName(code) },
    `${name}: accept4 failed for good, opening the listener again`,
  );
  inForce.state = {
    ...state,
    generation: state.generation + 1,
    listeners: state.listeners.filter((each) => each !== broken),
  };
  // The next socket may get the same descriptor, so first no thread may know the old one any more.
  await applyState(inForce, means.threads);
  close(broken.fd);
  await openMissing(inForce, means);
}

/** Sends the threads the state with a change that concerns no sockets. */
export function amend<Config>(
  inForce: InForce<Config>,
  threads: TcpThreads,
  changed: Partial<Pick<TcpPlaneState<Config>, 'generation' | 'ourselves' | 'isDraining'>>,
): void {
  inForce.state = { ...inForce.state, ...changed };
  threads.send();
}
