/** The main thread's view of the tables, compared with plain lists of the inserted entries. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import type { BibRow, Page, PageRequest, SessionRow } from '../../../../src/services/nat64/questions.ts';
import { attachTables } from '../../../../src/services/nat64/tables/attach-tables.ts';
import { addBib } from '../../../../src/services/nat64/tables/bib.ts';
import { PROTOCOLS } from '../../../../src/services/nat64/packet/packet.ts';
import { type TablesView, listBib, listSessions } from '../../../../src/services/nat64/tables/inspect.ts';
import { createQueries } from '../../../../src/services/nat64/control/queries.ts';
import { addSession, removeSession } from '../../../../src/services/nat64/tables/sessions.ts';
import {
  BIB,
  CONTROL,
  RECORD_WORDS,
  SESSION,
  createSharedTables,
} from '../../../../src/services/nat64/tables/tables.ts';
import { poolUse, topClients } from '../../../../src/services/nat64/tables/usage.ts';
import type { Churn } from './churn.ts';
import { HOST, POOL4, REMOTE, createHarness, testSettings } from './harness.ts';
import { TCP_FLAGS, address, icmp, readU16, tcp, udp } from './packets.ts';

const REMOTE6 = `64:ff9b::${REMOTE}`;
const other = (n: number) => `2001:db8:1::${n.toString(16)}`;

const viewOf = ({ translator }: ReturnType<typeof createHarness>): TablesView => translator;

/** Follows the cursors to the end. */
async function all<Row>(list: (page: PageRequest) => Promise<Page<Row>>, limit: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor: number | null = 0; cursor !== null; ) {
    const page: Page<Row> = await list({ cursor, limit });
    assert.ok(page.rows.length <= limit);
    assert.ok(page.nextCursor === null || page.nextCursor > cursor);
    rows.push(...page.rows);
    cursor = page.nextCursor;
  }
  return rows;
}

const allSessions = (view: TablesView, filter = {}, limit = 500, now = 0): Promise<SessionRow[]> =>
  all((page) => listSessions(view, filter, page, now), limit);
const allBib = (view: TablesView, filter = {}, limit = 500): Promise<BibRow[]> =>
  all((page) => listBib(view, filter, page), limit);

describe('lists of sessions and BIB', () => {
  test('each protocol, as created by its packet', async () => {
    const harness = createHarness();
    const ports = { sourcePort: 5000, destinationPort: 443 };
    const sent = {
      tcp: harness.send(tcp({ source: HOST, destination: REMOTE6, ...ports, flags: TCP_FLAGS.SYN })),
      udp: harness.send(udp({ source: HOST, destination: REMOTE6, ...ports })),
      icmp: harness.send(icmp({ source: HOST, destination: REMOTE6, type: 128, rest: 77 * 65_536 + 1 })),
    };
    const common = { client: HOST, poolAddress: POOL4 };
    const row = (protocol: keyof typeof sent) => ({
      ...common,
      protocol,
      clientPort: protocol === 'icmp' ? 77 : 5000,
      poolPort: readU16(sent[protocol] ?? new Uint8Array(), protocol === 'icmp' ? 24 : 20),
    });
    const remote = { remote: REMOTE, remotePort: 443 };
    assert.deepEqual(await allSessions(viewOf(harness), {}, 500, 10), [
      { ...row('tcp'), ...remote, state: 'V6 INIT', endsInSeconds: 230 },
      { ...row('udp'), ...remote, state: null, endsInSeconds: 290 },
      { ...row('icmp'), ...remote, remotePort: 0, state: null, endsInSeconds: 50 },
    ]);
    const bib = (['tcp', 'udp', 'icmp'] as const).map((protocol) => ({
      ...row(protocol),
      isStatic: false,
      sessions: 1,
    }));
    assert.deepEqual(await allBib(viewOf(harness)), bib);
  });

  test('ended sessions are removed, new ones are listed', async () => {
    const harness = createHarness();
    harness.send(udp({ source: HOST, destination: REMOTE6, sourcePort: 1, destinationPort: 2 }));
    harness.setTime(1000);
    assert.deepEqual(await allSessions(viewOf(harness)), []);
    assert.deepEqual(await allBib(viewOf(harness)), []);
    harness.send(udp({ source: HOST, destination: REMOTE6, sourcePort: 3, destinationPort: 4 }));
    assert.deepEqual(
      (await allSessions(viewOf(harness))).map(({ clientPort, remotePort }) => [clientPort, remotePort]),
      [[3, 4]],
    );
  });
});

