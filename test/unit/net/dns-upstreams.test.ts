import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { test } from 'node:test';
import dnsPacket, { type Packet } from 'dns-packet';
import { createCounters, readCounters } from '../../../src/runtime/counters.ts';
import { DNS64_COUNTERS } from '../../../src/services/dns64/counters.ts';
import { createUpstreams, isLoop } from '../../../src/net/dns-upstreams.ts';
import { resolversOf } from '../../../src/config/resolvers.ts';
import type { DnsUpstream } from '../../../src/config/values.ts';
import { compileOurselves } from '../../../src/os/ourselves.ts';
import { type IpPrefix, parseIpPrefix } from '../../../src/wire/ip-prefix.ts';
import { parseDnsUpstream } from '../../../src/config/values.ts';
import { CLASS_IN, Type } from '../../../src/wire/dns-message.ts';
import { nameFromText } from '../../../src/wire/dns-name.ts';
import { line, scriptedUpstream } from '../services/dns64/helpers.ts';
import { freePort } from './support.ts';
import { waitUntil } from '../../../lab/wait.ts';

const question = {
  name: nameFromText('www.example.com'),
  type: Type.A,
  class: CLASS_IN,
  dnssecOk: false,
  checkingDisabled: false,
};

const answerTo = (query: Packet, address = '192.0.2.1', changes: Partial<Packet> = {}): Packet => ({
  type: 'response',
  id: query.id ?? 0,
  flags: 0x0180,
  questions: query.questions ?? [],
  answers: [{ name: query.questions![0].name, type: 'A', ttl: 300, data: address }],
  ...changes,
});

const error =
  (rcode: number) =>
  (query: Packet): Packet =>
    ({ type: 'response', id: query.id, flags: rcode, questions: query.questions }) as Packet;

function start(urls: string[], isOurs: (target: DnsUpstream) => boolean = () => false) {
  const counters = createCounters(DNS64_COUNTERS);
  const aborter = new AbortController();
  const upstreams = createUpstreams(resolversOf(urls), counters, aborter.signal, isOurs);
  return {
    upstreams,
    count: (name: keyof typeof DNS64_COUNTERS) => readCounters(counters)[name],
    /** The answer section of the response, names in lower case. */
    ask: async (deadlineMs = 4000) =>
      (await upstreams.ask(question, deadlineMs))?.answers.map((record) => line(record).toLowerCase()),
    [Symbol.dispose]: () => aborter.abort(),
  };
}

/** The query of a probe, in the form of `queries`. */
const ROOT = '. ns';

const RIGHT = ['www.example.com 300 a 192.0.2.1'];

test('forged answers are ignored: wrong ID, wrong question, not a response, wrong port; the correct one is used', async () => {
  await using upstream = await scriptedUpstream((query, _overTcp, reply) => {
    const lie = (changes: Partial<Packet>) =>
      reply(dnsPacket.encode(answerTo(query, '203.0.113.66', changes)));
    lie({ id: (query.id ?? 0) ^ 1 });
    lie({ questions: [{ ...query.questions![0], name: 'other.example.com' }] });
    lie({ questions: [{ ...query.questions![0], type: 'AAAA' }] });
    lie({ type: 'query' });
    reply(Buffer.from('not DNS'));
    return answerTo(query);
  });
  using client = start([upstream.url]);
  assert.deepEqual(await client.ask(), RIGHT);
  assert.equal(client.count('upstream-ignored'), 5);
});

test('an answer from another port of the same host is not even received', async () => {
  const other = dgram.createSocket('udp4');
  await using upstream = await scriptedUpstream((query, _overTcp, _reply, client) => {
    const forged = dnsPacket.encode(answerTo(query, '203.0.113.66'));
    // The correct answer is sent after the forged one has left.
    other.send(forged, client.port, '127.0.0.1', () =>
      client.send(dnsPacket.encode(answerTo(query, '192.0.2.1'))),
    );
    return undefined;
  });
  using client = start([upstream.url]);
  assert.deepEqual(await client.ask(), RIGHT);
  assert.equal(client.count('upstream-ignored'), 0);
  other.close();
});

test('the case of the name is random, and an upstream that loses it is queried again over TCP', async () => {
  const asked: string[] = [];
  await using upstream = await scriptedUpstream((query, overTcp) => {
    const [sent] = query.questions!;
    asked.push(sent.name);
    return answerTo(query, overTcp ? '192.0.2.1' : '203.0.113.66', {
      questions: [{ ...sent, name: sent.name.toLowerCase() }],
    });
  });
  using client = start([upstream.url]);
  for (let i = 0; i < 8; i++) assert.deepEqual(await client.ask(), RIGHT);
  assert.ok(asked.some((name) => name !== name.toLowerCase()));
  assert.ok(client.count('upstream-tcp') > 0);
});

