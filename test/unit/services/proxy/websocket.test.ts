/**
 * WebSockets through the proxy: a tunnel begins with the server's 101. After any other answer, what the client sends is the next
 * request, and is routed as such.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { startProxy } from '../../../../src/services/proxy/service.ts';
import { WEBSOCKET_GUID } from '../../../../src/wire/http1/websocket.ts';
import { withoutAddedDate } from '../../../added-date.ts';
import { Cleanup, MAPPED, freePort, hostAt, patternBytes, receive } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = createHash('sha1').update(`${KEY}${WEBSOCKET_GUID}`).digest('base64');
const SWITCHED = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`;
const FIELDS = `Host: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\n`;
const HANDSHAKE = `GET /chat HTTP/1.1\r\n${FIELDS}Sec-WebSocket-Version: 13\r\n\r\n`;
/** A request that must never arrive. */
const FORGED = 'GET /admin HTTP/1.1\r\nHost: secret.example.com\r\nX-Forwarded-For: 198.51.100.66\r\n\r\n';

async function proxyTo(cleanup: Cleanup, port: number) {
  return cleanup.use(
    await startProxy(
      {
        proxy: {
          listen: ['127.0.0.1'],
          listeners: [{ name: 'http', port, protocol: 'http' }],
          ...MAPPED,
          handshakeTimeoutMs: 10_000,
          responseTimeoutMs: 60_000,
          idleTimeoutMs: 60_000,
        },
        hosts: [hostAt('web1', { hostnames: ['example.com'], services: ['http'] })],
      },
      cleanup.context,
    ),
  );
}

