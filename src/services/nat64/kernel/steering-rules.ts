/** The policy rules that steer packets to us, and the removal of everything that was set in the kernel. */
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
 * The rule for the local table normally has preference 0, so that no rule can come before it. We move it after ours. It keeps the
 * protocol "kernel", so that other programs do not touch it.
 */
const MOVED_LOCAL_RULE: RuleItem = {
  kind: 'rule',
  family: 4,
  preference: 65,
  table: TABLE.local,
  protocol: 'kernel',
};
const LOCAL_IS_LAST: RuleOrderItem = { kind: 'rule-order', family: 4, table: TABLE.local, preference: 65 };
/** Set in this order, so that there is a rule for the local table at every moment. */
export const RULES: readonly KernelItem[] = [MOVED_LOCAL_RULE, MARK_RULE, LOCAL_IS_LAST];

const basicRule = (family: 4 | 6, preference: number, table: number): RuleItem => ({
  kind: 'rule',
  family,
  preference,
  table,
  protocol: 'kernel',
});
/** The rules that the kernel has at boot, besides that for the local table. */
const KERNELS_RULES = [
  basicRule(4, 32_766, TABLE.main),
  basicRule(4, 32_767, TABLE.default),
  basicRule(6, 32_766, TABLE.main),
];

/**
 * The basic rules that the machine should have. `ip rule flush` also removes the rules for the main and the default table, and so
 * leaves the machine without any route. Nobody wants that, so if there is no rule for the main table, the kernel's own rules
 * count as missing.
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

/** Moves the rule for the local table back to its place. Also removes the rules that a killed process has left. */
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

/** Removes everything that does not disappear with the device: nftables table, rules, routes and kernel parameters. */
export async function takeBack(reader: KernelReader, sysctls: BorrowedSysctls): Promise<void> {
  // Each step is done even if others fail; the first failure is reported.
  const results = await Promise.allSettled([
    deleteNftTable(NFT_TABLE),
    removeRules(reader),
    ipBatch([`route flush table ${ROUTE_TABLE}`]),
  ]);
  sysctls.restore();
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/**
 * Removes what a killed process has left, if this process does not translate: otherwise the packets would be dropped for ever. If
 * the device exists, another process translates, and everything belongs to that process.
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
