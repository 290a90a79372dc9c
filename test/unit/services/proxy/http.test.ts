/** An HTTP listener, with a server that shows what it received. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Socket } from 'node:net';
import {
  AF_INET6,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  bind,
  check,
  close,
  listen,
  socket,
} from '../../../../src/os/libc.ts';
import { encodeSocketAddress } from '../../../../src/os/socket-address.ts';
import { parseIpv6 } from '../../../../src/wire/ip-address.ts';
import type { HostConfig, ProxyConfig } from '../../../../src/config/schema.ts';
import { type ProxyOptions, startProxy } from '../../../../src/services/proxy/service.ts';
import { withoutAddedDate } from '../../../added-date.ts';
import { Cleanup, MAPPED, freePort, hostAt, patternBytes, receive } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';
/** The same as its client gets it. Whether the server keeps its connection is not the client's concern. */
const PASSED = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 tombolo\r\n\r\nok';
/** Behind it: the answer to a request for a name that nobody has. */
const PASSED_AND_MISDIRECTED = /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nokHTTP\/1\.1 421 /;

/** A proxy and a server that collects each connection's bytes and answers when `isComplete` says so. */
async function start(
  cleanup: Cleanup,
  {
    isComplete = (text: string) => text.includes('\r\n\r\n'),
    answer = (socket: Socket): void => void socket.end(ANSWER),
    handshakeTimeoutMs = 10_000,
    clientAddress = 'none' as 'none' | 'proxy-v1',
    host = {} as Partial<HostConfig>,
    proxy: proxyFields = {} as Partial<ProxyConfig>,
    listeners = [] as ProxyConfig['listeners'],
  } = {},
) {
  const port = await freePort();
  const requests: string[] = [];
  await cleanup.listen((socket) => {
    const at = requests.push('') - 1;
    let answered = false;
    socket.on('data', (chunk: Buffer) => {
      requests[at] += chunk.toString('latin1');
      if (answered || !isComplete(requests[at])) return;
      answered = true;
      answer(socket);
    });
  }, port);
  const proxy = cleanup.use(
    await startProxy(
      {
        proxy: {
          listen: ['127.0.0.1'],
          listeners: [{ name: 'http', port, protocol: 'http' }, ...listeners],
          ...MAPPED,
          handshakeTimeoutMs,
          responseTimeoutMs: 60_000,
          idleTimeoutMs: 60_000,
          ...proxyFields,
        },
        hosts: [hostAt('web1', { hostnames: ['example.com'], services: ['http'], clientAddress, ...host })],
      },
      cleanup.context,
    ),
  );
  const converse = async (ends: boolean, parts: readonly (string | Buffer)[]) => {
    const client = await cleanup.connect(port);
    const received = receive(client);
    for (const part of parts) client.write(part);
    if (ends) client.end();
    const { bytes, ended } = await received;
    client.end();
    return { text: withoutAddedDate(bytes.toString('latin1')), ended };
  };
  /** The client says all this, and that it will say no more: the connection ends after the answers. */
  const exchange = (...parts: (string | Buffer)[]) => converse(true, parts);
  /** The client could say more: the proxy ends the connection. */
  const wait = (...parts: (string | Buffer)[]) => converse(false, parts);
  return { port, proxy, requests, exchange, wait };
}

test('the head is rewritten: claims and hop-by-hop fields are removed, the true values are added', async () => {
  await using cleanup = new Cleanup();
  const { requests, exchange } = await start(cleanup);
  const { text, ended } = await exchange(
    'GET http://Example.com:80/a HTTP/1.1\r\nHost: other.example\r\nX-Forwarded-For: 192.0.2.66\r\n',
    'Forwarded: for=192.0.2.66\r\nX-Real-IP: 192.0.2.66\r\nConnection: keep-alive, X-Private, Upgrade\r\n',
    'X-Private: 1\r\nKeep-Alive: 5\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nTE: trailers\r\nAccept: */*\r\n\r\n',
  );
  assert.deepEqual([text, ended], [PASSED, 'end']);
  assert.deepEqual(requests, [
    [
      'GET /a HTTP/1.1',
      'Host: Example.com:80',
      'Accept: */*',
      'X-Forwarded-For: 127.0.0.1',
      'X-Real-IP: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'Forwarded: for=127.0.0.1;proto=http;host="Example.com:80"',
      'X-Forwarded-Host: Example.com:80',
      'Via: 1.1 tombolo',
      '\r\n',
    ].join('\r\n'),
  ]);
});

