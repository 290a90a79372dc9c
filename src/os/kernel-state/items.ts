/**
 * Kernel state that a service wants, as plain data: links, routes, policy rules, kernel parameters, nftables tables, programs
 * on devices. This file has the wanted items and compares them with what was found; `read.ts` reads, `apply.ts` sets.
 */
import { type Text, say } from '../../texts/text.ts';
import { parseIpPrefix } from '../../wire/ip-prefix.ts';

/** RTPROT_...: marks our local routes, so that those of a killed process are known. Numbers above 4 are for programs. */
export const LOCAL_PROTOCOL = 164;
export const TABLE = { default: 253, main: 254, local: 255 } as const;

export interface LinkItem {
  readonly kind: 'link';
  readonly device: string;
  /** Tells our device from a new one of the same name. */
  readonly index: number;
  readonly mtuBytes: number;
  readonly txQueuePackets: number;
}

export interface RouteItem {
  readonly kind: 'route';
  readonly family: 4 | 6;
  /** "64:ff9b::/96", "0.0.0.0/0". */
  readonly prefix: string;
  readonly table: number;
  /** null: a blackhole with the worst metric, used only if the table has no other route. */
  readonly device: string | null;
  /** The kernel delivers the packets to this machine (type "local"). Such routes of ours have LOCAL_PROTOCOL. */
  readonly isLocal?: true;
  /** The route must not exist. */
  readonly isAbsent?: true;
}

export interface RuleItem {
  readonly kind: 'rule';
  readonly family: 4 | 6;
  readonly preference: number;
  /** The rule applies to packets with this mark; without one, to all packets. */
  readonly mark?: { readonly value: number; readonly mask: number };
  readonly table: number;
  /** RTPROT_...: who made it. Other programs do not touch rules of the kernel. */
  readonly protocol?: 'kernel';
}

/** No rule of lower preference may send every packet to this table: it would be looked up before the rule that must be first. */
export interface RuleOrderItem {
  readonly kind: 'rule-order';
  readonly family: 4 | 6;
  readonly table: number;
  readonly preference: number;
}

export interface SysctlItem {
  readonly kind: 'sysctl';
  /** Path below /proc/sys. */
  readonly name: string;
  /** As the kernel writes it, with single spaces. */
  readonly value: string;
}

export interface NftTableItem {
  readonly kind: 'nftables';
  /** Family and name: "inet tombolo-nat64". */
  readonly table: string;
  /** The text between its braces. */
  readonly body: string;
}

/** A program that runs on the packets of a device. */
export interface ProgramItem {
  readonly kind: 'program';
  readonly device: string;
}

export type KernelItem =
  | LinkItem
  | RouteItem
  | RuleItem
  | RuleOrderItem
  | SysctlItem
  | NftTableItem
  | ProgramItem;

export interface FoundLink {
  readonly name: string;
  readonly isUp: boolean;
  readonly mtuBytes: number;
  readonly txQueuePackets: number;
}

export interface FoundRule {
  readonly family: 4 | 6;
  readonly preference: number;
  readonly table: number;
  readonly mark: number;
  readonly mask: number;
  /** It looks up a table, for all packets with the mark. */
  readonly isPlain: boolean;
}

/** What was read; item types that nobody asked for are empty. */
export interface FoundState {
  /** By index. */
  readonly links: ReadonlyMap<number, FoundLink>;
  /** Keys of `routeKey`. */
  readonly routes: ReadonlySet<string>;
  readonly rules: readonly FoundRule[];
  /** By name; without those that cannot be read. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** By name: the body in place; undefined when it is a different one or was changed. Missing tables have no entry. */
  readonly tables: ReadonlyMap<string, string | undefined>;
  /** Devices on which the program runs. */
  readonly programs: ReadonlySet<string>;
}

export const NOTHING_FOUND: FoundState = {
  links: new Map(),
  routes: new Set(),
  rules: [],
  sysctls: new Map(),
  tables: new Map(),
  programs: new Set(),
};

export interface Difference {
  readonly item: KernelItem;
  readonly how: 'removed' | 'changed';
}