const session = fc.record({
  protocol: fc.nat(2),
  host: fc.integer({ min: 1, max: 6 }),
  hostPort: fc.integer({ min: 1, max: 4 }),
  remote: fc.constantFrom('203.0.113.9', '203.0.113.10', '192.0.2.1'),
  remotePort: fc.constantFrom(0, 53, 443),
});
type Entry = typeof session extends fc.Arbitrary<infer T> ? T : never;

const filter = fc.record(
  {
    protocol: fc.constantFrom(...PROTOCOLS),
    client: fc.constantFrom(
      '2001:db8:1::2',
      '2001:db8:1::2/127',
      '2001:db8:1::/64',
      '::/0',
      '2001:db8:2::/64',
    ),
    remote: fc.constantFrom('203.0.113.9', '203.0.113.0/24', '0.0.0.0/0'),
    poolPort: fc.constantFrom(32_768, 32_769, 32_770, 1),
  },
  { requiredKeys: [] },
);

/** Creates sessions by packets: TCP, UDP, echo. */
function fill(harness: ReturnType<typeof createHarness>, entries: readonly Entry[]): void {
  for (const { protocol, host, hostPort, remote, remotePort } of entries) {
    const ends = { source: other(host), destination: `64:ff9b::${remote}` };
    const ports = { ...ends, sourcePort: hostPort, destinationPort: remotePort };
    if (protocol === 0) harness.send(tcp({ ...ports, flags: TCP_FLAGS.SYN }));
    else if (protocol === 1) harness.send(udp(ports));
    else harness.send(icmp({ ...ends, type: 128, rest: hostPort * 65_536 }));
  }
}

const nameOf = ({ protocol, host, hostPort, remote, remotePort }: Entry) =>
  `${PROTOCOLS[protocol]} ${other(host)} ${hostPort} ${remote} ${protocol === 2 ? 0 : remotePort}`;
const nameOfRow = ({ protocol, client, clientPort, remote, remotePort }: SessionRow) =>
  `${protocol} ${client} ${clientPort} ${remote} ${remotePort}`;

/** With text and BigInt, without code of src/. */
function isIn(text: string, prefix: string): boolean {
  const [base, bits] = prefix.split('/');
  const value = (bytes: Uint8Array) => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const [a, b] = [address(text), address(base)];
  const shift = BigInt(a.length * 8 - Number(bits ?? a.length * 8));
  return value(a) >> shift === value(b) >> shift;
}

const hosts = { allow: ['2001:db8::/32'] };

test('paging lists every session and BIB entry exactly once, for any page size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(session, { maxLength: 60 }),
      fc.integer({ min: 1, max: 9 }),
      async (entries, limit) => {
        const harness = createHarness(hosts);
        fill(harness, entries);
        const rows = await allSessions(viewOf(harness), {}, limit);
        assert.deepEqual(rows.map(nameOfRow).sort(), [...new Set(entries.map(nameOf))].sort());
        const mapping = (name: string) => name.split(' ').slice(0, 3).join(' ');
        const bib = await allBib(viewOf(harness), {}, limit);
        assert.deepEqual(
          bib.map(({ protocol, client, clientPort }) => `${protocol} ${client} ${clientPort}`).sort(),
          [...new Set(entries.map((entry) => mapping(nameOf(entry))))].sort(),
        );
        for (const { poolPort, protocol, sessions } of bib) {
          const own = rows.filter((row) => row.poolPort === poolPort && row.protocol === protocol);
          assert.equal(own.length, sessions);
        }
      },
    ),
  );
});

