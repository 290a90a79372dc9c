/**
 * Kernel state that a service wants, as plain data: links, routes, policy rules, kernel parameters, nftables tables, programs on
 * devices. Here is what is wanted, and how it compares with what was found; `read.ts` reads, `apply.ts` puts in place.
 */
import { type Text, say } from '../../texts/text.ts';
import { parseIpPrefix } from '../../wire/ip-prefix.ts';

export const TABLE = { default: 253, main: 254, local: 255 } as const;

export interface LinkItem {
  readonly kind: 'link';
  readonly device: string;
  /** A device of the same name that somebody made anew has another. */
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
  /** null: a blackhole, of the worst metric, for when there is no other route in the table. */
  readonly device: string | null;
  /** It must not be there. */
  readonly isAbsent?: true;
}

export interface RuleItem {
  readonly kind: 'rule';
  readonly family: 4 | 6;
  readonly preference: number;
  /** Of packets with this mark; of all without. */
  readonly mark?: { readonly value: number; readonly mask: number };
  readonly table: number;
  /** RTPROT_...: who made it. Other programs leave alone what the kernel made. */
  readonly protocol?: 'kernel';
}

/** No rule of lower preference sends every packet to this table: it would come before the rule that must be first. */
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
  /** What stands between its braces. */
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
  /** It looks a table up, of all packets that have the mark. */
  readonly isPlain: boolean;
}

/** What was read; of what nobody asked for, nothing. */
export interface FoundState {
  /** By index. */
  readonly links: ReadonlyMap<number, FoundLink>;
  /** Keys of `routeKey`. */
  readonly routes: ReadonlySet<string>;
  readonly rules: readonly FoundRule[];
  /** By name; without those that cannot be read. */
  readonly sysctls: ReadonlyMap<string, string>;
  /** By name: the body that is in place; undefined when it is another one, or was changed. Without those that are not there. */
  readonly tables: ReadonlyMap<string, string | undefined>;
  /** Devices that the program is on. */
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

/** Identifies an item, whatever its values. */
export function itemKey(item: KernelItem): string {
  switch (item.kind) {
    case 'link':
    case 'program':
      return `${item.kind} ${item.device}`;
    case 'route':
      return `route ${item.family} ${item.prefix} ${item.table} ${item.device ?? BLACKHOLE}`;
    case 'rule':
    case 'rule-order':
      return `${item.kind} ${item.family} ${item.preference}`;
    case 'sysctl':
      return `sysctl ${item.name}`;
    case 'nftables':
      return `nftables ${item.table}`;
  }
}

/** What people call it. */
export function itemName(item: KernelItem): Text {
  switch (item.kind) {
    case 'link':
      return say('the device {device}', { device: item.device });
    case 'program':
      return say('the kernel program on {device}', { device: item.device });
    case 'route':
      if (item.device === null) return say('the blackhole route of table {table}', { table: item.table });
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

/** In the place of a device, of which none has such a name. */
export const BLACKHOLE = '/blackhole';

/** A route to a prefix over a device, by what identifies it. `address`: the 16 bytes of the prefix, IPv4 in its mapped form. */
export const routeKey = (address: Uint8Array, prefixBits: number, table: number, device: string): string =>
  `${Buffer.from(address).toString('hex')}/${prefixBits} ${table} ${device}`;

/** The wanted items that were not found as they are wanted, in the same order. */
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
      const isThere = found.routes.has(routeKey(address, prefixBits, item.table, item.device ?? BLACKHOLE));
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