/** A proxy, and a server that answers the head of each connection with `parts`, whatever the request, and stays open. */
async function start(cleanup: Cleanup, parts: readonly (string | Buffer)[]) {
  const port = await freePort();
  const heard: string[] = [];
  const sockets: Socket[] = [];
  await cleanup.listen((socket) => {
    const at = heard.push('') - 1;
    sockets.push(socket);
    let answered = false;
    socket.on('data', async (chunk: Buffer) => {
      heard[at] += chunk.toString('latin1');
      if (answered || !heard[at].includes('\r\n\r\n')) return;
      answered = true;
      for (const part of parts) {
        socket.write(part);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    socket.on('end', () => socket.end());
  }, port);
  return { port, proxy: await proxyTo(cleanup, port), heard, sockets };
}

test('a tunnel passes data in both directions, also early data of either side, and large amounts', async () => {
  await using cleanup = new Cleanup();
  const down = patternBytes(700_000, 1);
  const up = patternBytes(600_000, 2);
  const { port, proxy, heard } = await start(cleanup, [SWITCHED.slice(0, 40), SWITCHED.slice(40), down]);
  const client = await cleanup.connect(port);
  const received = receive(client);
  client.write(`${HANDSHAKE}early`);
  await once(client, 'data');
  client.end(up);
  const { bytes, ended } = await received;
  const end = bytes.indexOf('\r\n\r\n') + 4;
  assert.match(
    bytes.subarray(0, end).toString(),
    /^HTTP\/1\.1 101 [\s\S]*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n[\s\S]*Connection: Upgrade\r\n\r\n$/,
  );
  assert.ok(bytes.subarray(end).equals(down));
  assert.equal(ended, 'end');
  const [, sent = ''] = heard[0].split(/\r\n\r\n(.*)/s);
  assert.ok(sent === `early${up.toString('latin1')}`, 'all data of the client, in order');
  assert.match(
    heard[0].slice(0, 1000),
    /\r\nUpgrade: websocket\r\n[\s\S]*\r\nConnection: Upgrade\r\n\r\nearly/,
  );
  assert.equal(proxy.counters()['http-upgraded'], 1);
  await waitUntil('it is closed', () => proxy.status().figures['connections'] === 0);
});

test('interim answers pass before the 101', async () => {
  await using cleanup = new Cleanup();
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n';
  const { port } = await start(cleanup, [`${hints}\r\n`, SWITCHED]);
  const client = await cleanup.connect(port);
  const received = receive(client);
  client.write(HANDSHAKE);
  await once(client, 'data');
  client.end();
  const text = withoutAddedDate((await received).bytes.toString());
  assert.ok(text.startsWith(`${hints}Via: 1.1 tombolo\r\n\r\nHTTP/1.1 101 `), text);
});

test('a client that leaves with a reset while its server is silent: the server is notified', async () => {
  await using cleanup = new Cleanup();
  const { port, proxy, sockets } = await start(cleanup, []);
  const client = await cleanup.connect(port);
  client.write(HANDSHAKE);
  await waitUntil('the server is reached', () => sockets.length > 0);
  const closed = new Promise((resolve) => sockets[0].on('close', resolve));
  client.resetAndDestroy();
  await closed;
  await waitUntil('it is closed', () => proxy.status().figures['connections'] === 0);
});

test('a client that has said all it wants gets its answer, and the end', async () => {
  await using cleanup = new Cleanup();
  const { port, proxy, sockets } = await start(cleanup, []);
  const client = await cleanup.connect(port);
  const received = receive(client);
  client.end(HANDSHAKE);
  await waitUntil('the server is reached', () => sockets.length > 0);
  sockets[0].write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
  const { bytes, ended } = await received;
  assert.match(bytes.toString(), /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.equal(ended, 'end');
  await waitUntil('it is closed', () => proxy.status().figures['connections'] === 0);
});

/** Answers of a server that do not open the tunnel, and what the client gets. */
const NO_TUNNEL: readonly (readonly [
  what: string,
  answer: readonly string[],
  expected: RegExp,
  counter?: string,
])[] = [
  [
    'no WebSocket: an answer that keeps the connection open',
    ['HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok'],
    /^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\nVia: 1\.1 tombolo\r\n\r\nokHTTP\/1\.1 421 /,
  ],
  [
    'a second answer after it, to a request that nobody made',
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'],
    /^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\nVia: 1\.1 tombolo\r\n\r\nokHTTP\/1\.1 421 /,
  ],
  [
    'an answer in pieces',
    ['HTTP/1.1 40', '4 Not Found\r\nContent-Le', 'ngth: 8\r\n\r\nnot', ' here'],
    /^HTTP\/1\.1 404 Not Found\r\nContent-Length: 8\r\nVia: 1\.1 tombolo\r\n\r\nnot hereHTTP\/1\.1 421 /,
  ],
  [
    'another version is required',
    [
      'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n',
    ],
    /^HTTP\/1\.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 0\r\nVia: 1\.1 tombolo\r\nConnection: Upgrade\r\n\r\nHTTP\/1\.1 421 /,
  ],
  [
    'no body',
    ['HTTP/1.1 204 No Content\r\n\r\n'],
    /^HTTP\/1\.1 204 No Content\r\nVia: 1\.1 tombolo\r\n\r\nHTTP\/1\.1 421 /,
  ],
  [
    'a 101 without WebSocket fields, as a status that the client chose',
    ['HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    /^HTTP\/1\.1 502 [\s\S]*switched to a protocol that was not asked for\n$/,
    'http-bad-answer',
  ],
  [
    'a 101 for another key',
    [SWITCHED.replace(ACCEPT, 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=')],
    /^HTTP\/1\.1 502 /,
    'http-bad-answer',
  ],
  [
    'a 101 to h2c',
    [SWITCHED.replace('Upgrade: websocket', 'Upgrade: h2c')],
    /^HTTP\/1\.1 502 /,
    'http-bad-answer',
  ],
  ['no HTTP', ['SSH-2.0-x\r\n\r\n'], /^HTTP\/1\.1 502 [\s\S]*malformed/, 'http-bad-answer'],
  [
    'an endless head',
    [`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(20_000)}`],
    /^HTTP\/1\.1 502 [\s\S]*longer than 16384 bytes/,
    'http-bad-answer',
  ],
  [
    'two lengths',
    ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    /^HTTP\/1\.1 502 /,
    'http-bad-answer',
  ],
];

for (const [what, answer, expected, counter] of NO_TUNNEL) {
  test(`no tunnel: ${what}`, async () => {
    await using cleanup = new Cleanup();
    const { port, proxy, heard, sockets } = await start(cleanup, answer);
    const client = await cleanup.connect(port);
    const received = receive(client);
    client.write(HANDSHAKE + FORGED);
    await waitUntil('the server is reached', () => sockets.length > 0);
    client.write(FORGED.repeat(100));
    const { bytes } = await received;
    assert.match(withoutAddedDate(bytes.toString('latin1')), expected);
    client.write(FORGED);
    client.destroy();
    await waitUntil('it is closed', () => proxy.status().figures['connections'] === 0);
    assert.equal(heard.length, 1);
    assert.doesNotMatch(heard[0], /secret|198\.51\.100\.66/);
    assert.equal(proxy.counters()['http-upgraded'], 0);
    if (counter !== undefined) assert.equal(proxy.counters()[counter], 1);
  });
}

test('a server that closes in the middle of its head gives a 502', async () => {
  await using cleanup = new Cleanup();
  const { port, proxy, sockets } = await start(cleanup, ['HTTP/1.1 101 Swit']);
  const client = await cleanup.connect(port);
  const received = receive(client);
  client.write(HANDSHAKE);
  await waitUntil('the server is reached', () => sockets.length > 0);
  sockets[0].end();
  assert.match((await received).bytes.toString(), /^HTTP\/1\.1 502 /);
  assert.equal(proxy.counters()['http-no-answer'], 1);
});

test('a chunked answer passes unchanged; the client must find its end', async () => {
  await using cleanup = new Cleanup();
  const body = '5\r\nhello\r\n0\r\n\r\n';
  const { port, heard, proxy } = await start(cleanup, [
    `HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=60\r\n\r\n${body}`,
  ]);
  const client = await cleanup.connect(port);
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  client.write(HANDSHAKE);
  await waitUntil('the answer', () => text.endsWith(body));
  assert.match(
    withoutAddedDate(text),
    /^HTTP\/1\.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\nVia: 1\.1 tombolo\r\n\r\n/,
  );
  client.write(FORGED);
  client.end();
  await waitUntil('it is closed', () => proxy.status().figures['connections'] === 0);
  assert.doesNotMatch(heard[0], /secret/);
});

/** Requests for another upgrade, or malformed ones: they are passed on as plain requests, without an Upgrade. */
const PLAIN: readonly (readonly [what: string, request: string])[] = [
  ['h2c', HANDSHAKE.replace('websocket', 'h2c')],
  ['another version', HANDSHAKE.replace('Version: 13', 'Version: 8')],
  ['no key', HANDSHAKE.replace(/Sec-WebSocket-Key.*\r\n/, '')],
  ['POST', HANDSHAKE.replace('GET', 'POST')],
  ['HTTP/1.0', HANDSHAKE.replace('HTTP/1.1', 'HTTP/1.0')],
  ['Connection: close', HANDSHAKE.replace('Connection: Upgrade', 'Connection: close')],
];

for (const [what, request] of PLAIN) {
  test(`a plain request, whatever the server answers: ${what}`, async () => {
    await using cleanup = new Cleanup();
    const { port, proxy, heard, sockets } = await start(cleanup, [SWITCHED]);
    const client = await cleanup.connect(port);
    const received = receive(client);
    client.write(request + FORGED);
    await waitUntil('the request', () => sockets.length > 0 && heard[0].includes('\r\n\r\n'));
    client.write(FORGED);
    assert.match((await received).bytes.toString(), /^HTTP\/1\.1 502 /);
    assert.equal(sockets.length, 1);
    assert.doesNotMatch(heard[0], /\r\n(?:Upgrade|Connection):|secret|198\.51/i);
    assert.equal(proxy.counters()['http-upgraded'], 0);
  });
}

test('the client of Node.js talks to a server through the proxy', async () => {
  await using cleanup = new Cleanup();
  const server: Server = createServer((_, response) => response.end('no WebSocket'));
  server.on('upgrade', (request, socket) => {
    const key = String(request.headers['sec-websocket-key']);
    const accept = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
    socket.write(SWITCHED.replace(ACCEPT, accept));
    socket.write(Buffer.concat([Buffer.of(0x81, 5), Buffer.from('hello')])); // a text frame
    socket.on('error', () => {}).on('end', () => socket.end());
    cleanup.defer(() => void socket.destroy());
  });
  server.listen(0, '::1');
  await once(server, 'listening');
  cleanup.defer(() => void server.close());
  const { port } = server.address() as AddressInfo;
  await using proxy = await startProxy(
    {
      proxy: {
        listen: ['127.0.0.1'],
        listeners: [{ name: 'http', port, protocol: 'http' }],
        ...MAPPED,
        handshakeTimeoutMs: 10_000,
        responseTimeoutMs: 60_000,
        idleTimeoutMs: 60_000,
      },
      hosts: [hostAt('web1', { hostnames: ['localhost', '127.0.0.1'], services: ['http'] })],
    },
    cleanup.context,
  );
  const client = new WebSocket(`ws://127.0.0.1:${port}/`);
  const [{ data }] = (await once(client, 'message')) as [MessageEvent];
  client.close();
  assert.equal(data, 'hello');
  assert.equal(proxy.counters()['http-upgraded'], 1);
});