test('filters agree with a naive filter', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(session, { maxLength: 60 }), filter, async (entries, wanted) => {
      const harness = createHarness({ ...hosts, ports: [32_768, 32_800] });
      fill(harness, entries);
      const { protocol, client, remote, poolPort } = wanted;
      const isWantedBib = (row: BibRow | SessionRow) =>
        (protocol === undefined || row.protocol === protocol) &&
        (client === undefined || isIn(row.client, client)) &&
        (poolPort === undefined || row.poolPort === poolPort);
      const view = viewOf(harness);
      assert.deepEqual(
        await allSessions(view, wanted, 7),
        (await allSessions(view)).filter(
          (row) => isWantedBib(row) && (remote === undefined || isIn(row.remote, remote)),
        ),
      );
      const { remote: _, ...wantedBib } = wanted;
      assert.deepEqual(await allBib(view, wantedBib, 7), (await allBib(view)).filter(isWantedBib));
    }),
  );
});

test('top clients and pool use are sums of the lists', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(session, { maxLength: 60 }),
      fc.integer({ min: 1, max: 7 }),
      async (entries, limit) => {
        const harness = createHarness({ ...hosts, ports: [32_768, 32_800] });
        fill(harness, entries);
        const view = viewOf(harness);
        const sessions = new Map<string, number>();
        for (const { client } of await allSessions(view))
          sessions.set(client, (sessions.get(client) ?? 0) + 1);
        const bib = await allBib(view);
        const { rows, clients, isComplete } = await topClients(view, limit);
        assert.equal(isComplete, true);
        assert.equal(clients, sessions.size);
        const counts = [...sessions.values()].sort((a, b) => b - a);
        assert.deepEqual(
          rows.map((row) => row.sessions),
          counts.slice(0, limit),
        );
        for (const { client, sessions: count, mappings } of rows) {
          assert.equal(count, sessions.get(client));
          assert.equal(mappings, bib.filter((row) => row.client === client).length);
        }
        const use = await poolUse(view);
        const used = (protocol: string) => bib.filter((row) => row.protocol === protocol).length;
        assert.equal(use.sessions, (await allSessions(view)).length);
        assert.deepEqual(use.pools, [
          {
            address: POOL4,
            firstPort: 32_768,
            lastPort: 32_800,
            size: 33,
            protocols: ['tcp', 'udp', 'icmp'],
            used: { tcp: used('tcp'), udp: used('udp'), icmp: used('icmp') },
          },
        ]);
      },
    ),
    { numRuns: 50 },
  );
});

test('inconsistent records, as a reader may see during a change, do no harm', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.boolean(), fc.nat(8 * 20 - 1), fc.oneof(fc.integer(), fc.integer({ min: -1, max: 20 }))),
        {
          maxLength: 100,
        },
      ),
      fc.integer({ min: -1, max: 100 }),
      fc.nat(30),
      async (stores, used, cursor) => {
        const tables = createSharedTables(16);
        for (const [inBib, at, value] of stores)
          (inBib ? tables.bib : tables.sessions)[at % (8 * 17)] = value;
        tables.control[CONTROL.BIB_USED] = tables.control[CONTROL.SESSIONS_USED] = used;
        const view = { tables, settings: testSettings() };
        const request = { cursor, limit: 5 };
        for (const page of [await listSessions(view, {}, request, 0), await listBib(view, {}, request)])
          for (const { protocol } of page.rows) assert.ok(PROTOCOLS.includes(protocol));
        await allSessions(view);
        await allBib(view);
      },
    ),
  );
});

