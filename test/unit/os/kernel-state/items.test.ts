/**
 * Wanted state compared with found state. A row is (title, item, the difference from a state without problems, the reported
 * difference).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipCommands, ruleCommand } from '../../../../src/os/kernel-state/apply.ts';
import {
  BLACKHOLE,
  type Difference,
  type FoundRule,
  type FoundState,
  type KernelItem,
  NOTHING_FOUND,
  type RouteItem,
  type RuleItem,
  TABLE,
  compareState,
  itemName,
  localOver,
  routeKey,
} from '../../../../src/os/kernel-state/items.ts';
import { english } from '../../../../src/texts/text.ts';
import { parseIpPrefix } from '../../../../src/wire/ip-prefix.ts';

const LINK: KernelItem = { kind: 'link', device: 'tun', index: 7, mtuBytes: 1500, txQueuePackets: 1000 };
const ROUTE: KernelItem = {
  kind: 'route',
  family: 6,
  prefix: '64:ff9b::/96',
  table: TABLE.main,
  device: 'tun',
};
const LOCAL: RouteItem = {
  kind: 'route',
  family: 6,
  prefix: '2001:db8:64::/96',
  table: TABLE.local,
  device: 'lo',
  isLocal: true,
};
const ROUTE4: KernelItem = { kind: 'route', family: 4, prefix: '0.0.0.0/0', table: 6464, device: 'tun' };
const HOLE: KernelItem = { kind: 'route', family: 4, prefix: '0.0.0.0/0', table: 6464, device: null };
const RULE: RuleItem = {
  kind: 'rule',
  family: 4,
  preference: 64,
  mark: { value: 0x6400_0000, mask: 0xff00_0000 },
  table: 6464,
};
const ORDER: KernelItem = { kind: 'rule-order', family: 4, table: TABLE.local, preference: 65 };
const SYSCTL: KernelItem = { kind: 'sysctl', name: 'net/ipv4/ip_forward', value: '1' };
const NFT: KernelItem = { kind: 'nftables', table: 'inet t', body: 'chain c {}' };
const PROGRAM: KernelItem = { kind: 'program', device: 'wan' };

const keyOf = (prefix: string, table: number, device = 'tun') => {
  const { address, prefixBits } = parseIpPrefix(prefix)!;
  return routeKey(address, prefixBits, table, device);
};
const found: FoundRule = {
  family: 4,
  preference: 64,
  table: 6464,
  mark: 0x6400_0000,
  mask: 0xff00_0000,
  isPlain: true,
};
const local: FoundRule = { family: 4, preference: 65, table: TABLE.local, mark: 0, mask: 0, isPlain: true };
const link = { name: 'tun', isUp: true, mtuBytes: 1500, txQueuePackets: 1000 };
const WELL: FoundState = {
  links: new Map([[7, link]]),
  routes: new Set([
    keyOf('64:ff9b::/96', TABLE.main),
    keyOf('0.0.0.0/0', 6464),
    keyOf('0.0.0.0/0', 6464, BLACKHOLE),
    keyOf('2001:db8:64::/96', TABLE.local, localOver('lo')),
  ]),
  rules: [found, local],
  sysctls: new Map([['net/ipv4/ip_forward', '1']]),
  tables: new Map([['inet t', 'chain c {}']]),
  programs: new Set(['wan']),
};
const ALL = [LINK, ROUTE, LOCAL, ROUTE4, HOLE, RULE, ORDER, SYSCTL, NFT, PROGRAM];

const ROWS: readonly [string, KernelItem, Partial<FoundState>, Difference['how'] | undefined][] = [
  ['down', LINK, { links: new Map([[7, { ...link, isUp: false }]]) }, 'changed'],
  ['another MTU', LINK, { links: new Map([[7, { ...link, mtuBytes: 1400 }]]) }, 'changed'],
  ['another queue', LINK, { links: new Map([[7, { ...link, txQueuePackets: 5 }]]) }, 'changed'],
  ['another device of the same name', LINK, { links: new Map([[8, link]]) }, 'removed'],
  ['over another device', ROUTE, { routes: new Set([keyOf('64:ff9b::/96', TABLE.main, 'eth0')]) }, 'removed'],
  ['in another table', ROUTE4, { routes: new Set([keyOf('0.0.0.0/0', TABLE.main)]) }, 'removed'],
  ['only over the device', HOLE, { routes: new Set([keyOf('0.0.0.0/0', 6464)]) }, 'removed'],
  ['another length', ROUTE, { routes: new Set([keyOf('64:ff9b::/64', TABLE.main)]) }, 'removed'],
  ['no local route', LOCAL, { routes: new Set([keyOf('2001:db8:64::/96', TABLE.local, 'lo')]) }, 'removed'],
  ['a local route that must not be there', { ...LOCAL, isAbsent: true }, {}, 'changed'],
  ['a route that must not exist', { ...ROUTE, isAbsent: true }, {}, 'changed'],
  ['the route does not exist', { ...ROUTE, isAbsent: true }, { routes: new Set() }, undefined],
  ['no rule', RULE, { rules: [local] }, 'removed'],
  ['another mark', RULE, { rules: [{ ...found, mark: 1 }] }, 'removed'],
  ['another mask', RULE, { rules: [{ ...found, mask: 0xffff_ffff }] }, 'removed'],
  ['another table', RULE, { rules: [{ ...found, table: TABLE.main }] }, 'removed'],
  ['another preference', RULE, { rules: [{ ...found, preference: 63 }] }, 'removed'],
  ['more selectors', RULE, { rules: [{ ...found, isPlain: false }] }, 'removed'],
  ['of IPv6', RULE, { rules: [{ ...found, family: 6 }] }, 'removed'],
  ['twice', RULE, { rules: [found, found] }, undefined],
  ['the local table first', ORDER, { rules: [{ ...local, preference: 0 }, local] }, 'changed'],
  [
    'the local table first for some packets',
    ORDER,
    { rules: [{ ...local, preference: 0, isPlain: false }] },
    undefined,
  ],
  ['another value', SYSCTL, { sysctls: new Map([['net/ipv4/ip_forward', '0']]) }, 'changed'],
  ['the parameter does not exist', SYSCTL, { sysctls: new Map() }, 'changed'],
  ['no table', NFT, { tables: new Map() }, 'removed'],
  ['touched', NFT, { tables: new Map([['inet t', undefined]]) }, 'changed'],
  ['an older body', NFT, { tables: new Map([['inet t', 'chain b {}']]) }, 'changed'],
  ['detached', PROGRAM, { programs: new Set() }, 'removed'],
];

test('all as wanted', () => assert.deepEqual(compareState(ALL, WELL), []));
test('nothing there: all of it, in its order', () =>
  assert.deepEqual(
    compareState(ALL, NOTHING_FOUND).map(({ item }) => item.kind),
    ['link', 'route', 'route', 'route', 'route', 'rule', 'sysctl', 'nftables', 'program'],
  ));
for (const [title, item, changes, how] of ROWS) {
  test(`${english(itemName(item))}: ${title}: ${how ?? 'as wanted'}`, () => {
    assert.equal(compareState([item], { ...WELL, ...changes })[0]?.how, how);
  });
}

const first = {
  ...WELL,
  rules: [
    { ...local, preference: 0 },
    { ...local, preference: 5 },
  ],
};
const COMMANDS: readonly [KernelItem, readonly string[]][] = [
  [LINK, ['link set dev tun mtu 1500 txqueuelen 1000', 'link set dev tun up']],
  [ROUTE, ['route replace 64:ff9b::/96 dev tun table 254']],
  [ROUTE4, ['route replace 0.0.0.0/0 dev tun table 6464']],
  [HOLE, ['route replace blackhole 0.0.0.0/0 metric 4294967295 table 6464']],
  [{ ...ROUTE, isAbsent: true }, ['route del 64:ff9b::/96 dev tun table 254']],
  [LOCAL, ['route replace local 2001:db8:64::/96 dev lo table 255 protocol 164']],
  [{ ...LOCAL, isAbsent: true }, ['route del local 2001:db8:64::/96 dev lo table 255 protocol 164']],
  [RULE, ['rule add pref 64 fwmark 0x64000000/0xff000000 lookup 6464']],
  [
    { kind: 'rule', family: 4, preference: 65, table: TABLE.local, protocol: 'kernel' },
    ['rule add pref 65 lookup 255 protocol kernel'],
  ],
  [ORDER, ['rule del pref 0 lookup 255', 'rule del pref 5 lookup 255']],
];
for (const [item, commands] of COMMANDS)
  test(`ip ${commands.join('; ')}`, () => assert.deepEqual(ipCommands(item, first), commands));

test('only this rule is deleted', () =>
  assert.equal(ruleCommand('del', RULE), 'rule del pref 64 fwmark 0x64000000/0xff000000 lookup 6464'));
