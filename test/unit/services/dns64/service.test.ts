/** The whole resolver on loopback, with a scripted upstream and real sockets. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import net from 'node:net';
import { after, before, test } from 'node:test';
import dnsPacket, { type Packet } from 'dns-packet';
import fc from 'fast-check';
import type { Dns64Config } from '../../../../src/config/schema.ts';
import { followOurselves } from '../../../../src/os/follow-ourselves.ts';
import { silentLog } from '../../../../src/runtime/log.ts';
import type { Service } from '../../../../src/runtime/service.ts';
import { type Dns64Options, startDns64 } from '../../../../src/services/dns64/service.ts';
import { type ScriptedUpstream, askTcp, askUdp, frame, scriptedUpstream, zone } from './helpers.ts';
import { NOBODY } from '../../net/support.ts';
import { translate } from '../../../../src/texts/text.ts';
import { freePort } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';

const context = { log: silentLog, stateDirectory: '/nonexistent', ourselves: NOBODY };

const baseConfig = (port: number, upstream: string): Dns64Config => ({
  enabled: true,
  listen: ['0.0.0.0', '::'],
  port,
  prefixes: ['64:ff9b::/96'],
  upstreams: [upstream],
  allow: ['127.0.0.0/24', '::1/128'],
  cacheEntries: 1000,
  queryLog: 'full',
});

const DATA = zone({
  'v4.example.com': { A: [{ data: '192.0.2.1' }] },
  'v6.example.com': { AAAA: [{ data: '2001:db8::1' }], A: [{ data: '192.0.2.2' }] },
  'alias.example.com': { CNAME: [{ type: 'CNAME', data: 'v4.example.com' }] },
  'large.example.com': { TXT: Array.from({ length: 20 }, (_, i) => ({ data: `${i}`.repeat(50) })) },
  '1.2.0.192.in-addr.arpa': { PTR: [{ data: 'v4.example.com' }] },
  'signed.example.com': {
    A: [
      { data: '192.0.2.3' },
      {
        type: 'RRSIG',
        data: {
          typeCovered: 'A',
          algorithm: 13,
          labels: 3,
          originalTTL: 300,
          expiration: 1,
          inception: 0,
          keyTag: 1,
          signersName: 'example.com',
          signature: Buffer.alloc(64),
        },
      },
    ],
  },
});

let port = 0;
let upstream: ScriptedUpstream;
let service: Service<Dns64Options>;

before(async () => {
  upstream = await scriptedUpstream(DATA);
  port = await freePort();
  service = await startDns64({ dns64: baseConfig(port, upstream.url) }, context);
});

after(async () => {
  await service?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
});

let nextId = 1;
const encode = (name: string, type: string, changes: Partial<Packet> = {}) =>
  dnsPacket.encode({
    type: 'query',
    id: nextId++ & 0xffff,
    flags: 0x0100,
    questions: [{ name, type: type as 'A' }],
    ...changes,
  });

const opt = (flags = 0, udpPayloadSize = 1232, ednsVersion = 0) => ({
  additionals: [
    {
      type: 'OPT' as const,
      name: '.' as const,
      udpPayloadSize,
      extendedRcode: 0 as const,
      ednsVersion: ednsVersion as 0,
      flags,
      flag_do: flags !== 0,
      options: [],
    },
  ],
});

/** The answers as "name type data", and the response code. */
function read(reply: Buffer) {
  const { answers, flags, rcode } = dnsPacket.decode(reply) as Packet & { rcode?: string };
  const lines = answers?.map(
    (record) => `${record.name} ${record.type} ${String('data' in record && record.data)}`,
  );
  return { lines, rcode, flags: (flags ?? 0) & 0xffff };
}
const ask = async (name: string, type: string, changes?: Partial<Packet>) =>
  read(await askUdp(port, encode(name, type, changes)));

