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
import type { PortRange } from '../../../config/values.ts';
import { applyState } from '../../../os/kernel-state/apply.ts';
import { borrowSysctls } from '../../../os/kernel-state/borrowed-sysctls.ts';
import { type KernelItem, type RuleItem, TABLE, itemKey } from '../../../os/kernel-state/items.ts';
import { openKernelReader } from '../../../os/kernel-state/read.ts';
import type { Changes } from '../../../os/network-changes.ts';
import { sysctlReader } from '../../../os/sysctl.ts';
import { toldReasonOf } from '../../../os/system-reason.ts';
import { type KernelLook, createKernelKeeper } from '../../../runtime/kernel-keeper.ts';
import type { KernelContest } from '../../../runtime/kernel-trouble.ts';
import type { ServiceContext } from '../../../runtime/service.ts';
import { type Text, TextError, reasonOf, say } from '../../../texts/text.ts';
import { deviceSysctls, forwardingSysctls, portSysctls } from './steering-sysctls.ts';
import { NFT_TABLE, ROUTE_TABLE, RULES, SYSCTL_FILE, basicRulesOf, takeBack } from './steering-rules.ts';
import { nftTable } from './steering-table.ts';
import type { SteeredAddress } from '../settings/steered-ports.ts';

const TX_QUEUE_PACKETS = 1000;
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
    context.conditions?.set('storage', SYSCTL_FILE, undefined);
    await takeBack(reader, sysctls);
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
