/** Sessions that survive the process: encoding and decoding, and which sessions fit changed settings. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, test } from 'node:test';
import fc from 'fast-check';
import { createConditions } from '../../../../src/runtime/conditions.ts';
import { listBib, listSessions } from '../../../../src/services/nat64/tables/inspect.ts';
import { restoreSessions } from '../../../../src/services/nat64/control/restore.ts';
import {
  createSessionFile,
  readSessions,
  writeSessions,
} from '../../../../src/services/nat64/control/snapshot-file.ts';
import {
  type Snapshot,
  snapshotSessions,
  takeSnapshot,
} from '../../../../src/services/nat64/control/snapshot.ts';
import {
  decodeSnapshot,
  encodeSnapshot,
  sessionsDigest,
} from '../../../../src/services/nat64/control/snapshot-bytes.ts';
import { CONTROL } from '../../../../src/services/nat64/tables/tables.ts';
import { HOST, type Harness, type HarnessOptions, POOL4, REMOTE, createHarness, pool } from './harness.ts';
import { english } from '../../../../src/texts/text.ts';
import { type Bytes, TCP_FLAGS, address, readU16, readU32, tcp, udp } from './packets.ts';

const PREFIXES = ['64:ff9b::/96', '2001:db8:64::/96'];
const TWO: HarnessOptions = { extraPrefixes: [PREFIXES[1]] };
const { SYN, ACK } = TCP_FLAGS;

/** A harness with `count` UDP sessions, one established TCP connection, and one through the second prefix. */
function busy(count = 3): Harness {
  const harness = createHarness({ ...TWO, maxSessions: 2048 });
  harness.setTime(100);
  const out = { source: HOST, destination: `64:ff9b::${REMOTE}`, destinationPort: 53 };
  for (let i = 0; i < count; i++) harness.send(udp({ ...out, sourcePort: 5000 + i }));
  const syn = harness.send(tcp({ ...out, sourcePort: 6000, flags: SYN })) as Bytes;
  const back = { source: REMOTE, destination: POOL4, sourcePort: 53, destinationPort: readU16(syn, 20) };
  harness.send(tcp({ ...back, flags: SYN | ACK }));
  harness.send(udp({ ...out, destination: `2001:db8:64::${REMOTE}`, sourcePort: 7000 }));
  return harness;
}

const snapshotOf = ({ translator }: Harness, nowSeconds = 100): Snapshot =>
  takeSnapshot(translator.tables, PREFIXES, nowSeconds, 1_000_000);

async function contentsOf({ translator }: Harness, nowSeconds: number) {
  const page = { cursor: 0, limit: 500 };
  const byKey = (a: object, b: object) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  const sessions = await listSessions(translator, {}, page, nowSeconds);
  const bib = await listBib(translator, {}, page);
  return { sessions: sessions.rows.sort(byKey), bib: bib.rows.sort(byKey) };
}

const order = (snapshot: Snapshot, elapsedSeconds = 0, prefixes = [0, 1]) => ({
  snapshot,
  elapsedSeconds,
  prefixes,
});
const sessionCount = ({ translator }: Harness) => translator.tables.control[CONTROL.SESSION_COUNT];
const bibCount = ({ translator }: Harness) => translator.tables.control[CONTROL.BIB_COUNT];

test('encoded and restored: the same sessions, mappings, states and prefixes', async () => {
  const before = busy();
  const decoded = decodeSnapshot(encodeSnapshot(snapshotOf(before)));
  assert.ok(typeof decoded !== 'string', decoded as string);
  const after = createHarness(TWO);
  after.setTime(7);
  assert.equal(restoreSessions(after.translator, order(decoded)), 5);
  assert.deepEqual(await contentsOf(after, 7), await contentsOf(before, 100));
  assert.equal(after.counters()['sessions-restored'], 5);
  const fields = { source: REMOTE, destination: POOL4, sourcePort: 53 };
  const { rows } = await listBib(after.translator, { protocol: 'udp' }, { cursor: 0, limit: 9 });
  const port = rows.find(({ clientPort }) => clientPort === 7000)?.poolPort as number;
  const inward = after.send(udp({ ...fields, destinationPort: port })) as Bytes;
  assert.equal(Buffer.from(inward.slice(8, 16)).toString('hex'), '20010db800640000', 'the second prefix');
});

