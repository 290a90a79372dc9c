import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EventRecord, createEventRing, createEventWriter } from '../../../src/runtime/event-ring.ts';
import type { ConnectionFound } from '../../../src/net/connection-event.ts';
import type { AppEvent } from '../../../src/runtime/events.ts';
import { EVENT_KINDS } from '../../../src/state/event-kinds.ts';
import { createEventLog, type EventFilter } from '../../../src/state/event-log.ts';
import { parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { GERMAN } from '../../../src/texts/de/all.ts';
import { asIs, say } from '../../../src/texts/text.ts';

const connection = (fields: Partial<ConnectionFound> = {}): ConnectionFound => ({
  kind: 'connection',
  what: 'closed',
  service: 'proxy',
  connection: 1,
  listener: 'https',
  client: '203.0.113.9',
  clientPort: 40_000,
  name: 'example.com',
  server: 'web1',
  uniqueId: null,
  bytesUp: 1,
  bytesDown: 2,
  durationMs: 3,
  reason: 'closed',
  explanation: asIs('both ended'),
  ...fields,
});
const dns = (name: string, client = '2001:db8:1::10'): AppEvent => ({
  kind: 'dns',
  client,
  name,
  type: 'AAAA',
  transport: 'udp',
  answer: 'cached',
  rcode: 'NOERROR',
  durationMs: 0,
});

const serverAt = (address: string) => (address === '2001:db8:1::10' ? 'web1' : undefined);

test('filters', () => {
  using log = createEventLog({ kinds: EVENT_KINDS, serverAt });
  const at = 1_800_000_000_000;
  log.put(connection(), at);
  log.put(connection({ client: '198.51.100.7', server: 'web2', name: 'shop.example.net' }), at);
  log.put(dns('example.org'), at);
  log.put(dns('example.org', '2001:db8:2::1'), at);
  const upstreams = '2001:db8::53';
  const problem = say('None of the upstreams answers: check the route to {upstreams}', { upstreams });
  log.put({ kind: 'service', service: 'dns64', state: 'degraded', problem, restarts: 0 }, at);
  log.put(
    {
      kind: 'nat64',
      what: 'mapping-created',
      protocol: 'tcp',
      client: '2001:db8:1::10',
      clientPort: 5,
      poolAddress: '192.0.2.1',
      poolPort: 6,
      remote: null,
      remotePort: null,
    },
    at,
  );
  const rows: [EventFilter, number[]][] = [
    [{}, [6, 5, 4, 3, 2, 1]],
    [{ kinds: ['dns'] }, [4, 3]],
    [{ kinds: ['dns', 'service'] }, [5, 4, 3]],
    [{ client: parseIpPrefix('203.0.113.0/24')! }, [1]],
    [{ client: parseIpPrefix('2001:db8:1::/64')! }, [6, 3]],
    [{ server: 'web2' }, [2]],
    [{ server: 'web1' }, [6, 3, 1]],
    [{ text: 'SHOP' }, [2]],
    [{ text: 'none of' }, [5]],
    [{ text: 'example', kinds: ['connection'], server: 'web1' }, [1]],
    [{ text: 'nowhere' }, []],
    // In English and in the language of the reader.
    [{ text: 'None of', words: GERMAN }, [5]],
    [{ text: 'KEINER DER', words: GERMAN }, [5]],
    [{ text: 'keiner der' }, []],
    [{ text: 'DB8::53', words: GERMAN }, [5]],
  ];
  const first = log.newest - 6;
  for (const [filter, expected] of rows) {
    const { events } = log.page(filter, undefined, 100);
    assert.deepEqual(
      events.map(({ id }) => id - first),
      expected,
      JSON.stringify({ ...filter, words: filter.words && 'German' }),
    );
  }
  const [nat64] = log.page({ kinds: ['nat64'] }, undefined, 1).events;
  assert.equal(nat64['server'], 'web1');
  assert.equal(nat64.at, new Date(at).toISOString());
});

test('paging shows each event once, whatever is added meanwhile', () => {
  using log = createEventLog({ kinds: EVENT_KINDS, serverAt });
  for (let i = 0; i < 25; i++) log.put(i % 3 === 0 ? dns('a.example') : connection(), i);
  const seen: number[] = [];
  let cursor: number | null | undefined;
  do {
    const page = log.page({}, cursor ?? undefined, 10);
    seen.push(...page.events.map(({ id }) => id));
    cursor = page.nextCursor;
    log.put(connection(), 99);
  } while (cursor !== null);
  assert.equal(seen.length, 25);
  assert.deepEqual(
    seen,
    [...new Set(seen)].sort((a, b) => b - a),
  );
});

test('since: the newest after an id, oldest first', () => {
  using log = createEventLog({ kinds: EVENT_KINDS, serverAt });
  const start = log.newest;
  for (let i = 0; i < 5; i++) log.put(dns(`n${i}.example`), i);
  const names = (after: number, limit: number) =>
    log.since(after, {}, limit).map((event) => event.kind === 'dns' && event.name);
  assert.deepEqual(names(start, 9), ['n0.example', 'n1.example', 'n2.example', 'n3.example', 'n4.example']);
  assert.deepEqual(names(start + 3, 9), ['n3.example', 'n4.example']);
  assert.deepEqual(names(start, 2), ['n3.example', 'n4.example']);
});

test('limited in size, and a flood of one kind does not displace the others', () => {
  using log = createEventLog({ kinds: EVENT_KINDS, serverAt });
  log.put(connection(), 0);
  for (let i = 0; i < 5000; i++) log.put(dns('flood.example'), i);
  assert.equal(log.page({ kinds: ['connection'] }, undefined, 10).events.length, 1);
  assert.equal(log.page({ kinds: ['dns'] }, undefined, 9999).events.length, 1000);
});

test('losses of rings are counted, also of removed rings', () => {
  using log = createEventLog({ kinds: EVENT_KINDS, serverAt });
  const ring = createEventRing({ recordBytes: 16, records: 2 });
  ring.want(1);
  const writer = createEventWriter(ring.buffer);
  writer.tick(0);
  const drained = log.drainRing(ring, () => dns('ring.example'));
  for (let i = 0; i < 5; i++) if (writer.begin(0) >= 0) writer.commit();
  assert.equal(log.page({}, undefined, 10).lost, 3);
  drained[Symbol.dispose]();
  const { lost, events } = log.page({}, undefined, 10);
  assert.equal(lost, 3);
  assert.equal(events.length, 2);
});

test('records that are decoded later: once, when they are read, also after their ring is gone and others were overwritten', () => {
  using log = createEventLog({ kinds: EVENT_KINDS, serverAt });
  const ring = createEventRing({ recordBytes: 16, records: 2048 });
  ring.want(0b10);
  const writer = createEventWriter(ring.buffer);
  let decoded = 0;
  let written = 0;
  const decode = ({ kind, words, timeMs, at }: EventRecord): ConnectionFound => {
    decoded++;
    assert.equal(kind, 1);
    assert.equal(timeMs, 1000 + words[(at + 12) >> 2]);
    return connection({ connection: words[(at + 12) >> 2] });
  };
  function write(count: number): void {
    for (let i = 0; i < count; i++, written++) {
      writer.tick(1000 + written);
      const at = writer.begin(1);
      writer.words[(at + 12) >> 2] = written;
      writer.commit();
    }
  }
  const numbers = (limit: number) =>
    log
      .page({ kinds: ['connection'] }, undefined, limit)
      .events.map((event) => event['connection'] as number);
  const drained = log.drainRingLater(ring, 'connection', decode);
  write(1500);
  log.drain();
  assert.equal(decoded, 0);
  assert.deepEqual(
    log.since(log.newest - 2, {}, 10).map((event) => event['connection']),
    [1498, 1499],
  );
  assert.equal(decoded, 2);
  log.put(connection({ connection: -1 }), 5000);
  write(700);
  const last = [...Array(700).keys()].map((i) => 2199 - i);
  const before = [...Array(299).keys()].map((i) => 1499 - i);
  assert.deepEqual(numbers(2000), [...last, -1, ...before]);
  assert.equal(decoded, 2 + 700 + 297);
  write(3);
  drained[Symbol.dispose]();
  assert.equal(decoded, 2 + 700 + 297 + 3);
  assert.deepEqual(numbers(4), [2202, 2201, 2200, 2199]);
  log.forget('connection');
  assert.deepEqual(numbers(1), []);
});
