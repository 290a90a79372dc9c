/** The keeper with a simulated kernel (plain data), and a clock that the test sets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Difference,
  type KernelItem,
  NOTHING_FOUND,
  compareState,
  itemKey,
} from '../../../src/os/kernel-state/items.ts';
import type { Changes } from '../../../src/os/network-changes.ts';
import type { AppEvent } from '../../../src/runtime/events.ts';
import type { NoticeFound } from '../../../src/runtime/own-events.ts';
import { createKernelKeeper } from '../../../src/runtime/kernel-keeper.ts';
import {
  CALM_MS,
  FIRST_WAIT_MS,
  FREE_REPAIRS,
  LONGEST_RETRY_MS,
  LONGEST_WAIT_MS,
  waitAfterRepairsMs,
} from '../../../src/runtime/kernel-trouble.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { english } from '../../../src/texts/text.ts';

const sysctl = (name: string, value = '1'): KernelItem => ({ kind: 'sysctl', name, value });
const FORWARD = sysctl('net/ipv4/ip_forward');
const TABLE: KernelItem = { kind: 'nftables', table: 'inet t', body: 'chain c {}' };

/** `refuses`: keys that the kernel does not accept. `spoils`: keys that are removed again before they are read back. */
function setUp(items: readonly KernelItem[]) {
  let nowMs = 0;
  let wanted = items;
  const sysctls = new Map<string, string>();
  const tables = new Map<string, string>();
  const refuses = new Map<string, Error>();
  const spoils = new Set<string>();
  const reported: string[] = [];
  const applied: string[][] = [];
  const read = () => ({ wanted, found: { ...NOTHING_FOUND, sysctls, tables } });
  const put = (item: KernelItem) => {
    if (item.kind === 'sysctl') sysctls.set(item.name, item.value);
    if (item.kind === 'nftables') tables.set(item.table, item.body);
  };
  const keeper = createKernelKeeper({
    service: 'some',
    read,
    async apply(differences: readonly Difference[]) {
      applied.push(differences.map(({ item }) => itemKey(item)));
      for (const { item } of differences)
        if (!refuses.has(itemKey(item)) && !spoils.has(itemKey(item))) put(item);
      return refuses;
    },
    events: {
      put(event: AppEvent) {
        if (event.kind !== 'notice') return;
        const { severity, text } = event as NoticeFound;
        reported.push(`${severity} ${english(text)}`);
      },
    },
    log: silentLog,
    monotonicMs: () => nowMs,
    now: () => nowMs,
  });
  return {
    keeper,
    sysctls,
    tables,
    refuses,
    spoils,
    reported,
    applied,
    want: (next: readonly KernelItem[]) => {
      wanted = next;
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
    look: (by: Changes['by'] = new Map()) => keeper.look(by),
    problem: () => english(keeper.problem() ?? ''),
    isInPlace: () => compareState(wanted, read().found).length === 0,
  };
}

test('new items are put in place without a report; existing items are left alone', async () => {
  const world = setUp([FORWARD, TABLE]);
  world.sysctls.set('net/ipv4/ip_forward', '1');
  assert.deepEqual(await world.look(), []);
  assert.deepEqual(world.applied, [['nftables inet t']]);
  await world.look();
  assert.equal(world.applied.length, 1);
  world.want([FORWARD, { ...TABLE, body: 'chain other {}' }]);
  await world.look();
  assert.equal(world.tables.get('inet t'), 'chain other {}');
  assert.deepEqual(world.reported, []);
});

test('changes by another program are undone at the next check, and reported with its name', async () => {
  const world = setUp([FORWARD, sysctl('a'), TABLE]);
  await world.look();
  world.sysctls.set('net/ipv4/ip_forward', '0').set('a', '7');
  world.tables.clear();
  await world.look(new Map([['nftables', { pid: 812, name: 'nft' }]]));
  assert.ok(world.isInPlace());
  assert.deepEqual(world.reported, [
    'ok The program nft (process 812) removed the nftables table inet t; put back.',
    'ok Another program changed the kernel parameter net.ipv4.ip_forward, the kernel parameter a; put back.',
  ]);
  world.tables.clear();
  await world.look(new Map([['nftables', { pid: 813, name: undefined }]]));
  assert.match(world.reported[2], /^ok Process 813 removed/);
  assert.equal(world.problem(), '');
  assert.deepEqual(world.keeper.contests(), []);
});

test('many items are counted instead of listed', async () => {
  const items = Array.from({ length: 9 }, (_, i) => sysctl(`p${i}`));
  const world = setUp(items);
  await world.look();
  for (const { name } of items as { name: string }[]) world.sysctls.set(name, '0');
  await world.look();
  assert.match(world.reported[0], /parameter p3 and 5 more; put back/);
});

test('kernel parameters that a read-only /proc refuses, as in a container: one sentence with the reason', async () => {
  const world = setUp([sysctl('net/ipv4/ip_forward'), sysctl('net/ipv6/conf/all/forwarding')]);
  for (const name of ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding']) {
    const cause = Object.assign(new Error(`EROFS: read-only file system, open '/proc/sys/${name}'`), {
      code: 'EROFS',
      syscall: 'open',
      path: `/proc/sys/${name}`,
    });
    world.refuses.set(`sysctl ${name}`, new Error(`sysctl ${name}: cannot set "1"`, { cause }));
  }
  await world.look();
  assert.equal(
    world.problem(),
    'the kernel parameter net.ipv4.ip_forward, the kernel parameter net.ipv6.conf.all.forwarding cannot be set in the kernel: EROFS: read-only file system.',
  );
});

test('an item that the kernel refuses: a problem, reported once for each reason, retried less and less often', async () => {
  const world = setUp([FORWARD, TABLE]);
  world.refuses.set('nftables inet t', new Error('no such device'));
  assert.deepEqual((await world.look()).map(english), ['no such device']);
  assert.equal(world.problem(), 'the nftables table inet t cannot be set in the kernel: no such device.');
  assert.equal(world.sysctls.get('net/ipv4/ip_forward'), '1', 'the rest is in place');
  let attempts = world.applied.length;
  for (let second = 0; second < 600; second++) {
    world.pass(1000);
    if (world.keeper.isDue()) await world.look();
  }
  attempts = world.applied.length - attempts;
  assert.ok(
    attempts >= 600_000 / LONGEST_RETRY_MS && attempts <= 600_000 / LONGEST_RETRY_MS + 7,
    `${attempts}`,
  );
  assert.equal(world.reported.length, 1);
  world.refuses.clear();
  world.pass(LONGEST_RETRY_MS);
  assert.ok(world.keeper.isDue());
  assert.deepEqual(await world.look(), []);
  assert.equal(world.problem(), '');
  assert.deepEqual(world.keeper.contests(), []);
  assert.deepEqual(world.reported.length, 1);
});

test('removed again and again: some repairs at once, then longer and longer waits; degraded in the meantime, and the program is named', async () => {
  const world = setUp([FORWARD, TABLE]);
  await world.look();
  const by: Changes['by'] = new Map([['nftables', { pid: 9, name: 'firewalld' }]]);
  const repairedAtMs: number[] = [];
  // For an hour, a program removes it each second.
  for (let second = 0; second < 3600; second++) {
    world.tables.clear();
    await world.look(by);
    if (world.isInPlace()) repairedAtMs.push(second * 1000);
    assert.equal(world.problem() === '', world.isInPlace());
    world.pass(1000);
  }
  assert.deepEqual(repairedAtMs.slice(0, FREE_REPAIRS), [0, 1000, 2000, 3000, 4000]);
  const gaps = repairedAtMs.slice(FREE_REPAIRS - 1).map((ms, i, all) => (all[i + 1] ?? Number.NaN) - ms);
  assert.deepEqual(gaps.slice(0, -1), [60_000, 120_000, 240_000, 480_000, 900_000, 900_000]);
  assert.match(
    world.problem(),
    /^The program firewalld \(process 9\) removes or changes the nftables table inet t again and again/,
  );
  const [contest, ...others] = world.keeper.contests();
  assert.deepEqual(others, []);
  assert.deepEqual([english(contest.who), contest.isMissing], ['The program firewalld (process 9)', true]);
  assert.equal(contest.times, repairedAtMs.length);
  assert.equal(world.reported.filter((text) => text.startsWith('warn')).length, 1);
  // The program stops: the item is put back after the wait, and the conflict is forgotten when the item has been left alone for long.
  world.pass(LONGEST_WAIT_MS);
  assert.ok(world.keeper.isDue());
  await world.look(by);
  assert.equal(world.problem(), '');
  assert.equal(world.keeper.contests()[0].isMissing, false);
  world.pass(Math.max(CALM_MS, 2 * LONGEST_WAIT_MS) + 1);
  await world.look();
  assert.deepEqual(world.keeper.contests(), []);
  world.tables.clear();
  await world.look();
  assert.ok(world.isInPlace(), 'repaired at once again');
});

test('removed before it can be read back: a conflict as well', async () => {
  const world = setUp([TABLE]);
  await world.look();
  world.tables.clear();
  world.spoils.add('nftables inet t');
  for (let i = 0; i < FREE_REPAIRS; i++) await world.look();
  assert.match(world.problem(), /again and again/);
  assert.ok(!world.keeper.isDue());
  world.spoils.clear();
  world.pass(FIRST_WAIT_MS);
  await world.look();
  assert.equal(world.problem(), '');
});

const OTHER_TABLE: KernelItem = { ...TABLE, body: 'chain other {}' };
const FIGHT = async (world: ReturnType<typeof setUp>) => {
  await world.look();
  for (let i = 0; i < FREE_REPAIRS; i++) {
    world.tables.clear();
    await world.look();
  }
};
for (const { before, prepare, times } of [
  { before: 'it was put back again and again, and is there', prepare: FIGHT, times: FREE_REPAIRS },
  {
    before: 'it was put back again and again, and is missing',
    times: FREE_REPAIRS,
    async prepare(world: ReturnType<typeof setUp>) {
      await FIGHT(world);
      world.tables.clear();
      await world.look();
      assert.match(world.problem(), /again and again/);
    },
  },
  {
    before: 'the kernel has refused it',
    times: 0,
    async prepare(world: ReturnType<typeof setUp>) {
      world.refuses.set('nftables inet t', new Error('no such device'));
      await world.look();
      world.refuses.clear();
    },
  },
]) {
  test(`our own change does not wait, and no program is blamed: ${before}`, async () => {
    const world = setUp([TABLE]);
    await prepare(world);
    const { length } = world.reported;
    world.want([OTHER_TABLE]);
    await world.look();
    assert.ok(world.isInPlace());
    assert.equal(world.problem(), '');
    assert.equal(world.reported.length, length);
    // The count of the conflict continues where it was.
    assert.equal(world.keeper.contests()[0]?.times ?? 0, times);
    world.tables.clear();
    await world.look();
    assert.equal(world.isInPlace(), times === 0);
  });
}

test('put back by another program: no problem is left', async () => {
  const world = setUp([TABLE]);
  world.refuses.set('nftables inet t', new Error('busy'));
  await world.look();
  world.tables.set('inet t', 'chain c {}');
  await world.look();
  assert.equal(world.problem(), '');
});

test('the waiting times', () => {
  assert.deepEqual(
    [1, FREE_REPAIRS - 1, FREE_REPAIRS, FREE_REPAIRS + 1, FREE_REPAIRS + 40].map(waitAfterRepairsMs),
    [0, 0, FIRST_WAIT_MS, 2 * FIRST_WAIT_MS, LONGEST_WAIT_MS],
  );
});
