/** HTTP over time: what is slow, what does not come, and what changes meanwhile. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Cleanup, patternBytes, receive } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';
import { type Peer, bodyOf, closed, echo, get, hostOf, ok, post, proxyTo, serve } from './http-peers.ts';

const SILENT = () => undefined;

test('a server that does not answer in time is a 504, and its connection ends', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, SILENT);
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)], { responseTimeoutMs: 100 });
  const client = await connect();
  client.write(get('/'));
  assert.match(await client.rest(), /^HTTP\/1\.1 504 /);
  await closed(server.connections[0].peer.socket);
  assert.equal(proxy.counters()['http-timeout'], 1);
});

test('a body that does not come is a 408', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, SILENT);
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)], { responseTimeoutMs: 100 });
  const client = await connect();
  client.write(post('/', 'x'.repeat(100)).slice(0, -1));
  assert.match(await client.rest(), /^HTTP\/1\.1 408 /);
  assert.equal(proxy.counters()['refused-timeout'], 1);
});

test('a second head that does not come is a 408, also if it comes byte by byte; a kept connection may wait', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)], { handshakeTimeoutMs: 200 });
  const [idle, slow] = [await connect(), await connect()];
  for (const client of [idle, slow]) {
    client.write(get('/'));
    await client.message();
  }
  slow.write('G');
  const dripping = setInterval(() => slow.write('E'), 20);
  cleanup.defer(() => clearInterval(dripping));
  assert.match(await slow.rest(), /^HTTP\/1\.1 4(?:08|00) /);
  assert.equal(proxy.counters()['refused-timeout'] + proxy.counters()['refused-http-malformed'], 1);
  idle.write(get('/2'));
  assert.match(bodyOf(await idle.message()), /^\/2 /);
});

test('a kept connection that is idle ends in order, and so does that to the server', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  const { connect, proxy } = await proxyTo(
    cleanup,
    [hostOf('a', server.port, { clientAddress: 'proxy-v1' })],
    { idleTimeoutMs: 1000 },
  );
  const client = await connect();
  client.write(get('/'));
  await client.message();
  await client.rest();
  assert.deepEqual([client.ended, client.text], ['end', '']);
  await server.connections[0].peer.rest();
  assert.equal(server.connections[0].peer.ended, 'end');
  const counters = proxy.counters();
  assert.deepEqual([counters['closed'], counters['closed-idle']], [1, 0]);
});

test('an exchange without a byte for the idle time ends', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, () => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)], { idleTimeoutMs: 1000 });
  const client = await connect();
  client.write(get('/'));
  await client.rest();
  assert.equal(proxy.counters()['closed-idle'], 1);
});

const LENGTH = 48_000_000;
const DATA = patternBytes(LENGTH);

/** Writes everything, as fast as it is taken; the function says how much is on its way. */
function pour(peer: Peer, bytes: Buffer): () => number {
  peer.socket.write(bytes);
  return () => LENGTH - peer.socket.writableLength;
}

for (const [how, head, tail] of [
  ['of known length', `HTTP/1.1 200 OK\r\nContent-Length: ${LENGTH}\r\n\r\n`, ''],
  [
    'chunked',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${LENGTH.toString(16)}\r\n`,
    '\r\n0\r\n\r\n',
  ],
] as const) {
  test(`a client that reads slowly slows its server down: an answer ${how}`, async () => {
    await using cleanup = new Cleanup();
    let isDone = false;
    const server = await serve(cleanup, (_, { peer }) => {
      peer.write(head);
      peer.socket.write(DATA);
      peer.socket.write(tail, 'latin1', () => (isDone = true));
      return undefined;
    });
    const { port, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)]);
    const client = await cleanup.connect(port);
    client.write(get('/', 'a.example', 'Connection: close\r\n'));
    await waitUntil(
      'nothing moves any more',
      settled(() => proxy.counters()['bytes-down']),
    );
    assert.ok(!isDone && proxy.counters()['bytes-down'] < LENGTH);
    const { bytes, ended } = await receive(client);
    assert.equal(ended, 'end');
    const at = bytes.indexOf('\r\n\r\n') + 4 + (tail === '' ? 0 : LENGTH.toString(16).length + 2);
    assert.ok(bytes.subarray(at, at + LENGTH).equals(DATA));
    assert.equal(bytes.subarray(at + LENGTH).toString(), tail);
  });
}

/** How the body ends. */
const LAST = DATA.subarray(-64);

for (const isChunked of [false, true]) {
  test(`a server that reads slowly slows its client down: ${isChunked ? 'chunked' : 'known length'}`, async () => {
    await using cleanup = new Cleanup();
    const sockets: Socket[] = [];
    const serverPort = await cleanup.listen((socket) => void sockets.push(socket));
    const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', serverPort)]);
    const client = await connect();
    const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${LENGTH}`;
    client.write(`POST / HTTP/1.1\r\nHost: a.example\r\n${framing}\r\n\r\n`);
    if (isChunked) client.write(`${LENGTH.toString(16)}\r\n`);
    const taken = pour(client, DATA);
    if (isChunked) client.write('\r\n0\r\n\r\n');
    await waitUntil(
      'nothing moves any more',
      settled(() => proxy.counters()['bytes-up']),
    );
    assert.ok(taken() < LENGTH && proxy.counters()['bytes-up'] < LENGTH);
    let end = Buffer.alloc(0);
    sockets[0].on('data', (chunk: Buffer) => (end = Buffer.concat([end, chunk]).subarray(-LAST.length)));
    const received = receive(sockets[0]);
    const last = isChunked ? Buffer.from('\r\n0\r\n\r\n') : LAST;
    await waitUntil('all is there', () => end.subarray(-last.length).equals(last));
    sockets[0].end(ok('x'));
    assert.equal(bodyOf(await client.message()), 'x');
    const { bytes } = await received;
    assert.ok(bytes.includes(DATA));
    client.socket.destroy();
  });
}

