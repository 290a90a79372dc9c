/** Sets wanted kernel state. */
import { formatIpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';
import { ipBatch } from '../routes.ts';
import { writeSysctl } from '../sysctl.ts';
import {
  type Difference,
  type FoundState,
  type KernelItem,
  LOCAL_PROTOCOL,
  type RuleItem,
  type SysctlItem,
  itemKey,
  rulesBefore,
} from './items.ts';
import type { NftState } from './nft-state.ts';

const WORST_METRIC = 0xffff_ffff;

export interface ApplyTools {
  readonly nft: NftState;
  /** Called before kernel parameters are written: notes their old values. */
  readonly beforeSysctls?: (items: readonly SysctlItem[]) => void;
  /** Attaches the programs to their devices again. */
  readonly attachPrograms?: () => void;
}

/**
 * Repairs the differences: links first (a device that is down accepts no route), then parameters, routes, rules, tables and
 * programs. A refused item does not stop the others. Returns the reasons by key of the item. The caller reads back whether
 * everything is in place now.
 */
export async function applyState(
  differences: readonly Difference[],
  found: FoundState,
  tools: ApplyTools,
): Promise<Map<string, unknown>> {
  const refused = new Map<string, unknown>();
  const items = differences.map(({ item }) => item);
  const of = <Kind extends KernelItem['kind']>(...kinds: Kind[]) =>
    items.filter((item): item is Extract<KernelItem, { kind: Kind }> =>
      (kinds as readonly string[]).includes(item.kind),
    );
  const attempt = async (item: KernelItem, action: () => unknown) => {
    try {
      await action();
    } catch (error) {
      refused.set(itemKey(item), error);
    }
  };

  await runIp(of('link'), found, refused);
  applySysctls(of('sysctl'), refused, tools.beforeSysctls);
  await runIp(of('route', 'rule', 'rule-order'), found, refused);
  for (const item of of('nftables')) await attempt(item, () => tools.nft.replace(item.table, item.body));
  const programs = of('program');
  if (programs.length > 0) await attempt(programs[0], () => tools.attachPrograms?.());
  return refused;
}

/** Writes kernel parameters; `before` notes their old values. Refused ones are added to `refused`. */
export function applySysctls(
  items: readonly SysctlItem[],
  refused: Map<string, unknown>,
  before?: (items: readonly SysctlItem[]) => void,
): void {
  if (items.length > 0) before?.(items);
  for (const item of items) {
    try {
      writeSysctl(item.name, item.value);
    } catch (error) {
      refused.set(itemKey(item), error);
    }
  }
}

/**
 * Sets all items of a family with one process, both families in parallel. If it fails, sets each item alone, to find the
 * refused one.
 */
async function runIp(
  items: readonly KernelItem[],
  found: FoundState,
  refused: Map<string, unknown>,
): Promise<void> {
  const runFamily = async (family: 4 | 6) => {
    const own = items.filter((item) => familyOf(item) === family);
    try {
      await ipBatch(
        own.flatMap((item) => ipCommands(item, found)),
        family,
      );
    } catch (error) {
      if (own.length === 1) refused.set(itemKey(own[0]), error);
      else for (const item of own) await runIp([item], found, refused);
    }
  };
  await Promise.all([runFamily(4), runFamily(6)]);
}

const familyOf = (item: KernelItem): 4 | 6 => ('family' in item ? item.family : 4);

/** The arguments of `ip`. The commands must also work if a part of them has been done before. */
export function ipCommands(item: KernelItem, found: FoundState): string[] {
  switch (item.kind) {
    case 'link':
      return [
        `link set dev ${item.device} mtu ${item.mtuBytes} txqueuelen ${item.txQueuePackets}`,
        `link set dev ${item.device} up`,
      ];
    case 'route': {
      const prefix = formatIpPrefix(parseIpPrefix(item.prefix)!);
      const verb = item.isAbsent ? 'del' : 'replace';
      if (item.isLocal)
        return [
          `route ${verb} local ${prefix} dev ${item.device} table ${item.table} protocol ${LOCAL_PROTOCOL}`,
        ];
      return item.device === null
        ? [`route ${verb} blackhole ${prefix} metric ${WORST_METRIC} table ${item.table}`]
        : [`route ${verb} ${prefix} dev ${item.device} table ${item.table}`];
    }
    case 'rule':
      // Another rule may have the same preference: both stay.
      return [ruleCommand('add', item)];
    case 'rule-order':
      return rulesBefore(item, found).map(
        ({ preference, table }) => `rule del pref ${preference} lookup ${table}`,
      );
    default:
      return [];
  }
}

/** Removes just this rule, not another of the same preference. */
export function ruleCommand(verb: 'add' | 'del', { preference, mark, table, protocol }: RuleItem): string {
  const selector = mark && `fwmark 0x${mark.value.toString(16)}/0x${mark.mask.toString(16)}`;
  const maker = verb === 'add' && protocol ? `protocol ${protocol}` : undefined;
  const words = [`rule ${verb} pref`, preference, selector, 'lookup', table, maker];
  return words.filter((word) => word !== undefined).join(' ');
}