test('a AAAA is synthesised; the second time it comes from the cache, in the case of its question', async () => {
  assert.deepEqual(await ask('v4.example.com', 'AAAA'), {
    lines: ['v4.example.com AAAA 64:ff9b::c000:201'],
    rcode: 'NOERROR',
    flags: 0x0180,
  });
  assert.deepEqual(upstream.queries.slice(-2), ['v4.example.com aaaa', 'v4.example.com a']);
  const asked = upstream.queries.length;
  assert.deepEqual((await ask('V4.eXample.COM', 'AAAA')).lines, ['V4.eXample.COM AAAA 64:ff9b::c000:201']);
  assert.equal(upstream.queries.length, asked);
});

// [title, name, type, changes, lines, response code]
for (const [title, name, type, changes, lines, rcode] of [
  ['a real AAAA', 'v6.example.com', 'AAAA', {}, ['v6.example.com AAAA 2001:db8::1'], 'NOERROR'],
  ['an A', 'v4.example.com', 'A', {}, ['v4.example.com A 192.0.2.1'], 'NOERROR'],
  ['a name that does not exist', 'no.example.com', 'AAAA', {}, [], 'NXDOMAIN'],
  [
    'an alias that the upstream does not follow',
    'alias.example.com',
    'AAAA',
    {},
    ['alias.example.com CNAME v4.example.com', 'v4.example.com AAAA 64:ff9b::c000:201'],
    'NOERROR',
  ],
  [
    'RFC 8880: A',
    'ipv4only.arpa',
    'A',
    {},
    ['ipv4only.arpa A 192.0.0.170', 'ipv4only.arpa A 192.0.0.171'],
    'NOERROR',
  ],
  [
    'RFC 7050: AAAA',
    'ipv4only.arpa',
    'AAAA',
    {},
    ['ipv4only.arpa AAAA 64:ff9b::c000:aa', 'ipv4only.arpa AAAA 64:ff9b::c000:ab'],
    'NOERROR',
  ],
  ['RFC 8880: other types', 'ipv4only.arpa', 'MX', {}, [], 'NOERROR'],
  ['RFC 8880: names below', 'x.ipv4only.arpa', 'AAAA', {}, [], 'NXDOMAIN'],
  ['RFC 6761: localhost', 'localhost', 'AAAA', {}, ['localhost AAAA ::1'], 'NOERROR'],
  ['RFC 6761: invalid', 'x.invalid', 'A', {}, [], 'NXDOMAIN'],
  ['RFC 9462: resolver.arpa', '_dns.resolver.arpa', 'UNKNOWN_64', {}, [], 'NOERROR'],
  ['RFC 8482: ANY', 'v4.example.com', 'ANY', {}, ['v4.example.com HINFO [object Object]'], 'NOERROR'],
  [
    'a signed A, DO clear',
    'signed.example.com',
    'AAAA',
    {},
    ['signed.example.com AAAA 64:ff9b::c000:203'],
    'NOERROR',
  ],
  ['a signed A, DO set: not synthesised', 'signed.example.com', 'AAAA', opt(0x8000), [], 'NOERROR'],
  ['DO and CD: not synthesised', 'v4.example.com', 'AAAA', { ...opt(0x8000), flags: 0x0110 }, [], 'NOERROR'],
  ['RD clear', 'v4.example.com', 'AAAA', { flags: 0 }, [], 'REFUSED'],
  ['a zone transfer', 'example.com', 'AXFR', {}, [], 'REFUSED'],
  [
    'class CHAOS',
    'version.bind',
    'TXT',
    { questions: [{ name: 'version.bind', type: 'TXT', class: 'CH' }] },
    [],
    'NOTIMP',
  ],
  ['opcode NOTIFY', 'example.com', 'SOA', { flags: 4 << 11 }, [], 'NOTIMP'],
  [
    'two questions',
    '',
    'A',
    {
      questions: [
        { name: 'a', type: 'A' },
        { name: 'b', type: 'A' },
      ],
    },
    [],
    'FORMERR',
  ],
] as [string, string, string, Partial<Packet>, string[], string][]) {
  test(`the same over UDP and TCP: ${title}`, async () => {
    const overUdp = await ask(name, type, changes);
    assert.deepEqual([overUdp.lines, overUdp.rcode], [lines, rcode]);
    const [reply] = await askTcp(port, [encode(name, type, changes)]);
    const overTcp = read(reply);
    assert.deepEqual([overTcp.lines, overTcp.rcode], [lines, rcode]);
  });
}

