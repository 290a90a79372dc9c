/** Servers by the AAAA records of their name: what is allowed, how long it is known, and who is refused when much is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AccessLevel } from '../../../../src/net/access-record.ts';
import { compileOurselves } from '../../../../src/os/ourselves.ts';
import { decodeSocketAddress } from '../../../../src/os/socket-address.ts';
import { createCounters, readCounters } from '../../../../src/runtime/counters.ts';
import { isPublicName, mayDial } from '../../../../src/services/proxy/allowed.ts';
import { proxyCounterTable } from '../../../../src/services/proxy/counters.ts';
import type { Backend } from '../../../../src/services/proxy/host-table.ts';
import {
  LOOK_UPS_PER_SECOND,
  MAX_LOOK_UPS,
  MAX_NAMES,
  type NameQuestion,
  createLearnedServers,
} from '../../../../src/services/proxy/learned.ts';
import { formatIpAddress, parseIpAddress } from '../../../../src/wire/ip-address.ts';
import { parseIpPrefix } from '../../../../src/wire/ip-prefix.ts';

const prefixes = (...texts: string[]) => texts.map((text) => parseIpPrefix(text)!);
const address = (text: string) => parseIpAddress(text)!;
const OURSELVES = compileOurselves(
  prefixes('2001:db8:1::1/128', '192.0.2.1/32'),
  prefixes('2001:db8:64::/96'),
);
const ALLOWED = {
  prefixes: prefixes('2001:db8::/32', 'fd00::/16'),
  embedding: prefixes('2001:db8:64::/96'),
};

const NAMES: readonly (readonly [name: string, isPublic: boolean])[] = [
  ['www.example.com', true],
  ['a.b', true],
  ['xn--bcher-kva.example', true],
  ['3com.example', true],
  ['1.2.3.4.example', true],
  [`${'a'.repeat(63)}.example`, true],
  [`${'a'.repeat(64)}.example`, false],
  [`${'a.'.repeat(126)}b`, true],
  [`${'a.'.repeat(127)}b`, false],
  ['localhost', false],
  ['', false],
  ['.', false],
  ['192.0.2.1', false],
  ['example.1', false],
  ['[2001:db8::1]', false],
  ['2001:db8::1', false],
  ['www..example.com', false],
  ['.example.com', false],
  ['-a.example', false],
  ['a-.example', false],
  ['_acme.example', false],
  ['*.example.com', false],
  ['Www.example.com', false], // names come in lower case
  ['www.example.com\n', false],
  ['printer.local', false],
  ['a.onion', false],
  ['local.example', true],
];
for (const [name, isPublic] of NAMES)
  test(`${JSON.stringify(name.slice(0, 20))} ${isPublic ? 'is' : 'is not'} looked up`, () =>
    assert.equal(isPublicName(name), isPublic));

const ADDRESSES: readonly (readonly [text: string, mayBe: boolean, why: string])[] = [
  ['2001:db8:1::10', true, 'in an allowed prefix'],
  ['fd00::10', true, 'in another one, unique local'],
  ['2001:db9::10', false, 'outside'],
  ['::1', false, 'loopback'],
  ['::', false, 'unspecified'],
  ['2001:db8:1::1', false, 'our own'],
  ['2001:db8:64::c000:201', false, 'inside the NAT64 prefix, in which our own address is'],
  ['2001:db8:64::cb00:7101', false, 'inside the NAT64 prefix'],
  ['64:ff9b::cb00:7101', false, 'inside the well-known NAT64 prefix'],
  ['::ffff:203.0.113.1', false, 'IPv4-mapped'],
  ['fe80::1', false, 'link-local'],
  ['ff02::1', false, 'multicast'],
];
for (const [text, mayBe, why] of ADDRESSES)
  test(`${text} is ${mayBe ? '' : 'never '}dialled: ${why}`, () => {
    assert.equal(mayDial(ALLOWED, OURSELVES, address(text)), mayBe);
    // A prefix with everything changes nothing for those that are never dialled.
    const all = { ...ALLOWED, prefixes: prefixes('::/0') };
    assert.equal(mayDial(all, OURSELVES, address(text)), mayBe || why === 'outside');
  });

function start() {
  const counters = createCounters(proxyCounterTable);
  const asked: NameQuestion[] = [];
  const forgotten: Backend[] = [];
  let nowMs = 2_147_483_000; // the clock wraps soon
  const servers = createLearnedServers({
    accessLog: AccessLevel.off,
    allowed: ALLOWED,
    ourselves: OURSELVES,
    values: counters.values,
    index: counters.index,
    ask: (question) => asked.push(question),
    onForget: (backend) => forgotten.push(backend),
    now: () => nowMs | 0,
    seed: 7,
  });
  const at443 = servers.at(443);
  const client = address('198.51.100.1');
  return {
    servers,
    asked,
    forgotten,
    client,
    wait: (seconds: number) => void (nowMs += seconds * 1000),
    count: (name: keyof typeof proxyCounterTable) => readCounters(counters)[name],
    ask: (name = 'a.example', who = client) => at443.ask(name, who),
    learn: (ttlSeconds: number, addresses: readonly string[], name = 'a.example') =>
      servers.learn({ name, found: { addresses: addresses.map(address), ttlSeconds } }),
    fail: (name = 'a.example') => servers.learn({ name, found: undefined }),
    find: (name = 'a.example') => at443.find(name),
    /** What a client of this name gets: the addresses that would be dialled, or why not. */
    get: (name = 'a.example') => {
      const found = at443.find(name);
      if (typeof found !== 'object') return found;
      const all = found.addresses?.all ?? [found.serverAddress];
      return all.map((each) => {
        const decoded = decodeSocketAddress(each);
        assert.equal(decoded.port, 443);
        return formatIpAddress(decoded.address);
      });
    },
  };
}