test('an upstream that loses the case and has no TCP, as the DNS proxies of some routers: from then on queried in lower case', async () => {
  const asked: string[] = [];
  await using upstream = await scriptedUpstream(
    (query) => {
      const [sent] = query.questions!;
      asked.push(sent.name);
      return answerTo(query, '192.0.2.1', { questions: [{ ...sent, name: sent.name.toLowerCase() }] });
    },
    { hasTcp: false },
  );
  using client = start([upstream.url]);
  for (let i = 0; i < 8; i++) assert.deepEqual(await client.ask(), RIGHT);
  const afterTcp = asked.slice(asked.findLastIndex((name) => name !== name.toLowerCase()) + 1);
  assert.equal(client.count('upstream-tcp'), 1);
  assert.ok(afterTcp.length >= 2);
});

test('a truncated answer is fetched over TCP', async () => {
  await using upstream = await scriptedUpstream((query, overTcp) =>
    overTcp ? answerTo(query) : answerTo(query, '203.0.113.66', { answers: [], flags: 0x0380 }),
  );
  using client = start([upstream.url]);
  assert.deepEqual(await client.ask(), RIGHT);
  assert.deepEqual(upstream.queries, ['www.example.com a', 'www.example.com a tcp']);
});

test('the query has RD, EDNS with 1232 bytes, DO and CD of the client, and no option', async () => {
  const queries: Packet[] = [];
  await using upstream = await scriptedUpstream((query) => {
    queries.push(query);
    return answerTo(query);
  });
  using client = start([upstream.url]);
  await client.upstreams.ask({ ...question, dnssecOk: true, checkingDisabled: true }, 4000);
  await client.upstreams.ask(question, 4000);
  const seen = queries.map((query) => [
    (query.flags ?? 0) & 0x0110,
    ...(query.additionals ?? []).map(
      (opt) => opt.type === 'OPT' && [opt.udpPayloadSize, opt.flag_do, opt.options.length],
    ),
  ]);
  assert.deepEqual(seen, [
    [0x0110, [1232, true, 0]],
    [0x0100, [1232, false, 0]],
  ]);
});

test('an upstream that fails with EDNS is from then on queried without it', async () => {
  await using upstream = await scriptedUpstream((query) =>
    (query.additionals ?? []).length > 0
      ? { type: 'response', id: query.id ?? 0, flags: 1, questions: query.questions ?? [] }
      : answerTo(query),
  );
  using client = start([upstream.url]);
  assert.deepEqual(await client.ask(), RIGHT);
  assert.deepEqual(await client.ask(), RIGHT);
  assert.equal(upstream.queries.length, 3);
});

test('a silent upstream: the next one answers soon, and after three failures is preferred until the silent one is back', async () => {
  let silent = true;
  await using first = await scriptedUpstream((query) => (silent ? undefined : answerTo(query)));
  await using second = await scriptedUpstream((query) => answerTo(query));
  using client = start([first.url, second.url]);
  assert.deepEqual(await Promise.all([client.ask(), client.ask(), client.ask()]), [RIGHT, RIGHT, RIGHT]);
  const troubles = () => client.upstreams.status().map(({ trouble }) => trouble);
  await waitUntil('three timeouts', () => client.count('upstream-timeouts') >= 3);
  const asked = () => first.queries.filter((query) => !query.startsWith(ROOT)).length;
  const before = asked();
  assert.deepEqual(await client.ask(), RIGHT);
  assert.equal(asked(), before, 'not queried while it is down');
  await waitUntil('a failed probe', () => troubles().includes('silent'));
  assert.deepEqual(troubles(), ['silent', undefined]);

  silent = false; // a probe notices this without any query of a client
  await waitUntil('the first upstream to be up', () => !troubles().includes('silent'));
  const secondAsked = second.queries.length;
  assert.deepEqual(await client.ask(), RIGHT);
  assert.equal(second.queries.length, secondAsked, 'the first is preferred again');
});

test('an upstream that is silent for some names only is not down', async () => {
  await using upstream = await scriptedUpstream((query) =>
    query.questions![0].name === '.' || query.questions![0].name === '' ? answerTo(query) : undefined,
  );
  using client = start([upstream.url]);
  await Promise.all([client.ask(), client.ask(), client.ask()]);
  await waitUntil('the answer to a probe', () => upstream.queries.some((query) => query.startsWith(ROOT)));
  await waitUntil('three timeouts', () => client.count('upstream-timeouts') >= 3);
  assert.deepEqual(
    client.upstreams.status().map(({ trouble }) => trouble),
    [undefined],
  );
});

for (const [title, rcode, isRootWell, expected] of [
  ['SERVFAIL for some names only', 2, true, undefined],
  ['SERVFAIL for everything, as from one that leads back here', 2, false, 'errors'],
  ['REFUSED for everything, as from one that does not serve this network', 5, false, 'errors'],
] as const) {
  test(`an upstream that answers ${title}: ${expected ?? 'up'}`, async () => {
    let isWell = false;
    await using upstream = await scriptedUpstream((query) =>
      isWell || (isRootWell && /^\.?$/.test(query.questions![0].name))
        ? answerTo(query)
        : error(rcode)(query),
    );
    using client = start([upstream.url]);
    const trouble = () => client.upstreams.status()[0].trouble;
    for (let i = 0; i < 3; i++) assert.equal(await client.ask(), undefined);
    await waitUntil('a probe', () => upstream.queries.some((query) => query.startsWith(ROOT)));
    await waitUntil('its result', () => trouble() === expected);
    isWell = true;
    assert.deepEqual(await client.ask(), RIGHT);
    assert.equal(trouble(), undefined);
  });
}