test('lifetimes are shorter by the time that has passed, and some have ended', async () => {
  const snapshot = snapshotOf(busy());
  const after = createHarness(TWO);
  after.setTime(7);
  assert.equal(restoreSessions(after.translator, order(snapshot, 300)), 1, 'no UDP session');
  const { sessions, bib } = await contentsOf(after, 7);
  assert.deepEqual(
    sessions.map(({ state, endsInSeconds }) => [state, endsInSeconds]),
    [['ESTABLISHED', 7140]],
  );
  assert.equal(bib.length, 1, 'no mapping without a session');
  after.setTime(7 + 7140);
  assert.equal(sessionCount(after), 1);
  assert.equal(after.setTime(7 + 7141).length, 1, 'the host is probed');
  after.setTime(7 + 7141 + 241);
  assert.equal(sessionCount(after), 0);
});

describe('sessions that do not fit are left out', () => {
  const rows: [title: string, options: HarnessOptions, expected: number, prefixes?: number[]][] = [
    ['another address', { ...TWO, pool4: '192.0.2.200' }, 0],
    ['other ports', { ...TWO, ports: [1024, 2000] }, 0],
    ['a host that is no longer allowed', { ...TWO, allow: ['2001:db8:9::/64'] }, 0],
    ['another protocol only', { ...TWO, settings: { pools: [pool(0, 32_768, 65_535, 1)] } }, 1],
    ['a removed prefix', {}, 4, [0, -1]],
    ['prefixes that changed places', TWO, 5, [1, 0]],
    ['both prefixes removed', TWO, 0, [-1, -1]],
  ];
  for (const [title, options, expected, prefixes] of rows) {
    test(title, () => {
      const after = createHarness(options);
      assert.equal(restoreSessions(after.translator, order(snapshotOf(busy()), 0, prefixes)), expected);
      assert.equal(sessionCount(after), expected);
    });
  }

  test('a port, or a host, that has another mapping now', () => {
    const snapshot = snapshotOf(busy(1));
    const after = createHarness({ ...TWO, random: () => 5 });
    const out = { source: HOST, destination: `64:ff9b::${REMOTE}`, destinationPort: 53 };
    after.send(udp({ ...out, sourcePort: 5000 }));
    assert.equal(restoreSessions(after.translator, order(snapshot)), 2);
    assert.equal(bibCount(after), 3);
  });

  test('more than there is room for: the tables stay consistent', () => {
    const snapshot = snapshotOf(busy(1020));
    const after = createHarness({ ...TWO, maxSessions: 1024 });
    const out = { destination: `64:ff9b::${REMOTE}`, destinationPort: 53, sourcePort: 1 };
    for (let i = 0; i < 10; i++) after.send(udp({ ...out, source: `2001:db8:1::a${i}` }));
    restoreSessions(after.translator, order(snapshot));
    assert.equal(sessionCount(after), 1024);
    assert.equal(bibCount(after), 1024);
  });

  test('restoring twice has the same result as once', () => {
    const snapshot = snapshotOf(busy());
    const after = createHarness(TWO);
    restoreSessions(after.translator, order(snapshot));
    assert.equal(restoreSessions(after.translator, order(snapshot)), 0);
    assert.equal(sessionCount(after), 5);
  });

  test('nonsense with a correct checksum does no harm', () => {
    const word = fc.oneof(fc.integer(), fc.integer({ min: -2, max: 9 }), fc.constantFrom(...address(HOST)));
    const arbitrary = fc.record({
      bib: fc.array(word, { maxLength: 60 }),
      sessions: fc.array(word, { maxLength: 60 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ bib, sessions }) => {
        const after = createHarness({ ...TWO, allow: ['::/0'], ports: [1, 65_535] });
        const cut = (list: number[], unit: number) =>
          Int32Array.from(list.slice(0, list.length - (list.length % unit)));
        const addresses = Int32Array.of(readU32(address(POOL4), 0) | 0, ...Array<number>(15).fill(0));
        const nonsense = {
          savedAtMs: 0,
          prefixes: PREFIXES,
          addresses,
          bib: cut(bib, 6),
          sessions: cut(sessions, 4),
        };
        const decoded = decodeSnapshot(encodeSnapshot(nonsense));
        assert.deepEqual(decoded, nonsense);
        restoreSessions(after.translator, order(nonsense));
        after.setTime(100_000);
        after.setTime(200_000);
        assert.deepEqual([sessionCount(after), bibCount(after)], [0, 0]);
      }),
    );
  });
});