test('a name is asked for once, whoever waits; then it is known as long as its TTL', () => {
  const of = start();
  assert.equal(of.get(), 'not-asked');
  const awaited = of.ask();
  assert.ok(awaited !== undefined);
  assert.equal(of.ask(), awaited);
  assert.equal(of.ask('a.example', address('2001:db8:9::1')), awaited);
  assert.equal(of.get(), 'not-asked');
  assert.deepEqual(of.asked, [{ name: 'a.example', deadlineMs: 4800 }]);
  assert.equal(of.learn(60, ['2001:db8:1::10', '2001:db9::1', '2001:db8:1::11']), awaited);
  assert.deepEqual(of.get(), ['2001:db8:1::10', '2001:db8:1::11']);
  of.wait(59);
  assert.deepEqual(of.get(), ['2001:db8:1::10', '2001:db8:1::11']);
  of.wait(2);
  assert.equal(of.get(), 'not-asked');
  assert.equal(of.learn(60, ['2001:db8:1::66']), undefined, 'an answer that nobody has asked for');
  assert.equal(of.get(), 'not-asked');
});

const LIFETIMES: readonly (readonly [title: string, ttl: number, addresses: string[], seconds: number])[] = [
  ['TTL 0', 0, ['2001:db8:1::10'], 5],
  ['TTL 1 hour', 3600, ['2001:db8:1::10'], 3600],
  ['TTL 1 year', 31_536_000, ['2001:db8:1::10'], 86_400],
  ['no address, without SOA', 0, [], 5],
  ['no address, for 2 minutes', 120, [], 120],
  ['no address, for a day', 86_400, [], 300],
  ['no allowed address, for a day', 86_400, ['2001:db9::1'], 300],
];
for (const [title, ttl, addresses, seconds] of LIFETIMES)
  test(`${title}: known for ${seconds} s`, () => {
    const of = start();
    of.ask();
    of.learn(ttl, addresses);
    of.wait(seconds - 1);
    assert.notEqual(of.get(), 'not-asked');
    of.wait(2);
    assert.equal(of.get(), 'not-asked');
  });

test('DNS rebinding: whatever the answers are, only allowed addresses are dialled', () => {
  const any = fc.oneof(
    fc.constantFrom(...ADDRESSES.map(([text]) => text)),
    fc.ipV6().filter((text) => !text.includes('%')),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(any, { maxLength: 12 }), fc.nat(10)), { maxLength: 6 }),
      (answers) => {
        const of = start();
        for (const [addresses, ttl] of answers) {
          of.ask();
          of.learn(ttl, addresses);
          const found = of.get();
          const may = addresses.map(address).filter((each) => mayDial(ALLOWED, OURSELVES, each));
          if (may.length === 0) assert.equal(found, 'no-address');
          else
            assert.deepEqual(new Set(found), new Set(may.slice(0, 8).map((each) => formatIpAddress(each))));
          of.wait(20);
        }
      },
    ),
  );
});

test('the same addresses in another order are the same server; others are another one', () => {
  const of = start();
  of.ask();
  of.learn(5, ['2001:db8:1::10', '2001:db8:1::11']);
  const first = of.find();
  of.wait(6);
  of.ask();
  of.learn(5, ['2001:db8:1::11', '2001:db8:1::10']);
  assert.equal(of.find(), first);
  assert.equal((first as Backend).origin?.isForgotten, false);
  of.wait(6);
  of.ask();
  of.learn(5, ['2001:db8:1::11']);
  assert.notEqual(of.find(), first);
  assert.deepEqual(of.forgotten, [first]);
  assert.equal((first as Backend).origin?.isForgotten, true);
});

