/**
 * How the kernel comes to give us packets: a route for the NAT64 prefix to the TUN device; and for the appliance's own
 * IPv4 address, whose packets would otherwise be delivered locally, a mark in nftables on those that belong to the
 * pool4 ports, with a policy rule ahead of the local table that sends marked packets to the TUN. Neither conntrack nor
 * a second NAT is involved; what has no mapping here never was a connection of the kernel's. Only the first fragment of
 * a packet shows its ports, so all fragments take this way; those that are not ours come back.
 *
 * The packets are forwarded, untracked. A firewall whose forward policy is drop must accept both what comes from the
 * device and what goes to it (`iifname "nat64" accept`, `oifname "nat64" accept`): `ct state` never matches them.
 */
import { join } from 'node:path';
import type { PortRange } from '../../config/values.ts';
import { applyState, ruleCommand } from '../../os/kernel-state/apply.ts';
import { borrowSysctls } from '../../os/kernel-state/borrowed-sysctls.ts';
import {
  type FoundRule,
  type KernelItem,
  NOTHING_FOUND,
  type RuleItem,
  type RuleOrderItem,
  TABLE,
  compareState,
  itemKey,
} from '../../os/kernel-state/items.ts';
import { type KernelReader, openKernelReader } from '../../os/kernel-state/read.ts';
import type { Changes } from '../../os/network-changes.ts';
import { deleteNftTable } from '../../os/nft.ts';
import { ipBatch } from '../../os/routes.ts';
import { sysctlReader } from '../../os/sysctl.ts';
import { toldReasonOf } from '../../os/system-reason.ts';
import { type KernelLook, createKernelKeeper } from '../../runtime/kernel-keeper.ts';
import type { KernelContest } from '../../runtime/kernel-trouble.ts';
import type { ServiceContext } from '../../runtime/service.ts';
import { type Text, TextError, reasonOf, say } from '../../texts/text.ts';
import { deviceSysctls, forwardingSysctls, portSysctls } from './steering-sysctls.ts';
import { MARK, MARK_MASK, nftTable } from './steering-table.ts';
import type { SteeredAddress } from './steered-ports.ts';

const NFT_TABLE = 'inet tombolo-nat64';
const ROUTE_TABLE = 6464;
const TX_QUEUE_PACKETS = 1000;
const SYSCTL_FILE = 'nat64-sysctl.json';
/** How long after it could not be written. */
const NOTE_RETRY_MS = 5000;

/** What is led to the TUN device. */
export interface SteeringWish {
  readonly mtuBytes: number;
  /** The packets of other addresses. */
  readonly addresses: readonly SteeredAddress[];
  /** Not to be taken for connections of the appliance's own: it listens on them. */
  readonly listenPorts: readonly PortRange[];
  /** The packets to these prefixes, of either family. */
  readonly routes: readonly string[];
}

/** The programs of the fast path, as the devices have them. */
export interface KeptPrograms {
  /** Devices that a program was put on, and whether it is still there. */
  attached(): ReadonlyMap<string, boolean>;
  /** Puts back what is gone. */
  refresh(): void;
}

export interface Steering extends AsyncDisposable {
  /** Puts in place what is wanted from now on; throws, with what was wanted before still wanted, when the kernel refuses it. */
  change(wish: SteeringWish, by: Changes['by']): Promise<void>;
  /** Reads back and puts right what others changed. */
  look(by: Changes['by']): Promise<void>;
  /** Keeps these programs on their devices, too. */
  keepPrograms(programs: KeptPrograms): void;
  /** Whether the device was there at the last look, under its name. */
  readonly hasDevice: boolean;
  /** Something waits to be put back, and its time has come. */
  isDue(): boolean;
  /** What is not in place, and why. */
  problem(): Text | undefined;
  contests(): readonly KernelContest[];
}

export interface SteeringOptions {
  readonly device: string;
  /** As texts, e.g. "64:ff9b::/96". */
  readonly prefixes: readonly string[];
  /**
   * The rules for the other tables that every machine has, where it was seen to have them: it outlives the steering, which may begin
   * at a moment when another program has just removed them.
   */
  readonly basicRules: Map<string, RuleItem>;
  readonly context: ServiceContext;
}