test('claims of a client about itself, under any name that a server might trust, do not arrive', async () => {
  await using cleanup = new Cleanup();
  const { requests, exchange } = await start(cleanup);
  const names = [
    ...[
      'X-Forwarded-For',
      'x_forwarded_for',
      'X-Forwarded_Host',
      'X-FORWARDED-PROTO',
      'X-Forwarded-Anything',
    ],
    ...[
      'Forwarded',
      'X-Real-IP',
      'X_Real_IP',
      'X-Client-IP',
      'Client-IP',
      'True-Client-IP',
      'CF-Connecting-IP',
    ],
    ...[
      'Fastly-Client-IP',
      'X-Cluster-Client-IP',
      'X-Original-Forwarded-For',
      'X-Originating-IP',
      'X-Remote-Addr',
    ],
    ...['X-Remote-IP', 'X-Envoy-External-Address', 'X-Azure-ClientIP'],
  ];
  const claims = names.map((name) => `${name}: 198.51.100.66\r\n`).join('');
  await exchange(`GET / HTTP/1.1\r\nHost: example.com\r\n${claims}X-Mine: kept\r\n\r\n`);
  assert.doesNotMatch(requests[0], /198\.51\.100\.66/);
  assert.match(requests[0], /\r\nX-Mine: kept\r\nX-Forwarded-For: 127\.0\.0\.1\r\n/);
});

test("a client's own PROXY header is not a request: it never reaches a server", async () => {
  await using cleanup = new Cleanup();
  const { requests, exchange } = await start(cleanup, { clientAddress: 'proxy-v1' });
  const request = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';
  const v1 = 'PROXY TCP4 198.51.100.66 192.0.2.1 1 80\r\n';
  const v2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc6336442c00002010001005000', 'hex');
  for (const header of [Buffer.from(v1), v2])
    assert.match((await exchange(header, request)).text, /^HTTP\/1\.1 400 /);
  assert.deepEqual(requests, []);
});

test('what follows a request is a request of its own, to its own Host', async () => {
  await using cleanup = new Cleanup();
  const { requests, exchange, proxy } = await start(cleanup);
  const pipelined = 'GET /admin HTTP/1.1\r\nHost: other.example\r\n\r\n';
  const { text } = await exchange(
    `GET / HTTP/1.1\r\nHost: example.com\r\n\r\n${pipelined}`,
    pipelined.repeat(10_000),
  );
  assert.match(text, PASSED_AND_MISDIRECTED);
  assert.equal(text.match(/HTTP\/1\.1 421/g)!.length, 1, 'the connection ends with the first refusal');
  assert.equal(requests.length, 1);
  assert.ok(!requests[0].includes('/admin'));
  await waitUntil('it is closed', () => proxy.status().figures['connections'] === 0);
  assert.ok(proxy.counters()['bytes-discarded'] > 0);
});

test('a body of known length arrives complete, and nothing after it', async () => {
  await using cleanup = new Cleanup();
  const body = patternBytes(700_000).toString('latin1');
  const { requests, exchange } = await start(cleanup, {
    isComplete: (text) => text.length > body.length && text.endsWith(body.slice(-100)),
  });
  const head = `POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: ${body.length}\r\n\r\n`;
  const { text } = await exchange(
    head,
    Buffer.from(body, 'latin1'),
    'GET /next HTTP/1.1\r\n\r\n'.repeat(100),
  );
  assert.match(text, /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nokHTTP\/1\.1 400 /);
  assert.ok(requests[0].slice(requests[0].indexOf('\r\n\r\n') + 4) === body);
  assert.equal(requests.length, 1);
});

const CHUNKED = 'POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n';
const CHUNKS = '5\r\nhello\r\n0\r\nA: b\r\n\r\n';
const BEHIND = 'GET /forged HTTP/1.1\r\nHost: secret.example.com\r\nX-Forwarded-For: 198.51.100.66\r\n\r\n';