test('resolvers that do not answer: an earlier answer is used for up to a day, and they are asked every 30 s', () => {
  const of = start();
  of.ask();
  of.learn(60, ['2001:db8:1::10']);
  of.wait(61);
  for (let i = 0; i < 3; i++) {
    assert.equal(of.get(), 'not-asked');
    of.ask();
    assert.equal(of.asked.at(-1)!.deadlineMs, 1800, 'clients do not wait long for it');
    of.fail();
    assert.deepEqual(of.get(), ['2001:db8:1::10']);
    of.wait(29);
    assert.deepEqual(of.get(), ['2001:db8:1::10']);
    of.wait(2);
  }
  assert.equal(of.count('aaaa-stale'), 3);
  of.wait(86_400);
  of.ask();
  assert.equal(of.asked.at(-1)!.deadlineMs, 4800);
  of.fail();
  assert.equal(of.get(), 'no-lookup');
  of.wait(6);
  assert.equal(of.get(), 'not-asked');
});

test('a failure is remembered for some seconds; an answer without an address ends an earlier one', () => {
  const of = start();
  of.ask();
  of.fail();
  assert.equal(of.get(), 'no-lookup');
  of.wait(6);
  of.ask();
  of.learn(10, ['2001:db8:1::10']);
  of.wait(11);
  of.ask();
  of.learn(10, []);
  assert.equal(of.get(), 'no-address');
});

test('an answer that is lost does not end the look-ups of its name', () => {
  const of = start();
  const awaited = of.ask();
  of.wait(16);
  assert.equal(of.ask(), awaited);
  assert.equal(of.asked.length, 2);
});

test('look-ups in progress: one client that asks for random names leaves some for others', () => {
  const of = start();
  const begun = () => {
    let number = 0;
    while (number < 2 * MAX_LOOK_UPS && of.ask(`n${number}.greedy.example`) !== undefined) {
      number++;
      if (number % 50 === 0) of.wait(1);
    }
    return number;
  };
  assert.ok(begun() < MAX_LOOK_UPS);
  for (let i = 0; i < 10; i++)
    assert.ok(of.ask(`n${i}.good.example`, address('203.0.113.9')) !== undefined, `name ${i}`);
});

test('look-ups in a second: one client that asks for random names leaves some for others', () => {
  const of = start();
  let begun = 0;
  for (let i = 0; i < 10 * LOOK_UPS_PER_SECOND; i++) {
    if (of.ask(`n${i}.greedy.example`) === undefined) continue;
    begun++;
    of.learn(60, [], `n${i}.greedy.example`);
  }
  assert.ok(begun < LOOK_UPS_PER_SECOND);
  for (let i = 0; i < 5; i++) {
    assert.ok(of.ask(`n${i}.good.example`, address('203.0.113.9')) !== undefined, `name ${i}`);
    of.learn(60, ['2001:db8:1::10'], `n${i}.good.example`);
  }
});

test('a client that has its share of look-ups goes on with what was known, also if it is out of date', () => {
  const of = start();
  of.ask();
  of.learn(5, ['2001:db8:1::10']);
  of.wait(6);
  const flood = () => {
    for (let i = 0; i < 2 * MAX_LOOK_UPS; i++) of.ask(`n${i}.greedy.example`);
  };
  flood();
  assert.equal(of.get(), 'not-asked');
  assert.equal(of.ask(), 'known');
  assert.deepEqual(of.get(), ['2001:db8:1::10']);
  assert.equal(of.ask('b.example'), undefined);
  assert.equal(of.count('aaaa-stale'), 1);
  of.wait(6);
  assert.equal(of.get(), 'not-asked', 'it is asked for again when there is room');
});

test('names: those that a client floods the table with are its own loss', () => {
  const of = start();
  const good = address('203.0.113.9');
  for (let i = 0; i < 5; i++) {
    of.ask(`n${i}.good.example`, good);
    of.learn(3600, ['2001:db8:1::10'], `n${i}.good.example`);
  }
  for (let i = 0; i < 3 * MAX_NAMES; i++) {
    if (i % 100 === 0) of.wait(1);
    assert.ok(of.ask(`n${i}.greedy.example`) !== undefined, `name ${i}`);
    of.learn(3600, [], `n${i}.greedy.example`);
  }
  for (let i = 0; i < 5; i++) assert.deepEqual(of.get(`n${i}.good.example`), ['2001:db8:1::10']);
  assert.ok(of.count('aaaa-displaced') >= 2 * MAX_NAMES);
});