/** True when the figure has not changed for 20 looks, and is not 0. */
function settled(figure: () => number): () => boolean {
  let last = 0;
  let looks = 0;
  return () => {
    const now = figure();
    looks = now === last && now > 0 ? looks + 1 : 0;
    last = now;
    return looks > 20;
  };
}

test('a host that moves: the next request of a kept connection goes to its new server', async () => {
  await using cleanup = new Cleanup();
  const [before, after] = [await serve(cleanup, () => ok('before')), await serve(cleanup, () => ok('after'))];
  for (const clientAddress of ['none', 'proxy-v1'] as const) {
    const { connect, proxy, optionsOf } = await proxyTo(cleanup, [
      hostOf('a', before.port, { clientAddress }),
    ]);
    const client = await connect();
    client.write(get('/'));
    assert.equal(bodyOf(await client.message()), 'before');
    await proxy.reconfigure(optionsOf([hostOf('a', after.port, { clientAddress })]));
    client.write(get('/'));
    assert.equal(bodyOf(await client.message()), 'after');
    await proxy.reconfigure(optionsOf([hostOf('b', after.port)]));
    client.write(get('/'));
    assert.match(await client.rest(), /^HTTP\/1\.1 421 /);
  }
  await Promise.all(before.connections.map(({ peer }) => closed(peer.socket)));
});

test('a request under way while its host moves is answered by its server, whose connection then ends', async () => {
  await using cleanup = new Cleanup();
  const before = await serve(cleanup, SILENT);
  const after = await serve(cleanup, () => ok('after'));
  const { connect, proxy, optionsOf } = await proxyTo(cleanup, [hostOf('a', before.port)]);
  const client = await connect();
  client.write(get('/'));
  await waitUntil('it is there', () => before.requests.length === 1);
  await proxy.reconfigure(optionsOf([hostOf('a', after.port)]));
  before.connections[0].peer.write(ok('before'));
  assert.equal(bodyOf(await client.message()), 'before');
  client.write(get('/'));
  assert.equal(bodyOf(await client.message()), 'after');
  await closed(before.connections[0].peer.socket);
});

test('a listener that goes: what is under way is answered with the end, what is idle ends', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, (request, served) =>
    request.includes('/held') ? undefined : echo(request, served),
  );
  const { connect, proxy, optionsOf } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const [idle, busy] = [await connect(), await connect()];
  idle.write(get('/'));
  await idle.message();
  busy.write(get('/held'));
  await waitUntil('it is there', () => server.requests.length === 2);
  const elsewhere = { ...optionsOf([]).proxy, listeners: [] };
  await proxy.reconfigure({ proxy: elsewhere, hosts: [] });
  await idle.rest();
  assert.deepEqual([idle.text, idle.ended], ['', 'end']);
  server.connections[0].peer.write(ok('held'));
  const answer = await busy.rest();
  assert.match(answer, /\r\nConnection: close\r\n\r\nheld$/);
  assert.equal(busy.ended, 'end');
});

test('drain: idle connections end, a request under way is answered with the end, and so is one in the queue', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, (request, served) =>
    request.includes('/held') ? undefined : echo(request, served),
  );
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const [idle, busy, fresh] = [await connect(), await connect(), await connect()];
  idle.write(get('/'));
  await idle.message();
  busy.write(get('/held'));
  await waitUntil('it is there', () => server.requests.length === 2);
  let isDrained = false;
  const drained = proxy.drain!(new AbortController().signal).then(() => (isDrained = true));
  await Promise.all([idle.rest(), fresh.rest()]);
  assert.deepEqual([idle.text, idle.ended, fresh.text, fresh.ended], ['', 'end', '', 'end']);
  assert.ok(!isDrained);
  server.connections[0].peer.write(ok('held'));
  assert.match(await busy.rest(), /\r\nConnection: close\r\n\r\nheld$/);
  await drained;
});