test('truncated over TCP too: no answer, instead of an empty one', async () => {
  await using upstream = await scriptedUpstream((query) =>
    answerTo(query, '', { answers: [], flags: 0x0380 }),
  );
  using client = start([upstream.url]);
  assert.equal(await client.ask(), undefined);
});

test('an upstream that answers SERVFAIL or REFUSED: the next one is tried; if all do so, there is no answer', async () => {
  await using failing = await scriptedUpstream(error(2));
  await using refusing = await scriptedUpstream(error(5));
  await using good = await scriptedUpstream((query) => answerTo(query));
  using client = start([failing.url, refusing.url, good.url]);
  assert.deepEqual(await client.ask(), RIGHT);
  using hopeless = start([failing.url, refusing.url]);
  assert.equal(await hopeless.ask(), undefined);
  assert.equal(failing.queries.length, 2, 'each is queried once');
});

test('no listener: no answer, at once, because ICMP reports the closed port', async () => {
  using client = start([`udp://127.0.0.1:${await freePort()}`]);
  assert.equal(await client.ask(), undefined);
  assert.equal(client.count('upstream-timeouts'), 0);
});

test('a resolver without a route: no answer, at once', async () => {
  // connect(2) refuses the broadcast address (EACCES), as it refuses every address without a route.
  using client = start(['udp://255.255.255.255']);
  assert.equal(await client.ask(), undefined);
  assert.equal(client.count('upstream-timeouts'), 0);
});

test('the deadline is kept', async () => {
  await using upstream = await scriptedUpstream(() => undefined);
  using client = start([upstream.url]);
  // Shorter than the time limit of the upstream: this deadline ends the wait.
  assert.equal(await client.ask(1), undefined);
  assert.equal(client.count('upstream-timeouts'), 0);
});

const prefix = (text: string) => parseIpPrefix(text) as IpPrefix;

/** Whether an upstream is the resolver itself, if it listens on these addresses at port 53. */
const LOOPS: readonly (readonly [url: string, listen: readonly string[], expected: boolean])[] = [
  ['udp://192.0.2.1', ['0.0.0.0'], true],
  ['udp://192.0.2.1', ['192.0.2.1'], true],
  ['udp://192.0.2.1', ['198.51.100.1'], false],
  ['udp://192.0.2.1', ['::'], false],
  ['udp://192.0.2.2', ['0.0.0.0'], false],
  ['udp://192.0.2.255', ['0.0.0.0'], true],
  ['udp://127.0.0.1', ['0.0.0.0'], true],
  ['udp://127.0.0.1:5353', ['0.0.0.0'], false],
  ['udp://127.0.0.53', ['127.0.0.1'], false],
  ['udp://0.0.0.0', ['127.0.0.1'], true],
  ['udp://[::1]', ['::'], true],
  ['udp://[::1]', ['2001:db8:1::1'], false],
  ['udp://[::]', ['::1'], true],
  ['udp://[2001:db8:1::1]', ['::'], true],
  ['udp://[2001:db8:1::2]', ['::'], false],
  ['udp://[::ffff:192.0.2.1]', ['0.0.0.0'], true],
  ['udp://[64:ff9b::192.0.2.1]', ['0.0.0.0'], true],
  ['udp://[64:ff9b::192.0.2.2]', ['0.0.0.0'], false],
  ['udp://[2001:db8:64::192.0.2.1]', ['0.0.0.0'], true],
];

test('an upstream is a loop when it is an own address, in any form, where the resolver listens', () => {
  const own = ['192.0.2.1/32', '192.0.2.255/32', '2001:db8:1::1/128'].map(prefix);
  const ourselves = compileOurselves(own, [prefix('2001:db8:64::/96')]);
  for (const [url, listen, expected] of LOOPS) {
    const loop = isLoop(ourselves, { listen: [...listen], port: 53 }, parseDnsUpstream(url)!);
    assert.equal(loop, expected, `${url}, listening on ${listen.join()}`);
  }
});

test('an upstream that is the resolver itself is not queried, is down, and the next one answers', async () => {
  await using ourself = await scriptedUpstream((query) => answerTo(query, '203.0.113.66'));
  await using other = await scriptedUpstream((query) => answerTo(query));
  const own = parseDnsUpstream(ourself.url)!;
  using both = start([ourself.url, other.url], ({ port }) => port === own.port);
  assert.deepEqual(await both.ask(), RIGHT);
  assert.ok(both.count('upstream-ourselves') > 0);
  assert.deepEqual(
    both.upstreams.status().map(({ isOurs }) => isOurs),
    [true, false],
  );
  using alone = start([ourself.url], () => true);
  assert.equal(await alone.ask(), undefined);
  assert.equal(alone.count('upstream-queries'), 0);
  assert.equal(ourself.queries.length, 0);
});