/** Identifies an item, independent of its values. */
export function itemKey(item: KernelItem): string {
  switch (item.kind) {
    case 'link':
    case 'program':
      return `${item.kind} ${item.device}`;
    case 'route':
      return `route ${item.family} ${item.prefix} ${item.table} ${overOf(item)}`;
    case 'rule':
    case 'rule-order':
      return `${item.kind} ${item.family} ${item.preference}`;
    case 'sysctl':
      return `sysctl ${item.name}`;
    case 'nftables':
      return `nftables ${item.table}`;
  }
}

/** The name for people. */
export function itemName(item: KernelItem): Text {
  switch (item.kind) {
    case 'link':
      return say('the device {device}', { device: item.device });
    case 'program':
      return say('the kernel program on {device}', { device: item.device });
    case 'route':
      if (item.device === null) return say('the blackhole route of table {table}', { table: item.table });
      if (item.isLocal) return say('the local route to {prefix}', { prefix: item.prefix });
      return item.table === TABLE.main
        ? say('the route to {prefix}', { prefix: item.prefix })
        : say('the route to {prefix} in table {table}', { prefix: item.prefix, table: item.table });
    case 'rule':
    case 'rule-order':
      return say('the IPv{family} policy rule {preference}', {
        family: item.family,
        preference: item.preference,
      });
    case 'sysctl':
      return say('the kernel parameter {name}', { name: item.name.replaceAll('/', '.') });
    case 'nftables':
      return say('the nftables table {table}', { table: item.table });
  }
}

/** Stands in the place of a device; no device can have this name. */
export const BLACKHOLE = '/blackhole';
/** The same for a local route over a device. */
export const localOver = (device: string): string => `/local ${device}`;

const overOf = ({ device, isLocal }: RouteItem): string =>
  device === null ? BLACKHOLE : isLocal ? localOver(device) : device;

/** The identity of a route to a prefix over a device. `address`: the 16 bytes of the prefix, IPv4 in its mapped form. */
export const routeKey = (address: Uint8Array, prefixBits: number, table: number, device: string): string =>
  `${Buffer.from(address).toString('hex')}/${prefixBits} ${table} ${device}`;

/** The wanted items that were not found as wanted, in the same order. */
export function compareState(wanted: readonly KernelItem[], found: FoundState): Difference[] {
  return wanted.flatMap((item) => {
    const how = differs(item, found);
    return how === undefined ? [] : [{ item, how }];
  });
}

function differs(item: KernelItem, found: FoundState): Difference['how'] | undefined {
  switch (item.kind) {
    case 'link': {
      const link = found.links.get(item.index);
      if (link === undefined) return 'removed';
      const isSame =
        link.isUp && link.mtuBytes === item.mtuBytes && link.txQueuePackets === item.txQueuePackets;
      return isSame ? undefined : 'changed';
    }
    case 'route': {
      const { address, prefixBits } = parseIpPrefix(item.prefix)!;
      const isThere = found.routes.has(routeKey(address, prefixBits, item.table, overOf(item)));
      if (isThere === (item.isAbsent === undefined)) return undefined;
      return isThere ? 'changed' : 'removed';
    }
    case 'rule':
      return found.rules.some((rule) => isWantedRule(rule, item)) ? undefined : 'removed';
    case 'rule-order':
      return rulesBefore(item, found).length === 0 ? undefined : 'changed';
    case 'sysctl':
      return found.sysctls.get(item.name) === item.value ? undefined : 'changed';
    case 'nftables':
      if (!found.tables.has(item.table)) return 'removed';
      return found.tables.get(item.table) === item.body ? undefined : 'changed';
    case 'program':
      return found.programs.has(item.device) ? undefined : 'removed';
  }
}

const isWantedRule = (rule: FoundRule, { family, preference, mark, table }: RuleItem): boolean =>
  rule.isPlain &&
  rule.family === family &&
  rule.preference === preference &&
  rule.table === table &&
  rule.mark === (mark?.value ?? 0) &&
  rule.mask === (mark?.mask ?? 0);

/** The rules that the order forbids. */
export const rulesBefore = (item: RuleOrderItem, found: FoundState): FoundRule[] =>
  found.rules.filter(
    (rule) =>
      rule.isPlain &&
      rule.family === item.family &&
      rule.table === item.table &&
      rule.mask === 0 &&
      rule.preference < item.preference,
  );