for (const [how, parts] of [
  ['in one segment', [CHUNKED + CHUNKS + BEHIND]],
  ['behind the head', [CHUNKED, CHUNKS, BEHIND]],
  ['byte by byte', [CHUNKED, ...CHUNKS, BEHIND]],
  [
    'with the next request immediately after it',
    [CHUNKED, CHUNKS.slice(0, 7), CHUNKS.slice(7) + BEHIND, BEHIND],
  ],
] as const) {
  test(`a chunked body arrives complete, and nothing after it: ${how}`, async () => {
    await using cleanup = new Cleanup();
    const { requests, port } = await start(cleanup, { isComplete: (text) => text.endsWith('A: b\r\n\r\n') });
    const client = await cleanup.connect(port, { noDelay: true });
    const received = receive(client);
    for (const part of parts) await new Promise<void>((resolve) => client.write(part, () => resolve()));
    assert.match((await received).bytes.toString(), PASSED_AND_MISDIRECTED);
    assert.match(requests[0], /\r\nTransfer-Encoding: chunked\r\n/);
    assert.ok(requests[0].endsWith(`\r\n\r\n${CHUNKS}`), requests[0]);
    assert.equal(requests.length, 1);
  });
}

test('a large chunked body arrives complete', async () => {
  await using cleanup = new Cleanup();
  const data = patternBytes(900_000).toString('latin1');
  const body = `${data.length.toString(16)}\r\n${data}\r\n0\r\n\r\n`;
  const { requests, exchange } = await start(cleanup, {
    isComplete: (text) => text.length > data.length && text.endsWith('\r\n0\r\n\r\n'),
  });
  const { text } = await exchange(CHUNKED, Buffer.from(body, 'latin1'), BEHIND);
  assert.match(text, PASSED_AND_MISDIRECTED);
  assert.ok(requests[0].slice(requests[0].indexOf('\r\n\r\n') + 4) === body);
});

test('a malformed chunked body is a 400, and a reset to the server that has the head already', async () => {
  await using cleanup = new Cleanup();
  let reset = false;
  const { requests, exchange, port, proxy } = await start(cleanup, {
    isComplete: () => true,
    answer: (socket) => void socket.on('error', () => (reset = true)),
  });
  assert.match(
    (await exchange(`${CHUNKED}5\nhello\r\n0\r\n\r\n${BEHIND}`)).text,
    /^HTTP\/1\.1 400 [\s\S]*chunked body/,
  );
  assert.deepEqual(requests, []);
  const client = await cleanup.connect(port);
  const received = receive(client);
  client.write(CHUNKED);
  await waitUntil('the server has the head', () => requests.length === 1);
  client.write(`0\r\n\n${BEHIND}`);
  assert.match((await received).bytes.toString(), /^HTTP\/1\.1 400 [\s\S]*chunked body/);
  await waitUntil('the server knows that the rest will not come', () => reset);
  assert.doesNotMatch(requests[0], /forged/);
  assert.equal(proxy.counters()['refused-http-malformed'], 2);
});

test('proxy-v1 is sent before the head', async () => {
  await using cleanup = new Cleanup();
  const { requests, exchange } = await start(cleanup, { clientAddress: 'proxy-v1' });
  await exchange('GET / HTTP/1.0\r\nHost: example.com\r\n\r\n');
  assert.match(
    requests[0],
    /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 [0-9]+ [0-9]+\r\nGET \/ HTTP\/1\.1\r\nHost: example\.com\r\n/,
  );
});