test('local answers never cause upstream queries', () => {
  const leaked = upstream.queries.filter((query) =>
    /ipv4only|localhost|invalid|resolver\.arpa|any$/.test(query),
  );
  assert.deepEqual(leaked, []);
});

test('RFC 6147 section 5.3.1: PTR for a synthesised address', async () => {
  const nibbles = Array.from('0064ff9b0000000000000000c0000201').reverse().join('.');
  const { lines } = await ask(`${nibbles}.ip6.arpa`, 'PTR');
  assert.deepEqual(lines, [
    `${nibbles}.ip6.arpa CNAME 1.2.0.192.in-addr.arpa`,
    '1.2.0.192.in-addr.arpa PTR v4.example.com',
  ]);
});

test('an EDNS version that does not exist yet: BADVERS', async () => {
  const reply = dnsPacket.decode(await askUdp(port, encode('v4.example.com', 'A', opt(0, 1232, 1))));
  const [found] = reply.additionals ?? [];
  assert.equal(found.type === 'OPT' && found.extendedRcode, 1);
  assert.equal((reply as { rcode?: string }).rcode, 'NOERROR');
});

test('an answer that does not fit is truncated on UDP, from resolver and cache, and whole on TCP', async () => {
  for (const source of ['resolver', 'cache']) {
    const { flags, lines } = await ask('large.example.com', 'TXT');
    assert.ok((flags & 0x0200) !== 0, source);
    assert.deepEqual(lines, []);
  }
  const [reply] = await askTcp(port, [encode('large.example.com', 'TXT')]);
  assert.equal(read(reply).lines?.length, 20);
});

test('over IPv6', async () => {
  const reply = await askUdp(port, encode('v4.example.com', 'AAAA'), { to: '::1' });
  assert.deepEqual(read(reply).lines, ['v4.example.com AAAA 64:ff9b::c000:201']);
});

test('a reply has the queried address as its source, from resolver and cache', async () => {
  for (const source of ['resolver', 'cache']) {
    const reply = await askUdp(port, encode('multihomed.example.com', 'A'), { to: '127.0.0.5' });
    assert.equal(read(reply).rcode, 'NXDOMAIN', source);
  }
});

test('clients outside the access list: REFUSED over UDP, closed over TCP', async () => {
  const reply = await askUdp(port, encode('v4.example.com', 'A'), { from: '127.0.1.1' });
  assert.equal(read(reply).rcode, 'REFUSED');
  const socket = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.1.1' });
  await assert.rejects(async () => {
    for await (const chunk of socket) assert.fail(`got ${String(chunk)}`);
    throw new Error('closed');
  }, /closed|ECONNRESET/);
});

/** The messages' IDs in order of size. */
const ids = (list: Uint8Array[]) =>
  list.map((bytes) => Buffer.from(bytes).readUInt16BE(0)).sort((a, b) => a - b);

test('TCP: many queries on one connection, one of them in pieces, are all answered', async () => {
  const queries = Array.from({ length: 250 }, (_, i) => encode(`n${i}.example.com`, 'AAAA'));
  const replies = await askTcp(port, queries);
  assert.deepEqual(ids(replies), ids(queries));

  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
  const bytes = frame(encode('v4.example.com', 'A'));
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  for (const byte of bytes) {
    await new Promise<void>((resolve) => socket.write(Buffer.of(byte), () => resolve()));
  }
  // Half-closed: the queries are still answered.
  socket.end();
  await new Promise((resolve) => socket.once('close', resolve));
  assert.deepEqual(read(Buffer.concat(received).subarray(2)).lines, ['v4.example.com A 192.0.2.1']);
});

