/** A TLS listener with real clients, a real TLS server and hostile bytes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { type TLSSocket, connect, createSecureContext } from 'node:tls';
import { TLSSocket as ServerTlsSocket } from 'node:tls';
import fc from 'fast-check';
import { type ProxyOptions, startProxy } from '../../../../src/services/proxy/service.ts';
import { selfSigned } from '../../servers.ts';
import { Cleanup, MAPPED, freePort, hostAt, patternBytes, receive } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';

const certificate = selfSigned('example.com');

const optionsAt = (port: number, fields: Partial<ProxyOptions['proxy']> = {}, host = {}): ProxyOptions => ({
  proxy: {
    listen: ['127.0.0.1'],
    listeners: [{ name: 'https', port, protocol: 'tls' }],
    ...MAPPED,
    handshakeTimeoutMs: 10_000,
    responseTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
    ...fields,
  },
  hosts: [hostAt('web1', { hostnames: ['example.com', '*.example.com'], services: ['https'], ...host })],
});

/** A proxy in front of a server that terminates TLS, and records the bytes before the TLS data. */
async function start(cleanup: Cleanup, fields: Partial<ProxyOptions['proxy']> = {}, host = {}) {
  const port = await freePort();
  const answer = patternBytes(400_000);
  const secureContext = createSecureContext(certificate);
  const headers: string[] = [];
  await cleanup.listen((socket) => {
    const serve = () => {
      const tls = new ServerTlsSocket(socket, { isServer: true, secureContext });
      tls.on('error', () => {});
      tls.once('data', () => tls.end(answer));
    };
    if (!('clientAddress' in host)) return serve();
    socket.once('readable', () => {
      const bytes = socket.read() as Buffer;
      const end = bytes[0] === 13 ? 16 + bytes.readUInt16BE(14) : bytes.indexOf('\n') + 1;
      headers.push(bytes.subarray(0, end).toString('latin1'));
      socket.unshift(bytes.subarray(end));
      serve();
    });
    return undefined;
  }, port);
  const proxy = cleanup.use(await startProxy(optionsAt(port, fields, host), cleanup.context));
  return { port, proxy, answer, headers };
}

async function fetchThrough(cleanup: Cleanup, port: number, servername: string): Promise<Buffer> {
  const client: TLSSocket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
  cleanup.defer(() => void client.destroy());
  await once(client, 'secureConnect');
  client.write('go');
  return (await receive(client)).bytes;
}

/** The error of the client's TLS stack for the refusal. */
async function refusalOf(port: number, servername: string | undefined): Promise<string> {
  const client = connect({ host: '127.0.0.1', port, ...(servername !== undefined && { servername }) });
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  client.destroy();
  return error.code ?? error.message;
}

test("the server name selects the server, which gets the client's exact bytes", async () => {
  await using cleanup = new Cleanup();
  const { port, answer, proxy } = await start(cleanup);
  assert.ok((await fetchThrough(cleanup, port, 'example.com')).equals(answer));
  assert.ok((await fetchThrough(cleanup, port, 'any.EXAMPLE.com')).equals(answer));
  assert.equal(proxy.counters()['tls-routed'], 2);
});

for (const [version, pattern] of [
  ['proxy-v1', /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 [0-9]+ [0-9]+\r\n$/],
  [
    'proxy-v2',
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a binary header
    /^\r\n\r\n\0\r\nQUIT\n\x21\x11[\s\S]{14}\x02\0\x0bexample\.com\x05\0\x10[0-9a-f]{16}\x03\0\x04[\s\S]{4}$/,
  ],
] as const) {
  test(`${version} is sent before the ClientHello`, async () => {
    await using cleanup = new Cleanup();
    const { port, answer, headers } = await start(cleanup, {}, { clientAddress: version });
    assert.ok((await fetchThrough(cleanup, port, 'example.com')).equals(answer));
    assert.match(headers[0], pattern);
  });
}