for (const [title, request, status, counter, reason] of [
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'refused-http-no-host', 'names no server'],
  [
    'an unknown Host',
    'GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n',
    421,
    'refused-http-unknown-host',
    'nobody.example',
  ],
  [
    'two Hosts',
    'GET / HTTP/1.1\r\nHost: example.com\r\nHost: b.example\r\n\r\n',
    400,
    'refused-http-malformed',
    'more than one Host',
  ],
  [
    'a long head',
    `GET / HTTP/1.1\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    'refused-http-oversized',
    '16384 bytes',
  ],
  [
    'an endless head',
    `GET / HTTP/1.1\r\nA: ${'x'.repeat(200_000)}`,
    431,
    'refused-http-oversized',
    '16384 bytes',
  ],
  [
    'HTTP/2 with prior knowledge',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    505,
    'refused-http-unsupported',
    'HTTP/2',
  ],
  [
    'TLS',
    Buffer.of(22, 3, 1, 0, 200, 1).toString('latin1'),
    400,
    'refused-http-malformed',
    'no HTTP request',
  ],
] as const) {
  test(`${title}: ${status} with the reason in the body`, async () => {
    await using cleanup = new Cleanup();
    const { proxy, requests, exchange } = await start(cleanup);
    const { text, ended } = await exchange(Buffer.from(request, 'latin1'));
    assert.match(
      text,
      new RegExp(`^HTTP/1\\.1 ${status} [^]*Connection: close\r\n\r\n${status} [^]*${reason}`),
    );
    assert.equal(ended, 'end');
    assert.equal(proxy.counters()[counter], 1);
    assert.deepEqual(requests, []);
  });
}

test('a server that closes or resets without an answer gives a 502', async () => {
  for (const answer of [
    (socket: Socket) => void socket.end(),
    (socket: Socket) => void socket.resetAndDestroy(),
  ]) {
    await using cleanup = new Cleanup();
    const { proxy, exchange } = await start(cleanup, { answer });
    const { text } = await exchange('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    assert.match(text, /^HTTP\/1\.1 502 [\s\S]*without an answer\n$/);
    assert.equal(proxy.counters()['http-no-answer'], 1);
  }
});

test('a server that is down gives a 502; to HEAD without a body', async () => {
  await using cleanup = new Cleanup();
  const { port, proxy, exchange } = await start(cleanup);
  const elsewhere = await freePort();
  await proxy.reconfigure({
    proxy: {
      listen: ['127.0.0.1'],
      listeners: [{ name: 'http', port: elsewhere, protocol: 'http' }],
      ...MAPPED,
      handshakeTimeoutMs: 1000,
      responseTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
    },
    hosts: [hostAt('web1', { hostnames: ['example.com'], services: ['http'] })],
  });
  await assert.rejects(exchange('x'), { code: 'ECONNREFUSED' }, `port ${port} is closed`);
  const client = await cleanup.connect(elsewhere);
  client.write('HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n');
  assert.match((await receive(client)).bytes.toString(), /^HTTP\/1\.1 502 Bad Gateway\r\n[\s\S]*\r\n\r\n$/);
});

test('a server that does not accept in time gives a 504', async () => {
  await using cleanup = new Cleanup();
  const { proxy } = await start(cleanup);
  const port = await freePort();
  // Nothing calls accept: once the queue is full, the kernel leaves further SYNs unanswered.
  const server = check(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
  cleanup.defer(() => void close(server));
  const address = encodeSocketAddress({ address: parseIpv6('::1')!, port });
  check(bind(server, address, address.length), 'bind');
  check(listen(server, 0), 'listen');
  await cleanup.connect(port, { host: '::1' });
  await proxy.reconfigure({
    proxy: {
      listen: ['127.0.0.1'],
      listeners: [{ name: 'http', port, protocol: 'http' }],
      ...MAPPED,
      handshakeTimeoutMs: 200,
      responseTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
    },
    hosts: [hostAt('web1', { hostnames: ['example.com'], services: ['http'] })],
  });
  const client = await cleanup.connect(port);
  client.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
  assert.match((await receive(client)).bytes.toString(), /^HTTP\/1\.1 504 /);
  assert.equal(proxy.counters()['server-timeout'], 1);
});

test('a slow head gives a 408; a client that sent nothing is closed', async () => {
  await using cleanup = new Cleanup();
  const { proxy, wait } = await start(cleanup, { handshakeTimeoutMs: 100 });
  assert.match((await wait('GET / HTTP/1.1\r\nHost: exam')).text, /^HTTP\/1\.1 408 /);
  assert.deepEqual(await wait(), { text: '', ended: 'end' });
  assert.equal(proxy.counters()['refused-timeout'], 2);
});

test('connections with random bytes end and are counted, and the proxy keeps working', async () => {
  await using cleanup = new Cleanup();
  const { proxy, port, exchange } = await start(cleanup);
  const prefix = fc.constantFrom('', 'GET / HTTP/1.1\r\nHost: ', 'GET ');
  await fc.assert(
    fc.asyncProperty(prefix, fc.uint8Array({ minLength: 1, maxLength: 300 }), async (prefix, bytes) => {
      const client = await cleanup.connect(port);
      client.end(Buffer.concat([Buffer.from(prefix), bytes, Buffer.from('\r\n\r\n')]));
      await receive(client);
      client.destroy();
    }),
    { numRuns: 100 },
  );
  await waitUntil('all are closed', () => proxy.status().figures['connections'] === 0);
  const counters = proxy.counters();
  const refusals = Object.entries(counters).filter(
    ([name]) => name.startsWith('refused-http') || name === 'closed-early',
  );
  assert.equal(
    refusals.reduce((sum, [, count]) => sum + count, 0),
    counters['accepted'],
  );
  assert.equal((await exchange('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n')).text, PASSED);
});

const GET = 'GET /a?b HTTP/1.1\r\nHost: Example.com\r\n\r\n';

for (const [title, host, status, field, counter] of [
  ['in maintenance', { maintenance: true }, 503, /\r\nRetry-After: [0-9]+\r\n/, 'refused-http-maintenance'],
  [
    'that does not have the client in its list',
    { allow: ['198.51.100.0/24'] },
    403,
    /^/,
    'refused-http-not-allowed',
  ],
] as const) {
  test(`a server ${title} is answered for: ${status}, and sees nothing of it`, async () => {
    await using cleanup = new Cleanup();
    const { requests, exchange, proxy } = await start(cleanup, {
      host: { ...host, allow: [...(host.allow ?? ['any'])] },
    });
    const { text, ended } = await exchange(GET);
    assert.equal(ended, 'end');
    assert.ok(text.startsWith(`HTTP/1.1 ${status} `), text);
    assert.match(text, field);
    const head = await exchange('HEAD / HTTP/1.1\r\nHost: example.com\r\n\r\n');
    assert.match(head.text, /\r\n\r\n$/);
    assert.deepEqual(requests, []);
    assert.equal(proxy.counters()[counter], 2);
    assert.equal(proxy.counters()['http-routed'], 0);
  });
}

test('a redirect to https; the challenge of a certificate authority goes to the server', async () => {
  await using cleanup = new Cleanup();
  const httpsPort = await freePort();
  const listeners: ProxyConfig['listeners'] = [{ name: 'https', port: httpsPort, protocol: 'tls' }];
  const { requests, exchange, proxy } = await start(cleanup, {
    host: { redirectToHttps: 308, services: ['http', 'https'] },
    listeners,
  });
  const { text } = await exchange(GET);
  assert.match(text, /^HTTP\/1\.1 308 Permanent Redirect\r\n/);
  assert.ok(text.includes(`\r\nLocation: https://example.com:${httpsPort}/a?b\r\n`), text);
  assert.deepEqual(requests, []);
  const challenge = await exchange('GET /.well-known/acme-challenge/t HTTP/1.1\r\nHost: example.com\r\n\r\n');
  assert.equal(challenge.text, PASSED);
  assert.equal(requests.length, 1);
  assert.equal(proxy.counters()['http-redirected'], 1);
});

