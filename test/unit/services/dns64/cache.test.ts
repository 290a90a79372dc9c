import assert from 'node:assert/strict';
import { test } from 'node:test';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { MAPPED_WORD, accessTable, admits } from '../../../../src/services/dns64/access.ts';
import { type Answer, makeAnswer, udpLimit, writeReply } from '../../../../src/services/dns64/answer.ts';
import { AnswerCache } from '../../../../src/services/dns64/cache.ts';
import { newMemory } from '../../../../src/services/dns64/memory.ts';
import { type DnsMessage, Type } from '../../../../src/wire/dns-message.ts';
import { nameFromText, nameKey } from '../../../../src/wire/dns-name.ts';
import { newQuery, readQuery } from '../../../../src/wire/dns-query.ts';
import { anyPrefixContains, maskAddress, parseIpPrefix } from '../../../../src/wire/ip-prefix.ts';
import { response } from './helpers.ts';

/** Sends a query for `name` through the cache as the worker does; undefined on a miss. */
function ask(
  cache: AnswerCache,
  name: string,
  nowSeconds: number,
  { type = 'AAAA', udpPayloadSize = 0, dnssecOk = false, id = 1 } = {},
): Buffer | undefined {
  const memory = newMemory(2048);
  const opt = {
    type: 'OPT' as const,
    name: '.' as const,
    udpPayloadSize,
    extendedRcode: 0 as const,
    ednsVersion: 0 as const,
    flags: dnssecOk ? 0x8000 : 0,
    flag_do: dnssecOk,
    options: [],
  };
  const bytes = dnsPacket.encode({
    type: 'query',
    id,
    flags: 0x0100,
    questions: [{ type: type as 'A', name }],
    additionals: udpPayloadSize > 0 ? [opt] : [],
  });
  memory.bytes.set(bytes, 512);
  const query = newQuery();
  readQuery(memory.bytes, 512, bytes.length, query);
  const entry = cache.find(memory, 512, query.nameBytes, query.type, dnssecOk ? 2 : 0, nowSeconds);
  if (entry === -1) return undefined;
  const age = nowSeconds - cache.storedSeconds[entry];
  const [start, size, ttls] = [cache.start[entry], cache.messageBytes[entry], cache.ttlCount[entry]];
  const length = writeReply(memory, 512, query, cache.memory, start, size, ttls, age, udpLimit(query));
  return Buffer.from(memory.bytes.slice(512, 512 + length));
}

const question = (name: string, type: number = Type.AAAA) => ({ name: nameFromText(name), type, class: 1 });
const answerOf = (name: string, message: DnsMessage, type?: number, variant = 0): Answer =>
  makeAnswer(question(name, type), variant, message);

test('TTLs count down, the case of the name and the ID are those of the query, and the entry expires in time', () => {
  const cache = new AnswerCache(100);
  cache.insert(
    answerOf(
      'www.example.com',
      response(0, 'www.example.com 300 CNAME a.example.net', 'a.example.net 60 AAAA 2001:db8::1'),
    ),
    1000,
  );
  const reply = ask(cache, 'wWw.eXample.com', 1059, { id: 77 });
  assert.ok(reply);
  const { id, questions, answers, flags } = dnsPacket.decode(reply);
  assert.equal(id, 77);
  assert.equal((flags ?? 0) & 0xffff, 0x0180);
  assert.equal(questions?.[0].name, 'wWw.eXample.com');
  assert.deepEqual(
    answers?.map((record) => ['ttl' in record && record.ttl, record.name]),
    [
      [241, 'wWw.eXample.com'],
      [1, 'a.example.net'],
    ],
  );
  assert.equal(ask(cache, 'www.example.com', 1060), undefined);
  assert.equal(cache.size, 0);
});

// [title, message, seconds that it is kept]
for (const [title, message, seconds] of [
  [
    'a positive answer: its shortest TTL',
    response(0, 'x.example.com 300 AAAA 2001:db8::1', '--', 'example.com 9 NS a.example.com'),
    9,
  ],
  ['NODATA: the smaller of SOA TTL and minimum', response(0, '--', 'example.com 900 SOA 120'), 120],
  ['NXDOMAIN likewise', response(3, '--', 'example.com 60 SOA 120'), 60],
  ['NXDOMAIN: at most three hours', response(3, '--', 'example.com 86400 SOA 86400'), 10_800],
  ['a positive answer: at most a day', response(0, 'x.example.com 999999 AAAA 2001:db8::1'), 86_400],
  ['SERVFAIL: five seconds', response(2), 5],
] as const) {
  test(`kept for: ${title}`, () => {
    const cache = new AnswerCache(100);
    cache.insert(answerOf('x.example.com', message), 50);
    assert.ok(ask(cache, 'x.example.com', 50 + seconds - 1));
    assert.equal(ask(cache, 'x.example.com', 50 + seconds), undefined);
  });
}

