/**
 * The image's firewall. tombolo-firewall.service loads it into the kernel before there is a network; this service keeps it
 * there. Another program's `nft flush ruleset` would open every port, and a table that was made again would open none of our
 * ports. Runs only where the unit says where the rules are.
 */
import { readFileSync } from 'node:fs';
import { type FoundState, NOTHING_FOUND } from '../../os/kernel-state/items.ts';
import { openNftState } from '../../os/kernel-state/nft-state.ts';
import { runCommand } from '../../os/command.ts';
import { createInTurn } from '../../os/in-turn.ts';
import { type Changes, watchNetworkChanges } from '../../os/network-changes.ts';
import { createKernelKeeper } from '../../runtime/kernel-keeper.ts';
import type { Service, ServiceContext } from '../../runtime/service.ts';
import { type Text, reasonOf } from '../../texts/text.ts';

export interface FirewallOptions {
  /** A script for `nft -f` that can be run again at any time. */
  readonly file: string;
  /** The control group whose sockets are open, below /sys/fs/cgroup; undefined if unknown. */
  readonly controlGroup: string | undefined;
}

const TABLE = 'inet tombolo_firewall';
/** The control groups whose ports are open. The other sets hold recent clients. */
const SERVICES = 'services';
const LOOK_INTERVAL_MS = 1000;
/** How often everything is read even if the kernel reports no change. */
const REGULAR_MS = 60_000;
const NOBODY: Changes['by'] = new Map();

/** The control group of this process in cgroups v2: "system.slice/tombolo.service". undefined at the root, and without cgroups v2. */
export function ownControlGroup(text = readFileSync('/proc/self/cgroup', 'utf8')): string | undefined {
  return /^0::\/(.+)$/m.exec(text)?.[1];
}

/** Loads the rules, adds the own control group, and restores them until it is disposed. The rules stay after that. */
export async function startFirewall(
  { file, controlGroup }: FirewallOptions,
  context: ServiceContext,
): Promise<Omit<Service<FirewallOptions>, 'failWorker'>> {
  const log = context.log.child({ service: 'firewall' });
  await using cleanUp = new AsyncDisposableStack();
  const nft = cleanUp.use(openNftState());
  const changes = cleanUp.use(watchNetworkChanges());
  let fingerprint: string | undefined;
  let failure: Text | undefined;

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
  await keeper.look(NOBODY);

  let lookedMs = performance.now();
  const inTurn = createInTurn();
  async function look(): Promise<void> {
    const { hasChanged, by } = changes.take();
    const isRegular = performance.now() - lookedMs >= REGULAR_MS;
    if (!hasChanged && !isRegular && !keeper.isDue()) return;
    lookedMs = performance.now();
    try {
      await keeper.look(by);
      failure = undefined;
    } catch (error) {
      failure = reasonOf(error);
      log.warn({ err: error }, 'firewall: the rules cannot be read back');
    }
  }
  const timer = setInterval(() => void inTurn(look), LOOK_INTERVAL_MS).unref();
  cleanUp.defer(async () => {
    clearInterval(timer);
    await inTurn(() => {});
  });

  const stack = cleanUp.move();
  return {
    name: 'firewall',
    counterTable: {},
    reconfigure: async () => {},
    status() {
      const problem = failure ?? keeper.problem();
      return problem === undefined
        ? { state: 'running', restarts: 0, figures: {} }
        : { state: 'degraded', problem, restarts: 0, figures: {} };
    },
    counters: () => ({}),
    kernelContests: () => keeper.contests(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