test('the same question from many clients at once is sent upstream once', async () => {
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, i) => ask(i % 2 === 0 ? 'crowd.example.com' : 'CROWD.example.com', 'A')),
  );
  assert.ok(replies.every(({ rcode }) => rcode === 'NXDOMAIN'));
  assert.equal(upstream.queries.filter((query) => query === 'crowd.example.com a').length, 1);
});

test('the resolver keeps working whatever bytes arrive over UDP and TCP', async () => {
  const wellFormed = encode('v4.example.com', 'AAAA', opt(0));
  const nearly = fc
    .tuple(fc.array(fc.tuple(fc.nat(wellFormed.length - 1), fc.nat(255)), { maxLength: 4 }), fc.nat(10))
    .map(([changes, cut]) => {
      const bytes = Uint8Array.from(wellFormed);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes.subarray(0, bytes.length - cut);
    });
  const inputs = fc.sample(fc.oneof(nearly, fc.uint8Array({ maxLength: 100 })), 1500);
  inputs.push(randomBytes(9000), new Uint8Array(0), new Uint8Array(12));
  const received = () => service.counters()['queries-udp'];
  const atStart = received();
  const socket = dgram.createSocket('udp4');
  for (const bytes of inputs) await new Promise((resolve) => socket.send(bytes, port, '127.0.0.1', resolve));
  await waitUntil('all datagrams to be received', () => received() >= atStart + inputs.length);
  socket.close();
  for (let i = 0; i < 20; i++) {
    const connection = net.connect(port, '127.0.0.1');
    connection.on('error', () => {});
    connection.end(randomBytes(200));
    connection.resume();
    await new Promise((resolve) => connection.once('close', resolve));
  }
  assert.deepEqual((await ask('v4.example.com', 'A')).lines, ['v4.example.com A 192.0.2.1']);
  const counters = service.counters();
  for (const name of ['error-format', 'drop-short', 'drop-response', 'error-not-implemented'])
    assert.ok(counters[name] > 0, name);
  assert.equal(service.status().restarts, 0);
});

test('a worker that dies is restarted, and cached names are answered without an upstream query', async () => {
  // The previous test may have left unfinished queries.
  await waitUntil('no pending queries', () => service.status().figures.inFlight === 0);
  // Counts queries for this name only: a slow upstream is also probed with other names.
  const asked = () => upstream.queries.filter((query) => query.startsWith('v4.example.com')).length;
  const before = asked();
  service.failWorker();
  await waitUntil(
    'the new worker',
    () => service.status().restarts === 1 && service.status().state === 'running',
  );
  const { lines } = await ask('v4.example.com', 'A');
  assert.deepEqual(lines, ['v4.example.com A 192.0.2.1']);
  assert.equal(asked(), before);
});

test('a query that arrives while the worker is being replaced is answered', async () => {
  service.failWorker();
  await waitUntil('the worker to be gone', () => service.status().state === 'degraded');
  assert.deepEqual((await ask('v4.example.com', 'A')).lines, ['v4.example.com A 192.0.2.1']);
});

test('status and counters agree with the queries', async () => {
  await waitUntil('both threads', () => service.status().state === 'running');
  const { state, figures } = service.status();
  assert.equal(state, 'running');
  assert.match(translate(figures)[upstream.url] as string, /^up, [0-9.]+ ms$/);
  assert.ok(Number(figures.cacheEntries) > 0);
  const counters = service.counters();
  for (const name of Object.keys(service.counterTable)) assert.ok(counters[name] >= 0, name);
  assert.ok(counters.synthesised > 0 && counters.hits > 0 && counters.truncated > 0);
});