for (const [title, message] of [
  ['a negative answer without SOA (RFC 2308 section 5)', response(0)],
  ['TTL 0', response(0, 'x.example.com 0 AAAA 2001:db8::1')],
  [
    'a TTL with its top bit set (RFC 2181 section 8)',
    response(0, 'x.example.com 4294967295 AAAA 2001:db8::1'),
  ],
] as const) {
  test(`not kept: ${title}`, () => {
    const cache = new AnswerCache(100);
    cache.insert(answerOf('x.example.com', message), 0);
    assert.equal(cache.size, 0);
  });
}

test('the TTL of the SOA in a negative answer is not longer than the answer is kept', () => {
  const cache = new AnswerCache(100);
  cache.insert(answerOf('x.example.com', response(3, '--', 'example.com 900 SOA 120')), 0);
  const { authorities } = dnsPacket.decode(ask(cache, 'x.example.com', 20)!);
  assert.equal((authorities![0] as { ttl: number }).ttl, 100);
});

test('types and DO are different questions', () => {
  const cache = new AnswerCache(100);
  cache.insert(answerOf('x.example.com', response(0, 'x.example.com 300 A 192.0.2.1'), Type.A), 0);
  assert.equal(ask(cache, 'x.example.com', 0), undefined);
  assert.ok(ask(cache, 'x.example.com', 0, { type: 'A' }));
  assert.equal(
    ask(cache, 'x.example.com', 0, { type: 'A', udpPayloadSize: 1232, dnssecOk: true }),
    undefined,
  );
});

test('OPT is answered with OPT, and a reply that does not fit is cut to the question with TC', () => {
  const cache = new AnswerCache(100);
  const lines = Array.from({ length: 30 }, (_, i) => `x.example.com 300 AAAA 2001:db8::${i}`);
  cache.insert(answerOf('x.example.com', response(0, ...lines)), 0);
  const small = dnsPacket.decode(ask(cache, 'x.example.com', 0)!);
  assert.ok(small.flag_tc);
  assert.equal(small.answers?.length, 0);
  assert.equal(small.additionals?.length, 0);
  const large = dnsPacket.decode(ask(cache, 'x.example.com', 0, { udpPayloadSize: 4096 })!);
  assert.ok(!large.flag_tc);
  assert.equal(large.answers?.length, 30);
  assert.deepEqual(
    large.additionals?.map((record) => [record.type, 'udpPayloadSize' in record && record.udpPayloadSize]),
    [['OPT', 1232]],
  );
  assert.ok(dnsPacket.decode(ask(cache, 'x.example.com', 0, { udpPayloadSize: 600 })!).flag_tc);
});

/** A message of about `size` bytes, identified by its first address. */
const sized = (name: string, mark: number, size: number, ttl: number) =>
  response(
    0,
    ...Array.from(
      { length: 1 + Math.floor(size / 28) },
      (_, i) => `${name} ${ttl} AAAA 2001:db8::${mark}:${i + 1}`,
    ),
  );

test('a full cache that wraps around never gives a wrong answer, and drops no more than necessary', () => {
  const step = fc.record({
    name: fc.nat(40),
    mark: fc.integer({ min: 1, max: 9999 }),
    size: fc.oneof(fc.nat(200), fc.constant(40_000)),
    ttl: fc.integer({ min: 1, max: 100 }),
    wait: fc.nat(3),
    insert: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.nat(), (steps, seed) => {
      const capacity = 16;
      const cache = new AnswerCache(capacity, seed);
      const reference = new Map<string, { mark: string; ends: number }>();
      let now = 0;
      for (const { name: number, mark, size, ttl, wait, insert } of steps) {
        now += wait;
        const name = `n${number}.example.com`;
        if (insert) {
          cache.insert(answerOf(name, sized(name, mark, size, ttl)), now);
          reference.set(name, { mark: `2001:db8::${mark}:1`, ends: now + ttl });
        }
        const reply = ask(cache, name, now, { udpPayloadSize: 1232 });
        const known = reference.get(name);
        if (insert) assert.ok(reply, 'a new entry is found');
        if (reply === undefined) continue;
        assert.ok(
          known !== undefined && now < known.ends,
          'no expired entry, and no entry that was never inserted',
        );
        const { answers, flag_tc: truncated } = dnsPacket.decode(reply);
        if (!truncated) assert.equal((answers![0] as { data: string }).data, known.mark);
        assert.ok(cache.size <= capacity);
      }
    }),
    { numRuns: 60 },
  );
});

