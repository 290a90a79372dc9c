/**
 * The current state of a TCP service, and how it changes: the sockets and the state of the worker change together. Callers take
 * turns (`inTurn`): each change starts from the sockets that the previous one left.
 */
import type { FollowedOurselves } from '../os/follow-ourselves.ts';
import { close, errnoName } from '../os/libc.ts';
import { formatSocketAddress } from '../os/socket-address.ts';
import type { Logger } from '../runtime/log.ts';
import type { SupervisedWorker } from '../runtime/supervise-worker.ts';
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
import type { TcpPlaneState } from './tcp-worker.ts';

/** If a worker has not applied a change after this time, its supervisor has already found it stuck and replaced it. */
const APPLY_TIMEOUT_MS = 15_000;

/** The wanted state of a service. */
export interface TcpPlan<Config> {
  readonly listen: readonly ListenSpec[];
  readonly handshakeTimeoutMs: number;
  /** 0: no limit. */
  readonly idleTimeoutMs: number;
  /** Servers that connections may go to: their traffic is counted by name. */
  readonly hosts: readonly string[];
  /** Something is written to the access log. */
  readonly isLogged: boolean;
  /** Passed to the worker unchanged, so it must be structured-cloneable. */
  readonly config: Config;
}

export interface InForce<Config> {
  readonly name: string;
  readonly keepalive: boolean;
  readonly log: Logger;
  readonly ourselves: FollowedOurselves;
  readonly hostSlots: HostSlots;
  plan: TcpPlan<Config>;
  state: TcpPlaneState<Config>;
  isDraining: boolean;
  /** Number of the state that the worker has applied, and the callback of the code that waits for a later one. */
  applied: number;
  notifyApplied: (() => void) | undefined;
}

/** The parts that are needed for changes; they exist after the start. */
export interface Means<Config> {
  readonly worker: Pick<SupervisedWorker<TcpPlaneState<Config>>, 'send'>;
  readonly missing: MissingSockets;
}

/** The initial state, without open sockets: the thread starts while the sockets are opened and `beforeCommit` runs. */
export function nothingInForce<Config>(
  parts: Pick<InForce<Config>, 'name' | 'keepalive' | 'log' | 'ourselves' | 'hostSlots'>,
  plan: TcpPlan<Config>,
): InForce<Config> {
  const fresh = { ...parts, plan, isDraining: false, applied: 0, notifyApplied: undefined };
  return { ...fresh, state: stateOf(fresh, plan, [], 1) };
}

function stateOf<Config>(
  inForce: Omit<InForce<Config>, 'state'>,
  plan: TcpPlan<Config>,
  listeners: readonly OpenListener[],
  generation: number,
): TcpPlaneState<Config> {
  const { keepalive, isDraining, ourselves, hostSlots, applied } = inForce;
  return {
    generation,
    limits: { handshakeTimeoutMs: plan.handshakeTimeoutMs, idleTimeoutMs: plan.idleTimeoutMs },
    keepalive,
    isDraining,
    ourselves: ourselves.current,
    listeners,
    hostSlots: hostSlots.assign(plan.hosts, generation, applied),
    config: plan.config,
  };
}

/** Opens new sockets and runs `beforeCommit`. Old sockets stay open until the change is in force. Disposing rolls it back. */
export async function prepareChange<Config>(
  { state, keepalive }: InForce<Config>,
  { listen }: TcpPlan<Config>,
  beforeCommit: () => Promise<void>,
  mayMiss: (spec: ListenSpec) => boolean,
): Promise<ListenerChange & AsyncDisposable> {
  const change = openChanges(state.listeners, listen, keepalive, mayMiss);
  try {
    await beforeCommit();
  } catch (error) {
    change.rollback();
    throw error;
  }
  return { ...change, [Symbol.asyncDispose]: async () => change.rollback() };
}

/** Sends the new state to the worker; resolves when the worker has applied it. */
export async function putInForce<Config>(
  inForce: InForce<Config>,
  { worker, missing }: Means<Config>,
  plan: TcpPlan<Config>,
  change: ListenerChange,
): Promise<void> {
  inForce.plan = plan;
  inForce.state = stateOf(inForce, plan, change.listeners, inForce.state.generation + 1);
  if (inForce.isDraining) inForce.state.listeners.forEach(({ fd }) => stopAdmitting(fd));
  worker.send(inForce.state);
  await waitApplied(inForce, inForce.state.generation);
  change.commit();
  setMissing(inForce, missing, change.missing);
}

/** The worker has applied this state. */
export function noteApplied<Config>(inForce: InForce<Config>, generation: number): void {
  inForce.applied = generation;
  inForce.notifyApplied?.();
}

/** Resolves when the worker has applied the generation, from a message or by starting again with it; or after the timeout. */
async function waitApplied<Config>(inForce: InForce<Config>, generation: number): Promise<void> {
  if (inForce.applied >= generation) return;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  inForce.notifyApplied = () => {
    if (inForce.applied >= generation) resolve(true);
  };
  const deadline = setTimeout(() => resolve(false), APPLY_TIMEOUT_MS);
  const inTime = await promise;
  clearTimeout(deadline);
  const { log, name } = inForce;
  if (!inTime) log.warn({ generation }, `${name}: worker did not confirm the new configuration in time`);
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
export async function openMissing<Config>(inForce: InForce<Config>, means: Means<Config>): Promise<void> {
  const { isDraining, state, plan, keepalive } = inForce;
  if (isDraining) return;
  const change = openChanges(state.listeners, plan.listen, keepalive, () => true);
  if (change.listeners.length > state.listeners.length) await putInForce(inForce, means, plan, change);
  else setMissing(inForce, means.missing, change.missing);
}

/** Replaces a socket that can no longer accept, for example because it was closed from outside (`ss --kill`). */
export async function replaceBroken<Config>(
  inForce: InForce<Config>,
  means: Means<Config>,
  fd: number,
  code: number,
): Promise<void> {
  const { state, log, name } = inForce;
  const broken = state.listeners.find((listener) => listener.fd === fd);
  if (broken === undefined) return;
  const { name: listener } = broken.spec;
  log.error(
    { listener, code: errnoName(code) },
    `${name}: accept4 failed for good, opening the listener again`,
  );
  close(fd);
  inForce.state = { ...state, listeners: state.listeners.filter((each) => each !== broken) };
  await openMissing(inForce, means);
}

/** Sends the worker the state with a change that concerns no sockets. */
export function amend<Config>(
  inForce: InForce<Config>,
  worker: Means<Config>['worker'],
  changed: Partial<Pick<TcpPlaneState<Config>, 'generation' | 'ourselves' | 'isDraining'>>,
): void {
  inForce.state = { ...inForce.state, ...changed };
  worker.send(inForce.state);
}