test('other bytes are distinguished from a snapshot', () => {
  const good = encodeSnapshot(snapshotOf(busy()));
  for (let at = 0; at < good.length; at++) {
    const bad = good.slice();
    bad[at] ^= 0x10;
    assert.equal(typeof decodeSnapshot(bad), 'string', `byte ${at}`);
  }
  for (const length of [0, 4, 140, good.length - 4, good.length - 1])
    assert.equal(typeof decodeSnapshot(good.slice(0, length)), 'string');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => typeof decodeSnapshot(bytes) === 'string'),
  );
});

describe('which sessions are kept if not all can be', () => {
  const { tables } = busy(20).translator;
  const take = (kept: 'all' | 'established', limit: number) =>
    takeSnapshot(tables, PREFIXES, 100, 0, kept, limit);

  test('established connections come first', () => {
    for (const limit of [1, 2, 10]) {
      const after = createHarness(TWO);
      assert.equal(restoreSessions(after.translator, order(take('all', limit))), limit);
      assert.equal(after.setTime(7000).length, 0);
      assert.equal(sessionCount(after), 1, 'UDP has ended');
    }
    assert.equal(snapshotSessions(take('all', 100)), 22);
  });

  test('only established connections', async () => {
    const after = createHarness(TWO);
    assert.equal(restoreSessions(after.translator, order(take('established', 100))), 1);
    const { sessions, bib } = await contentsOf(after, 0);
    assert.deepEqual([sessions[0].state, bib.length], ['ESTABLISHED', 1]);
  });

  test('a session whose mapping has been removed meanwhile is left out', () => {
    const { tables } = busy(1).translator;
    const [first] = [...takeSnapshot(tables, PREFIXES, 100, 0).bib.subarray(4, 5)];
    for (let at = 8; at < tables.bib.length; at += 8)
      if (tables.bib[at + 4] === first) tables.bib[at + 5] = 0;
    const snapshot = takeSnapshot(tables, PREFIXES, 100, 0);
    assert.equal(snapshotSessions(snapshot), 2);
    assert.ok(!snapshot.bib.includes(first));
  });

  test('the digest covers the connections, not their lifetimes', () => {
    const harness = busy();
    const at = (nowSeconds: number) => sessionsDigest(snapshotOf(harness, nowSeconds));
    const before = at(100);
    assert.equal(at(150), before);
    harness.send(udp({ source: HOST, destination: `64:ff9b::${REMOTE}`, sourcePort: 9, destinationPort: 9 }));
    assert.notEqual(at(150), before);
  });
});