test('large answers displace many small ones, and the ring keeps working', () => {
  const cache = new AnswerCache(1000);
  for (let i = 0; i < 1500; i++) {
    const name = `n${i}.example.com`;
    cache.insert(answerOf(name, sized(name, (i % 9999) + 1, i % 7 === 0 ? 20_000 : 60, 100)), 0);
    assert.ok(ask(cache, name, 0));
    assert.ok(ask(cache, 'n0.example.com', 0) !== undefined || i > 0);
  }
  assert.ok(cache.size <= 1000);
});

test('entries in use survive a flood of names that are queried once', () => {
  const cache = new AnswerCache(100);
  cache.insert(answerOf('used.example.com', sized('used.example.com', 1, 30, 1000)), 0);
  for (let i = 0; i < 1000; i++) {
    const name = `n${i}.example.com`;
    cache.insert(answerOf(name, sized(name, 1, 30, 1000)), 0);
    assert.ok(ask(cache, 'used.example.com', 0), `after ${i}`);
  }
});

test('an entry copied for another cache has the rest of its lifetime', () => {
  const [first, second] = [new AnswerCache(10), new AnswerCache(10)];
  first.insert(answerOf('x.example.com', response(0, 'x.example.com 300 AAAA 2001:db8::1')), 0);
  const memory = newMemory(512);
  memory.bytes.set(nameFromText('x.example.com'), 12);
  const entry = first.find(memory, 0, 15, Type.AAAA, 0, 100);
  second.insert(first.copy(entry, 100), 5000);
  const { answers } = dnsPacket.decode(ask(second, 'X.example.com', 5050)!);
  assert.equal((answers![0] as { ttl: number }).ttl, 150);
  assert.equal(ask(second, 'x.example.com', 5200), undefined);
});

test('names that differ in one byte, at any place, are different', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.nat(), fc.nat(255), (label, at, value) => {
      const name = Uint8Array.of(label.length, ...label, 0);
      const other = Uint8Array.from(name);
      other[1 + (at % label.length)] = value;
      const cache = new AnswerCache(10);
      cache.insert(makeAnswer({ name, type: 28, class: 1 }, 0, response(0, 'x 300 AAAA 2001:db8::1')), 0);
      const memory = newMemory(512);
      memory.bytes.set(other, 12);
      assert.equal(cache.find(memory, 0, other.length, 28, 0, 0) !== -1, nameKey(name) === nameKey(other));
    }),
  );
});

test('an access table with "::/0" admits no IPv4 client', () => {
  const table = accessTable([parseIpPrefix('::/0')!]);
  assert.equal(admits(table, 0, 0, MAPPED_WORD, 1), false);
  assert.equal(admits(table, 0x20010db8, 0, 0, 1), true);
});

test('the access table agrees with the prefixes', () => {
  const address = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const prefix = fc.tuple(address, fc.nat(128)).map(([bytes, prefixBits]) => ({
    address: maskAddress(bytes, prefixBits),
    prefixBits,
  }));
  fc.assert(
    fc.property(fc.array(prefix, { maxLength: 4 }), address, fc.nat(128), (list, random, same) => {
      // Shares a random number of bits with the first prefix, so that both answers are common.
      const head = maskAddress(list[0]?.address ?? random, same);
      const mask = maskAddress(new Uint8Array(16).fill(255), same);
      const candidate = random.map((byte, i) => head[i] | (byte & ~mask[i]));
      const [w0, w1, w2, w3] = new Int32Array(Uint8Array.from(candidate).buffer);
      assert.equal(admits(accessTable(list), w0, w1, w2, w3), anyPrefixContains(list, candidate));
    }),
  );
});