test('refusals are TLS alerts that the client understands, each counted', async () => {
  await using cleanup = new Cleanup();
  const { port, proxy } = await start(cleanup);
  assert.equal(await refusalOf(port, 'example.net'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  assert.match(await refusalOf(port, undefined), /MISSING_EXTENSION$/);
  const counters = proxy.counters();
  assert.equal(counters['refused-tls-unknown-name'], 1);
  assert.equal(counters['refused-tls-no-name'], 1);
});

test('a server that is down gives the alert internal_error', async () => {
  await using cleanup = new Cleanup();
  const port = await freePort();
  const proxy = cleanup.use(await startProxy(optionsAt(port), cleanup.context));
  assert.equal(await refusalOf(port, 'example.com'), 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR');
  assert.equal(proxy.counters()['server-refused'], 1);
});

const alert = (description: number) => Buffer.of(21, 3, 3, 0, 2, 2, description).toString('latin1');

for (const [title, bytes, answer, counter] of [
  ['a malformed ClientHello', [22, 3, 1, 0, 5, 1, 0, 0, 1, 0], alert(50), 'refused-tls-malformed'],
  ['an oversized record', [22, 3, 1, 0xff, 0xff], alert(22), 'refused-tls-oversized'],
  ['an oversized ClientHello', [22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff], alert(50), 'refused-tls-oversized'],
  ['SSH', Array.from(Buffer.from('SSH-2.0-x\r\n')), '', 'refused-tls-not-tls'],
  [
    'plain HTTP',
    Array.from(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
    'HTTP/1.1 400 Bad Request',
    'refused-tls-http',
  ],
] as const) {
  test(`${title} is answered and closed in order, even while the client is still sending`, async () => {
    await using cleanup = new Cleanup();
    const { port, proxy } = await start(cleanup);
    const client = await cleanup.connect(port);
    client.write(Buffer.from(bytes));
    client.write(patternBytes(100_000));
    const received = await receive(client);
    assert.equal(received.ended, 'end');
    assert.equal(received.bytes.toString('latin1').slice(0, answer.length || undefined), answer);
    assert.equal(proxy.counters()[counter], 1);
    client.end();
    await waitUntil('it is closed', () => proxy.status().figures['connections'] === 0);
  });
}

for (const [title, bytes] of [
  ['says nothing', []],
  ['stops within its ClientHello', [22, 3, 1, 1, 0, 1, 0]],
] as const) {
  test(`a client that ${title} is closed at the deadline`, async () => {
    await using cleanup = new Cleanup();
    const { port, proxy } = await start(cleanup, { handshakeTimeoutMs: 100 });
    const client = await cleanup.connect(port);
    client.write(Buffer.from(bytes));
    assert.deepEqual(await receive(client), { bytes: Buffer.alloc(0), ended: 'end' });
    assert.equal(proxy.counters()['refused-timeout'], 1);
  });
}

test('a silent connection is closed at the idle timeout', async () => {
  await using cleanup = new Cleanup();
  const { port, proxy } = await start(cleanup, { idleTimeoutMs: 1000, handshakeTimeoutMs: 400 });
  const client = connect({ host: '127.0.0.1', port, servername: 'example.com', rejectUnauthorized: false });
  cleanup.defer(() => void client.destroy());
  client.on('error', () => {});
  await once(client, 'close');
  assert.equal(proxy.counters()['closed-idle'], 1);
});

test('connections with random bytes end and are counted, and the proxy keeps working', async () => {
  await using cleanup = new Cleanup();
  const { port, proxy, answer } = await start(cleanup);
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 600 });
  const prefix = fc.constantFrom(Buffer.of(), Buffer.of(22, 3, 1), Buffer.of(22, 3, 1, 0, 200, 1, 0, 0, 196));
  await fc.assert(
    fc.asyncProperty(prefix, bytes, async (prefix, bytes) => {
      const client = await cleanup.connect(port);
      client.end(Buffer.concat([prefix, bytes]));
      await receive(client);
      client.destroy();
    }),
    { numRuns: 100 },
  );
  await waitUntil('all are closed', () => proxy.status().figures['connections'] === 0);
  const counters = proxy.counters();
  const ends = [
    'refused-tls-not-tls',
    'refused-tls-malformed',
    'refused-tls-oversized',
    'refused-tls-no-name',
    'refused-tls-http',
    'closed-early',
  ];
  assert.equal(
    ends.reduce((sum, name) => sum + counters[name], 0),
    counters['accepted'],
  );
  assert.ok((await fetchThrough(cleanup, port, 'example.com')).equals(answer));
});

test('the worker dies: clients are served again, including those that came in the meantime', async () => {
  await using cleanup = new Cleanup();
  const { port, proxy, answer } = await start(cleanup);
  proxy.failWorker();
  await waitUntil('the worker has died', () => proxy.status().restarts === 1);
  assert.ok((await fetchThrough(cleanup, port, 'example.com')).equals(answer));
  await waitUntil('it runs again', () => proxy.status().state === 'running');
});

test('reconfiguring swaps the table; an overlapping address replaces the old; listeners without servers are closed', async () => {
  await using cleanup = new Cleanup();
  const { port, proxy, answer } = await start(cleanup);
  await proxy.reconfigure(optionsAt(port, {}, { hostnames: ['example.org'] }));
  assert.ok((await fetchThrough(cleanup, port, 'example.org')).equals(answer));
  assert.equal(await refusalOf(port, 'example.com'), 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME');
  await proxy.reconfigure(optionsAt(port, { listen: ['0.0.0.0'] }));
  assert.ok((await fetchThrough(cleanup, port, 'example.com')).equals(answer));
  await proxy.reconfigure(optionsAt(port, {}, { services: [] }));
  assert.equal(proxy.status().state, 'disabled');
  await assert.rejects(cleanup.connect(port), { code: 'ECONNREFUSED' });
});

test('maintenance and access lists are alerts, each counted; the default server takes any name, and none', async () => {
  await using cleanup = new Cleanup();
  const { port, proxy, answer } = await start(cleanup, {}, { maintenance: true });
  assert.equal(await refusalOf(port, 'example.com'), 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR');
  await proxy.reconfigure(optionsAt(port, {}, { allow: ['198.51.100.0/24'] }));
  assert.match(await refusalOf(port, 'example.com'), /ACCESS_DENIED$/);
  await proxy.reconfigure(optionsAt(port, { defaultHost: 'web1' }, { allow: ['127.0.0.0/8'] }));
  for (const name of ['example.com', 'example.net', ''])
    assert.ok((await fetchThrough(cleanup, port, name)).equals(answer), name);
  const counters = proxy.counters();
  assert.equal(counters['refused-tls-maintenance'], 1);
  assert.equal(counters['refused-tls-not-allowed'], 1);
  assert.equal(counters['tls-routed'], 3);
});

test('"lan" is every network that this machine is attached to', async () => {
  await using cleanup = new Cleanup();
  const { port, answer } = await start(cleanup, {}, { allow: ['lan'] });
  assert.ok((await fetchThrough(cleanup, port, 'example.com')).equals(answer));
});
