/** The policy rules that lead packets to us, and how all that was put into the kernel is taken back. */
import { join } from 'node:path';
import { ruleCommand } from '../../../os/kernel-state/apply.ts';
import { type BorrowedSysctls, borrowSysctls } from '../../../os/kernel-state/borrowed-sysctls.ts';
import {
  type FoundRule,
  type KernelItem,
  NOTHING_FOUND,
  type RuleItem,
  type RuleOrderItem,
  TABLE,
  compareState,
} from '../../../os/kernel-state/items.ts';
import { type KernelReader, openKernelReader } from '../../../os/kernel-state/read.ts';
import { deleteNftTable } from '../../../os/nft.ts';
import { ipBatch } from '../../../os/routes.ts';
import type { ServiceContext } from '../../../runtime/service.ts';
import { HOLD_TABLE, releasePorts } from './hold.ts';
import { MARK, MARK_MASK } from './steering-table.ts';

export const NFT_TABLE = 'inet tombolo-nat64';
export const ROUTE_TABLE = 6464;
export const SYSCTL_FILE = 'nat64-sysctl.json';

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
export const RULES: readonly KernelItem[] = [MOVED_LOCAL_RULE, MARK_RULE, LOCAL_IS_LAST];

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
export const basicRulesOf = (found: readonly FoundRule[]): RuleItem[] => [
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
  const isThere = inKernel(reader);
  const commands = [MARK_RULE, MOVED_LOCAL_RULE].filter(isThere).map((rule) => ruleCommand('del', rule));
  if (isThere(LOCAL_IS_LAST))
    commands.unshift(ruleCommand('add', { ...MOVED_LOCAL_RULE, preference: 0, protocol: 'kernel' }));
  await ipBatch(commands);
}

function inKernel(reader: KernelReader): (rule: KernelItem) => boolean {
  const { rules } = reader.state(RULES, new Map(), () => undefined, new Set());
  const found = { ...NOTHING_FOUND, rules };
  return (rule) => compareState([rule], found).length === 0;
}

/** Takes back what goes not with the device by itself: table, rules, routes and kernel parameters. */
export async function takeBack(reader: KernelReader, sysctls: BorrowedSysctls): Promise<void> {
  // Each step whether or not the others succeed; the first failure is reported.
  const results = await Promise.allSettled([
    deleteNftTable(NFT_TABLE),
    removeRules(reader),
    ipBatch([`route flush table ${ROUTE_TABLE}`]),
  ]);
  sysctls.restore();
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/**
 * Takes back what a killed process has left, for one that does not translate: its packets would be dropped for ever. Where the device
 * is, another process translates, and all that is its own.
 */
export async function removeLeftBehind(
  device: string,
  { stateDirectory }: Pick<ServiceContext, 'stateDirectory'>,
): Promise<void> {
  using reader = openKernelReader();
  if ([...reader.links().values()].some(({ name }) => name === device)) return;
  if (reader.nft.look(HOLD_TABLE) !== 'missing') await releasePorts();
  const sysctls = borrowSysctls(join(stateDirectory, SYSCTL_FILE), () => {});
  const isLeft = reader.nft.look(NFT_TABLE) !== 'missing' || inKernel(reader)(MARK_RULE);
  if (isLeft) await takeBack(reader, sysctls);
  else sysctls.restore();
}