test('the default server gets names that nobody has', async () => {
  await using cleanup = new Cleanup();
  const { requests, exchange } = await start(cleanup, { proxy: { defaultHost: 'web1' } });
  assert.equal((await exchange('GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n')).text, PASSED);
  assert.match(requests[0], /\r\nHost: 192\.0\.2\.1\r\n/);
  assert.match((await exchange('GET / HTTP/1.1\r\n\r\n')).text, /^HTTP\/1\.1 400 /);
});

test('a server that is switched off is unknown, and switching it on needs no restart', async () => {
  await using cleanup = new Cleanup();
  const target = await cleanup.listen((socket) => socket.once('data', () => socket.end(ANSWER)));
  const port = await freePort();
  const optionsOf = (enabled: boolean): ProxyOptions => ({
    proxy: {
      listen: ['127.0.0.1'],
      listeners: [{ name: 'http', port, protocol: 'http' }],
      ...MAPPED,
      handshakeTimeoutMs: 10_000,
      responseTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
    },
    hosts: [
      hostAt('web1', {
        hostnames: ['example.com'],
        services: [{ listener: 'http', targetPort: target, clientAddress: 'none' }],
        enabled,
      }),
    ],
  });
  const proxy = cleanup.use(await startProxy(optionsOf(false), cleanup.context));
  assert.equal(proxy.status().state, 'disabled');
  await assert.rejects(cleanup.connect(port), { code: 'ECONNREFUSED' });
  await proxy.reconfigure(optionsOf(true));
  const client = await cleanup.connect(port);
  client.end(GET);
  assert.equal(withoutAddedDate((await receive(client)).bytes.toString()), PASSED);
});