test('while a worker makes and removes sessions: no row mixes two sessions, and permanent ones are listed once', async (t) => {
  const shared = createSharedTables(1024);
  const settings = testSettings();
  const control = new Int32Array(new SharedArrayBuffer(8));
  const permanent = 100;
  const workerData: Churn = { shared, settings, control, permanent };
  const worker = new Worker(new URL('churn.ts', import.meta.url), { workerData });
  const ended = once(worker, 'exit');
  let isRunning = true;
  worker.once('exit', () => {
    isRunning = false;
  });
  try {
    while (isRunning && Atomics.load(control, 1) === 0) await nextTurn();
    let [rounds, listed] = [0, 0];
    while (isRunning && Atomics.load(control, 1) < 300_000) {
      const rows = await allSessions({ tables: shared, settings }, {}, 64);
      for (const { client, clientPort, poolPort, remote, remotePort } of rows) {
        const id = clientPort.toString(16);
        assert.equal(client, `2001:db8::${id}:0:${id}`);
        assert.deepEqual([poolPort, remotePort], [clientPort, clientPort]);
        assert.equal(remote, `0.0.${clientPort >> 8}.${clientPort & 255}`);
      }
      const stayed = rows.map(({ clientPort }) => clientPort).filter((id) => id <= permanent);
      assert.equal(stayed.length, permanent);
      assert.equal(new Set(stayed).size, permanent);
      rounds++;
      listed += rows.length - permanent;
    }
    assert.ok(isRunning && rounds > 0);
    t.diagnostic(`${rounds} listings, ${listed} rows of sessions that came and went`);
  } finally {
    Atomics.store(control, 0, 1);
    await ended;
  }
});

test('a session whose BIB record was reused is not shown with the wrong host', async () => {
  const shared = createSharedTables(8);
  const tables = attachTables(shared, 0, testSettings());
  const bib = addBib(tables, { protocol: 0, host: Int32Array.of(0x2001_0db8, 0, 0, 1), hostPort: 5 }, 40_000);
  const index = addSession(tables, bib, 0x0102_0304, 80, 3, 0, 10);
  shared.bib[bib * RECORD_WORDS + BIB.KIND] = 0;
  const view = { tables: shared, settings: testSettings() };
  assert.deepEqual(await allSessions(view), []);
  shared.bib[bib * RECORD_WORDS + BIB.KIND] = 1;
  assert.equal((await allSessions(view)).length, 1);
  shared.sessions[index * RECORD_WORDS + SESSION.BIB] = 8000;
  assert.deepEqual(await allSessions(view), []);
  shared.sessions[index * RECORD_WORDS + SESSION.BIB] = bib;
  removeSession(tables, index, 0);
  assert.deepEqual(await allSessions(view), []);
});

test('a page reads a limited number of records, and the cursors reach the end of a full table', async (t) => {
  const count = 600_000;
  const shared = createSharedTables(count);
  const tables = attachTables(shared, 0, testSettings());
  const ports = new Int32Array(3);
  for (let i = 0; i < count / 2; i++) {
    const protocol = i % 3;
    const endpoint = { protocol, host: Int32Array.of(0x2001_0db8, 0, 0, i % 70_000), hostPort: i & 0xffff };
    const bib = addBib(tables, endpoint, 1024 + (ports[protocol]++ % 64_000));
    addSession(tables, bib, i, 80, 0, 0, 10);
    addSession(tables, bib, i, 81, 0, 0, 10);
  }
  const view = { tables: shared, settings: testSettings() };
  await allSessions(view, { client: '2001:db9::/32' });
  const started = performance.now();
  const last = await listSessions(view, { client: '2001:db9::/32' }, { cursor: 0, limit: 500 }, 0);
  t.diagnostic(`a page of ${last.nextCursor} records: ${(performance.now() - started).toFixed(1)} ms`);
  assert.deepEqual(last.rows, []);
  assert.notEqual(last.nextCursor, null);
  assert.equal(
    (await allSessions(view, { remote: '0.4.147.223' })).length,
    2,
    'of the last mapping, 299,999',
  );
  const before = performance.now();
  const { clients, isComplete, rows } = await createQueries(
    () => view,
    () => 0,
  ).topClients(10);
  t.diagnostic(`top clients of ${count / 2} mappings: ${(performance.now() - before).toFixed(1)} ms`);
  assert.deepEqual(
    { clients, isComplete, first: rows[0].sessions },
    { clients: 65_536, isComplete: false, first: 10 },
  );
});
