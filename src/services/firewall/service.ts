/**
 * The image's firewall. tombolo-firewall.service loads it into the kernel before there is a network; this service keeps it
 * there. Another program's `nft flush ruleset` would open every port, and a table that was made again would open none of our
 * ports. Runs only where the unit says where the rules are.
 */
import { readFileSync } from 'node:fs';
import { type FoundState, NOTHING_FOUND } from '../../os/kernel-state/items.ts';
import { openNftState } from '../../os/kernel-state/nft-state.ts';
import { runCommand } from '../../os/command.ts';
import { createKernelKeeper } from '../../runtime/kernel-keeper.ts';
import { watchKernel } from '../../runtime/kernel-watch.ts';
import type { Service, ServiceContext } from '../../runtime/service.ts';

export interface FirewallOptions {
  /** A script for `nft -f` that can be run again at any time. */
  readonly file: string;
  /** The control group whose sockets are open, below /sys/fs/cgroup; undefined if unknown. */
  readonly controlGroup: string | undefined;
}

const TABLE = 'inet tombolo_firewall';
/** The control groups whose ports are open. The other sets hold recent clients. */
const SERVICES = 'services';

/** The control group of this process in cgroups v2: "system.slice/tombolo.service". undefined at the root, and without cgroups v2. */
export function ownControlGroup(text = readFileSync('/proc/self/cgroup', 'utf8')): string | undefined {
  return /^0::\/(.+)$/m.exec(text)?.[1];
}

/** Loads the rules, adds the own control group, and restores them until it is disposed. The rules stay after that. */
export async function startFirewall(
  { file, controlGroup }: FirewallOptions,
  context: ServiceContext,
): Promise<Omit<Service<FirewallOptions>, 'failWorker'>> {
  const { log } = context;
  await using cleanUp = new AsyncDisposableStack();
  const nft = cleanUp.use(openNftState());
  let fingerprint: string | undefined;

  async function apply(): Promise<Map<string, unknown>> {
    try {
      await runCommand('nft', ['-f', file]);
      if (controlGroup !== undefined)
        await runCommand('nft', ['-f', '-'], `add element ${TABLE} ${SERVICES} { "${controlGroup}" }\n`);
      fingerprint = nft.fingerprint(TABLE, [SERVICES]);
      return new Map();
    } catch (error) {
      return new Map([[`nftables ${TABLE}`, error]]);
    }
  }

  function found(): FoundState {
    const now = nft.fingerprint(TABLE, [SERVICES]);
    const tables = now === undefined ? [] : [[TABLE, now === fingerprint ? file : undefined] as const];
    return { ...NOTHING_FOUND, tables: new Map(tables) };
  }

  const keeper = createKernelKeeper({
    service: 'firewall',
    read: () => ({ wanted: [{ kind: 'nftables', table: TABLE, body: file }], found: found() }),
    apply,
    events: context.events,
    log,
    monotonicMs: () => performance.now(),
    now: Date.now,
  });
  const watch = cleanUp.use(await watchKernel({ service: 'firewall', keeper, log }));

  const stack = cleanUp.move();
  return {
    name: 'firewall',
    counterTable: {},
    reconfigure: async () => {},
    status() {
      const problem = watch.problem();
      return problem === undefined
        ? { state: 'running', restarts: 0, figures: {} }
        : { state: 'degraded', problem, restarts: 0, figures: {} };
    },
    counters: () => ({}),
    kernelContests: () => keeper.contests(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