describe('the file', () => {
  const silent = { info() {}, error() {} };
  function directory(t: TestContext): string {
    const path = mkdtempSync(join(tmpdir(), 'tombolo-snapshot-'));
    t.after(() => rmSync(path, { recursive: true }));
    return path;
  }
  const warnings: string[] = [];
  const log = { info() {}, warn: (fields: object) => void warnings.push(JSON.stringify(fields)) };

  test('is read only once', async (t) => {
    const path = directory(t);
    const snapshot = snapshotOf(busy());
    await writeSessions(path, snapshot, silent);
    assert.deepEqual(await readSessions(path, true, log), snapshot);
    assert.deepEqual(readdirSync(path), []);
    assert.equal(await readSessions(path, true, log), undefined);
  });

  test('is removed if it is not wanted', async (t) => {
    const path = directory(t);
    await writeSessions(path, snapshotOf(busy()), silent);
    assert.equal(await readSessions(path, false, log), undefined);
    assert.deepEqual(readdirSync(path), []);
  });

  test('a damaged file is moved aside, and the log says why', async (t) => {
    const path = directory(t);
    await writeSessions(path, snapshotOf(busy()), silent);
    const [name] = readdirSync(path);
    const bytes = readFileSync(join(path, name));
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(join(path, name), bytes);
    assert.equal(await readSessions(path, true, log), undefined);
    assert.match(warnings.at(-1) ?? '', /its checksum is wrong/);
    assert.deepEqual(readdirSync(path), [`${name}.damaged-1`]);
  });

  test('a directory in its place does not prevent the start', async (t) => {
    const path = directory(t);
    mkdirSync(join(path, 'nat64-sessions.bin', 'x'), { recursive: true });
    assert.equal(await readSessions(path, true, log), undefined);
  });

  /** A file kept up to date for a busy translator, on a disk with `freeBytes` free. */
  function running(path: string, disk = { freeBytes: 1e9 }) {
    const harness = busy();
    const conditions = createConditions();
    const file = createSessionFile({
      stateDirectory: path,
      log: { ...silent, warn() {} },
      conditions,
      nowMs: 0,
      freeBytes: () => Promise.resolve(disk.freeBytes),
    });
    let asked = 0;
    const keepAt = async (minute: number, from = harness) => {
      await file.keepNowAndThen(minute * 60_000, (kept) => {
        asked++;
        return takeSnapshot(from.translator.tables, PREFIXES, 100, minute * 60_000, kept);
      });
      return asked;
    };
    const problem = () => {
      const text = conditions.reports().find(({ name }) => name === 'storage')?.status.problem;
      return text === undefined ? undefined : english(text);
    };
    const savedAt = () => {
      const decoded = decodeSnapshot(readFileSync(join(path, 'nat64-sessions.bin')));
      assert.ok(typeof decoded !== 'string');
      return { minute: decoded.savedAtMs / 60_000, sessions: snapshotSessions(decoded) };
    };
    return { harness, file, disk, keepAt, problem, savedAt };
  }

  test('is written a minute after the start, then every 10 minutes if the connections have changed', async (t) => {
    const path = directory(t);
    const { harness, keepAt, savedAt } = running(path);
    assert.equal(await keepAt(0.9), 0, 'the tables are not even read');
    assert.deepEqual(readdirSync(path), []);
    assert.equal(await keepAt(1), 1);
    assert.deepEqual(savedAt(), { minute: 1, sessions: 1 });
    assert.equal(await keepAt(10.9), 1);
    for (const minute of [11, 21, 31, 41, 51]) await keepAt(minute);
    assert.equal(savedAt().minute, 1, 'the same connections');
    await keepAt(61);
    assert.equal(savedAt().minute, 61, 'the lifetimes in the file are an hour old');
    const out = { source: HOST, destination: `64:ff9b::${REMOTE}`, destinationPort: 53, sourcePort: 6001 };
    const syn = harness.send(tcp({ ...out, flags: SYN })) as Bytes;
    await keepAt(71);
    assert.equal(savedAt().minute, 61, 'a connection that is only opening');
    const back = { source: REMOTE, destination: POOL4, sourcePort: 53, destinationPort: readU16(syn, 20) };
    harness.send(tcp({ ...back, flags: SYN | ACK }));
    await keepAt(81);
    assert.deepEqual(savedAt(), { minute: 81, sessions: 2 });
    await keepAt(91, createHarness(TWO));
    assert.deepEqual(readdirSync(path), [], 'nothing is left to keep');
  });

  test('a full disk is reported, not filled to the last byte, and retried', async (t) => {
    const path = directory(t);
    const { harness, file, disk, keepAt, problem, savedAt } = running(path, { freeBytes: 8 * 1024 * 1024 });
    await keepAt(1);
    assert.deepEqual(readdirSync(path), []);
    assert.match(problem() ?? '', /^NAT64 cannot keep its sessions across a restart: 8388608 bytes are free/);
    await file.keepLast(snapshotOf(harness));
    assert.deepEqual(readdirSync(path), []);
    disk.freeBytes *= 2;
    await keepAt(11);
    assert.equal(problem(), undefined);
    assert.equal(savedAt().minute, 11);
    await file.remove();
    await file.remove();
    assert.deepEqual(readdirSync(path), []);
  });

  test('a missing directory is reported, and does not prevent the stop', async (t) => {
    const path = directory(t);
    const { harness, file, problem } = running(join(path, 'gone'));
    await file.keepLast(snapshotOf(harness));
    assert.match(problem() ?? '', /could not write .*ENOENT/);
  });
});