test('a new prefix takes effect at once; a new port is open before the old one closes; a port in use changes nothing', async () => {
  await using own = await scriptedUpstream(DATA);
  const [first, second, taken] = [await freePort(), await freePort(), await freePort()];
  const config = { ...baseConfig(first, own.url), listen: ['127.0.0.1'] };
  await using resolver = await startDns64({ dns64: config }, context);
  const at = async (at: number) => read(await askUdp(at, encode('v4.example.com', 'AAAA'))).lines;
  assert.deepEqual(await at(first), ['v4.example.com AAAA 64:ff9b::c000:201']);

  await resolver.reconfigure({ dns64: { ...config, prefixes: ['2001:db8:64::/96'] } });
  assert.deepEqual(await at(first), ['v4.example.com AAAA 2001:db8:64::c000:201']);

  await resolver.reconfigure({ dns64: { ...config, port: second } });
  assert.deepEqual(await at(second), ['v4.example.com AAAA 64:ff9b::c000:201']);
  await assert.rejects(askTcp(first, [encode('v4.example.com', 'A')]));

  const holder = net.createServer().listen(taken, '127.0.0.1');
  await new Promise((resolve) => holder.once('listening', resolve));
  await assert.rejects(resolver.reconfigure({ dns64: { ...config, port: taken } }), /EADDRINUSE/);
  holder.close();
  assert.deepEqual(await at(second), ['v4.example.com AAAA 64:ff9b::c000:201']);

  await resolver.reconfigure({ dns64: { ...config, port: second, allow: [] } });
  assert.deepEqual(read(await askUdp(second, encode('v4.example.com', 'A'))).rcode, 'REFUSED');

  await resolver.reconfigure({ dns64: { ...config, enabled: false } });
  assert.equal(resolver.status().state, 'disabled');
  await assert.rejects(askTcp(second, [encode('v4.example.com', 'A')]));
});

test('the addresses change while it runs, to subsets and back, in quick succession', async () => {
  await using own = await scriptedUpstream(DATA);
  const port = await freePort();
  const config = baseConfig(port, own.url);
  await using resolver = await startDns64({ dns64: config }, context);
  const LISTS = [
    ['127.0.0.1'],
    ['0.0.0.0'],
    ['127.0.0.1', '::1', '0.0.0.0'],
    ['::1', '127.0.0.1'],
    ['::', '0.0.0.0'],
  ];
  for (const listen of LISTS) {
    await resolver.reconfigure({ dns64: { ...config, listen } });
    assert.equal(resolver.status().state, 'running', listen.join());
  }
  for (const listen of LISTS) {
    await resolver.reconfigure({ dns64: { ...config, listen } });
    const query = encode('v4.example.com', 'AAAA');
    for (const answer of [await askUdp(port, query), ...(await askTcp(port, [query]))])
      assert.deepEqual(read(answer).lines, ['v4.example.com AAAA 64:ff9b::c000:201'], listen.join());
  }
  // A second process reports that the port is in use.
  for (const listen of [['0.0.0.0'], ['127.0.0.1']]) {
    await using second = await startDns64({ dns64: { ...config, listen } }, context);
    assert.equal(second.status().state, 'degraded', listen.join());
  }
});

test('an upstream that is this resolver itself is not queried: one query causes no other', async () => {
  const port = await freePort();
  using ourselves = followOurselves([]);
  const config = { ...baseConfig(port, `udp://127.0.0.1:${port}`), listen: ['127.0.0.1'] };
  await using resolver = await startDns64({ dns64: config }, { ...context, ourselves });
  assert.equal(read(await askUdp(port, encode('v4.example.com', 'A'))).rcode, 'SERVFAIL');
  const counters = resolver.counters();
  assert.deepEqual([counters['queries-udp'], counters['upstream-queries']], [1, 0]);
  assert.ok(counters['upstream-ourselves'] > 0);
  const { state, problem } = translate(resolver.status());
  assert.equal(state, 'degraded');
  assert.match(problem ?? '', /is this resolver itself, so it is not asked/);
});

test('a resolver at another port of loopback is queried, although loopback is ours', async () => {
  await using local = await scriptedUpstream(DATA);
  using ourselves = followOurselves([]);
  const port = await freePort();
  await using _ = await startDns64({ dns64: baseConfig(port, local.url) }, { ...context, ourselves });
  assert.deepEqual(read(await askUdp(port, encode('v6.example.com', 'AAAA'))).lines, [
    'v6.example.com AAAA 2001:db8::1',
  ]);
});
