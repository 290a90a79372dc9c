/** What the subjects (NAT64, proxy, DNS, start-up) have in common: a topology, contenders running in it, scenarios. */
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Child } from '../../lab/host.ts';
import type { LoadProcess } from './load/commands.ts';
import type { Probe, ProbeOrders } from './load/probe.ts';
import type { Scenario } from './measure.ts';

/** A subject with everything running; disposing it ends everything. */
export interface Subject extends AsyncDisposable {
  readonly scenarios: readonly Scenario[];
}

/** The CPUs of the measured process, of its load, and of the servers behind it; undefined on a machine with one CPU. */
export interface Cpus {
  readonly measured: number | undefined;
  readonly load: number | undefined;
  /** That of the load, unless there is a third CPU. */
  readonly servers: number | undefined;
}

/**
 * One CPU for the measured process and another for its load: so each contender has exactly one CPU, and the scheduler cannot
 * distort the comparison.
 */
export function cpus(): Cpus {
  const count = availableParallelism();
  if (count < 2) return { measured: undefined, load: undefined, servers: undefined };
  return { measured: 0, load: 1, servers: count < 3 ? 1 : 2 };
}

/** The command that pins `command` to a CPU. */
export const pinned = (cpu: number | undefined, ...command: string[]): [string, string[]] => {
  const [file, ...args] = cpu === undefined ? command : ['taskset', '--cpu-list', String(cpu), ...command];
  return [file, args];
};

/** The options of every subject. */
export interface SubjectOptions {
  /** The program to measure. */
  readonly main: string;
  /** Another one that is measured beside it, where the subject can. */
  readonly other: string | undefined;
  /** TCP congestion control of every host. */
  readonly congestionControl: string;
}

/** The kernel parameters of a host. */
export const tcpSysctls = ({ congestionControl }: SubjectOptions): Record<string, string> => ({
  'net/ipv4/tcp_congestion_control': congestionControl,
});

/** Runs `open` with a stack that is kept if it succeeds and unwound if it fails. */
export async function openSubject(
  open: (stack: AsyncDisposableStack) => Promise<readonly Scenario[]>,
): Promise<Subject> {
  await using stack = new AsyncDisposableStack();
  const scenarios = await open(stack);
  const kept = stack.move();
  return { scenarios, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** By then, memory that was only needed for the start has been freed, and that work is not part of the measurement. */
const SETTLED_AFTER_MS = 2500;
export const settle = (): Promise<void> => setTimeout(SETTLED_AFTER_MS);

/** Waits until every probe has its answer and the processes have settled; rejects like `untilAnswered`. */
export async function untilSettled(
  load: LoadProcess<ProbeOrders>,
  probes: readonly Probe[],
  processes: readonly Child[],
): Promise<void> {
  await untilAnswered(load, probes, processes);
  await settle();
}

/** Waits until every probe has its answer. Rejects, with the output of the processes, if one of them ends or never answers. */
export async function untilAnswered(
  load: LoadProcess<ProbeOrders>,
  probes: readonly Probe[],
  processes: readonly Child[],
): Promise<Record<string, number>> {
  const outputs = () => processes.map((child) => child.output().slice(-4000)).join('\n');
  const ended = processes.map(async (child) => {
    throw new Error(`ended with ${await child.exited} before it answered`);
  });
  try {
    return await Promise.race([load.order('until', probes), ...ended]);
  } catch (cause) {
    throw new Error(`not every service answered; what was printed:\n${outputs()}`, { cause });
  }
}