/**
 * Brings the device up and leads packets to it. What the kernel refuses is a `problem`, which is tried again at the looks that
 * follow. A start that fails takes everything back.
 */
export async function startSteering(options: SteeringOptions, first: SteeringWish): Promise<Steering> {
  const { device, prefixes, basicRules, context } = options;
  await using cleanUp = new AsyncDisposableStack();
  const reader = cleanUp.use(openKernelReader());
  const isOurs = context.storage?.isOurs ?? true;
  let retry: NodeJS.Timeout | undefined;
  const sysctls = borrowSysctls(isOurs ? join(context.stateDirectory, SYSCTL_FILE) : undefined, (error) => {
    clearTimeout(retry);
    const problem = error === undefined ? undefined : cannotNote(context, error);
    context.conditions?.set('storage', SYSCTL_FILE, problem);
    if (problem !== undefined) retry = setTimeout(() => sysctls.retry(), NOTE_RETRY_MS).unref();
  });
  cleanUp.defer(() => clearTimeout(retry));
  const index = [...reader.links()].find(([, { name }]) => name === device)?.[0];
  if (index === undefined) throw new Error(`the device "${device}" is gone`);
  let wish = first;
  let programs: KeptPrograms | undefined;
  let hasDevice = true;
  /** Routes that were wanted before; those of today vanish with the device. */
  const earlierRoutes = new Set<string>();

  function read(): KernelLook {
    const links = reader.links();
    hasDevice = links.get(index!)?.name === device;
    // Nothing can be set for a device that has gone; who sees that makes a new one.
    const sysctl = sysctlReader();
    const attached = programs?.attached() ?? new Map<string, boolean>();
    const wanted: KernelItem[] = !hasDevice
      ? []
      : [
          { kind: 'link', device, index: index!, mtuBytes: wish.mtuBytes, txQueuePackets: TX_QUEUE_PACKETS },
          ...deviceSysctls(device),
          ...forwardingSysctls(sysctls, sysctl, [...links.values()], device),
          ...portSysctls(sysctls, sysctl, wish.addresses, wish.listenPorts),
          ...routesOf(device, prefixes, wish.routes, earlierRoutes),
          ...RULES,
          ...basicRules.values(),
          { kind: 'nftables', table: NFT_TABLE, body: nftTable(device, prefixes, wish.addresses) },
          ...Array.from(attached.keys(), (name) => ({ kind: 'program', device: name }) as const),
        ];
    const isAttached = new Set([...attached].filter(([, isThere]) => isThere).map(([name]) => name));
    const found = reader.state(wanted, links, sysctl, isAttached);
    for (const rule of basicRulesOf(found.rules)) {
      if (basicRules.has(itemKey(rule))) continue;
      basicRules.set(itemKey(rule), rule);
      wanted.push(rule);
    }
    return { wanted, found };
  }

  const keeper = createKernelKeeper({
    service: 'nat64',
    read,
    apply: (differences, found) =>
      applyState(differences, found, {
        nft: reader.nft,
        beforeSysctls: (items) => sysctls.note(items),
        attachPrograms: () => programs?.refresh(),
      }),
    events: context.events,
    log: context.log,
    monotonicMs: () => performance.now(),
    now: Date.now,
  });
  cleanUp.defer(async () => {
    // Each step whether or not the others succeed; the first failure is reported.
    const results = await Promise.allSettled([
      deleteNftTable(NFT_TABLE),
      removeRules(reader),
      ipBatch([`route flush table ${ROUTE_TABLE}`]),
    ]);
    sysctls.restore();
    context.conditions?.set('storage', SYSCTL_FILE, undefined);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  });
  await keeper.look(new Map());
  const running = cleanUp.move();
  return {
    async change(next, by) {
      const before = wish;
      for (const route of before.routes) earlierRoutes.add(route);
      for (const route of [...next.routes, ...prefixes]) earlierRoutes.delete(route);
      wish = next;
      const [reason] = await keeper.look(by).catch((error: unknown) => [reasonOf(error)]);
      earlierRoutes.clear();
      if (reason === undefined) return;
      wish = before;
      throw new TextError(reason);
    },
    look: async (by) => void (await keeper.look(by)),
    keepPrograms(kept) {
      programs = kept;
    },
    get hasDevice() {
      return hasDevice;
    },
    isDue: () => keeper.isDue(),
    problem: () => keeper.problem(),
    contests: () => keeper.contests(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function cannotNote({ stateDirectory }: ServiceContext, error: unknown): Text {
  return say(
    'The original kernel parameters cannot be written to {path}: after a crash they do not come back before the machine restarts. It is tried again. {reason}',
    { path: join(stateDirectory, SYSCTL_FILE), reason: toldReasonOf(error) },
  );
}

function routesOf(
  device: string,
  prefixes: readonly string[],
  routes: readonly string[],
  earlier: ReadonlySet<string>,
): KernelItem[] {
  const to = (prefix: string, table: number, over: string | null = device) =>
    ({ kind: 'route', family: prefix.includes(':') ? 6 : 4, prefix, table, device: over }) as const;
  return [
    to('0.0.0.0/0', ROUTE_TABLE),
    // Without the device, because the process was killed, what is ours is dropped: else it would be delivered locally, and
    // the kernel would reset connections that go on with the next process (nat64.keepSessions).
    to('0.0.0.0/0', ROUTE_TABLE, null),
    ...[...prefixes, ...routes].map((prefix) => to(prefix, TABLE.main)),
    ...Array.from(earlier, (prefix) => ({ ...to(prefix, TABLE.main), isAbsent: true as const })),
  ];
}

const MARK_RULE: RuleItem = {
  kind: 'rule',
  family: 4,
  preference: 64,
  mark: { value: MARK, mask: MARK_MASK },
  table: ROUTE_TABLE,
};
/**
 * The local table's rule normally has preference 0, where nothing can come before it: it moves behind ours. It stays the
 * kernel's own, which other programs leave alone.
 */
const MOVED_LOCAL_RULE: RuleItem = {
  kind: 'rule',
  family: 4,
  preference: 65,
  table: TABLE.local,
  protocol: 'kernel',
};
const LOCAL_IS_LAST: RuleOrderItem = { kind: 'rule-order', family: 4, table: TABLE.local, preference: 65 };
/** In this order there is a rule for the local table at every moment. */
const RULES: readonly KernelItem[] = [MOVED_LOCAL_RULE, MARK_RULE, LOCAL_IS_LAST];

const basicRule = (family: 4 | 6, preference: number, table: number): RuleItem => ({
  kind: 'rule',
  family,
  preference,
  table,
  protocol: 'kernel',
});
/** What the kernel begins with, beside the local table's. */
const KERNELS_RULES = [
  basicRule(4, 32_766, TABLE.main),
  basicRule(4, 32_767, TABLE.default),
  basicRule(6, 32_766, TABLE.main),
];

/**
 * `ip rule flush` removes the rules of the main and the default table as well, and leaves a machine without any route: nobody wants
 * that, so where no rule at all leads to the main table, the kernel's own are missing.
 */
const basicRulesOf = (found: readonly FoundRule[]): RuleItem[] => [
  ...KERNELS_RULES.filter(
    ({ family }) => !found.some((rule) => rule.family === family && rule.table === TABLE.main),
  ),
  ...found
    .filter(
      ({ isPlain, mask, preference, table }) =>
        isPlain &&
        mask === 0 &&
        (table === TABLE.main || table === TABLE.default) &&
        (preference === 32_766 || preference === 32_767),
    )
    .map(({ family, preference, table }) => basicRule(family, preference, table)),
];

/** Gives the local table's rule its place back. Left-overs of a killed process are removed as well. */
async function removeRules(reader: KernelReader): Promise<void> {
  const { rules } = reader.state(RULES, new Map(), () => undefined, new Set());
  const found = { ...NOTHING_FOUND, rules };
  const isThere = (item: KernelItem) => compareState([item], found).length === 0;
  const commands = [MARK_RULE, MOVED_LOCAL_RULE].filter(isThere).map((rule) => ruleCommand('del', rule));
  if (isThere(LOCAL_IS_LAST))
    commands.unshift(ruleCommand('add', { ...MOVED_LOCAL_RULE, preference: 0, protocol: 'kernel' }));
  await ipBatch(commands);
}
