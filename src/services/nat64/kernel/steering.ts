/**
 * How packets get from the kernel to us. For the NAT64 prefix, there is a route to the TUN device. Packets to the appliance's
 * own IPv4 address would normally be delivered locally. So nftables marks those that belong to the pool4 ports, and a policy
 * rule before the local table sends marked packets to the TUN device. Neither conntrack nor a second NAT is involved: a packet to
 * these ports without a mapping never belongs to a connection of the kernel. Only the first fragment of a packet shows its ports,
 * so all fragments are steered to us; those that are not ours go back to the kernel.
 *
 * The packets are forwarded untracked. A firewall with the forward policy "drop" must accept packets from the device and packets
 * to it (`iifname "nat64" accept`, `oifname "nat64" accept`): rules such as `ct state established` never match them.
 */
import { join } from 'node:path';
import type { PortRange } from '../../../config/values.ts';
import { applyState } from '../../../os/kernel-state/apply.ts';
import { borrowSysctls } from '../../../os/kernel-state/borrowed-sysctls.ts';
import { type KernelItem, type RuleItem, TABLE, itemKey } from '../../../os/kernel-state/items.ts';
import { openKernelReader } from '../../../os/kernel-state/read.ts';
import type { Changes } from '../../../os/network-changes.ts';
import { sysctlReader } from '../../../os/sysctl.ts';
import { reasonWithRemedy } from '../../../os/system-reason.ts';
import { type KernelLook, createKernelKeeper } from '../../../runtime/kernel-keeper.ts';
import type { KernelContest } from '../../../runtime/kernel-trouble.ts';
import type { ServiceContext } from '../../../runtime/service.ts';
import { type Text, TextError, reasonOf, say } from '../../../texts/text.ts';
import { deviceSysctls, forwardingSysctls, portSysctls } from './steering-sysctls.ts';
import { NFT_TABLE, ROUTE_TABLE, RULES, SYSCTL_FILE, basicRulesOf, takeBack } from './steering-rules.ts';
import { nftTable } from './steering-table.ts';
import type { SteeredAddress } from '../settings/steered-ports.ts';

const TX_QUEUE_PACKETS = 1000;
/** How long to wait after a failed write before the retry. */
const NOTE_RETRY_MS = 5000;

/** What is to be steered to the TUN device. */
export interface DesiredSteering {
  readonly mtuBytes: number;
  /** Pool4 addresses whose packets are steered. */
  readonly addresses: readonly SteeredAddress[];
  /** Ports that the appliance listens on, which the kernel must not choose for the appliance's own connections. */
  readonly listenPorts: readonly PortRange[];
  /** Prefixes of both families whose packets are routed to the device. */
  readonly routes: readonly string[];
  /** Whether TCP segment sizes are limited to what the routes behind the device allow. */
  readonly clampsSegments: boolean;
}

/** The programs of the fast path on their devices. */
export interface KeptPrograms {
  /** The devices that a program was attached to, and whether it is still attached. */
  attached(): ReadonlyMap<string, boolean>;
  /** Attaches missing programs again. */
  refresh(): void;
}

export interface Steering extends AsyncDisposable {
  /** Sets a new wanted state. If the kernel refuses it, this throws, and the previous wanted state stays. */
  change(desired: DesiredSteering, by: Changes['by']): Promise<void>;
  /** Reads the state of the kernel and repairs what others have changed. */
  look(by: Changes['by']): Promise<void>;
  /** Keeps these programs attached to their devices, too. */
  keepPrograms(programs: KeptPrograms): void;
  /** Whether the device existed at the last check, with its name. */
  readonly hasDevice: boolean;
  /** Something waits to be repaired, and it is time for it. */
  isDue(): boolean;
  /** What is missing in the kernel, and why. */
  problem(): Text | undefined;
  contests(): readonly KernelContest[];
}

export interface SteeringOptions {
  readonly device: string;
  /** As texts, e.g. "64:ff9b::/96". */
  readonly prefixes: readonly string[];
  /**
   * The basic rules for other tables that were seen on this machine. They are remembered beyond the steering, because another
   * program may just have removed them when a steering begins.
   */
  readonly basicRules: Map<string, RuleItem>;
  readonly context: ServiceContext;
}

/**
 * Brings the device up and steers packets to it. What the kernel refuses is reported as `problem()` and retried at the following
 * checks. A start that fails removes everything again.
 */
export async function startSteering(options: SteeringOptions, first: DesiredSteering): Promise<Steering> {
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
  let desired = first;
  let programs: KeptPrograms | undefined;
  let hasDevice = true;
  /** Routes that were wanted before the change. Current routes disappear with the device. */
  const earlierRoutes = new Set<string>();

  const tableOf = ({ addresses, clampsSegments }: DesiredSteering) =>
    nftTable(device, prefixes, addresses, clampsSegments);

  function read(): KernelLook {
    const links = reader.links();
    hasDevice = links.get(index!)?.name === device;
    // Nothing can be set for a device that is gone. The service sees `hasDevice` and makes a new one.
    const sysctl = sysctlReader();
    const attached = programs?.attached() ?? new Map<string, boolean>();
    const wanted: KernelItem[] = !hasDevice
      ? []
      : [
          {
            kind: 'link',
            device,
            index: index!,
            mtuBytes: desired.mtuBytes,
            txQueuePackets: TX_QUEUE_PACKETS,
          },
          ...deviceSysctls(device),
          ...forwardingSysctls(sysctls, sysctl, [...links.values()], device),
          ...portSysctls(sysctls, sysctl, desired.addresses, desired.listenPorts),
          ...routesOf(device, prefixes, desired.routes, earlierRoutes),
          ...RULES,
          ...basicRules.values(),
          { kind: 'nftables', table: NFT_TABLE, body: tableOf(desired) },
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
      const before = desired;
      for (const route of before.routes) earlierRoutes.add(route);
      for (const route of [...next.routes, ...prefixes]) earlierRoutes.delete(route);
      desired = next;
      const [reason] = await keeper.look(by).catch((error: unknown) => [reasonOf(error)]);
      earlierRoutes.clear();
      if (reason === undefined) return;
      desired = before;
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
    { path: join(stateDirectory, SYSCTL_FILE), reason: reasonWithRemedy(error) },
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
    // If the device is gone because the process was killed, our packets are dropped. Otherwise they would be delivered locally, and
    // the kernel would reset connections that the next process continues (nat64.keepSessions).
    to('0.0.0.0/0', ROUTE_TABLE, null),
    ...[...prefixes, ...routes].map((prefix) => to(prefix, TABLE.main)),
    ...Array.from(earlier, (prefix) => ({ ...to(prefix, TABLE.main), isAbsent: true as const })),
  ];
}
