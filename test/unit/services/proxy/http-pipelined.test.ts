/** Requests that a client sends before it has the answers to earlier ones: answered in order, however they are split. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cleanup } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';
import { type Peer, bodyOf, echo, get, hostOf, ok, post, proxyTo, serve } from './http-peers.ts';

const CHUNKED = 'POST /4 HTTP/1.1\r\nHost: b.example\r\nTransfer-Encoding: chunked\r\n\r\n';
const CHUNKS = '3;a=b\r\nabc\r\n0\r\nT: x\r\n\r\n';
/** A body that looks like a request. */
const DECOY = get('/decoy');
const REQUESTS = [
  get('/1'),
  get('/2', 'b.example'),
  post('/3', DECOY),
  CHUNKED + CHUNKS,
  'HEAD /5 HTTP/1.1\r\nHost: a.example\r\n\r\n',
  get('/6', 'b.example'),
];
const TEXT = REQUESTS.join('');

async function start(cleanup: Cleanup) {
  const heard: string[] = [];
  const answer = (name: string) => (request: string) => {
    heard.push(`${name} ${request.split(' ')[1]} ${bodyOf(request)}`);
    const path = request.split(' ')[1];
    return request.startsWith('HEAD ')
      ? 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n'
      : ok(`${name}${path}`);
  };
  const [a, b] = [await serve(cleanup, answer('a')), await serve(cleanup, answer('b'))];
  const proxy = await proxyTo(cleanup, [hostOf('a', a.port), hostOf('b', b.port)]);
  return { ...proxy, heard };
}

async function answersOf(client: Peer): Promise<string[]> {
  const bodies: string[] = [];
  for (const request of REQUESTS) bodies.push(bodyOf(await client.message(request.startsWith('HEAD '))));
  return bodies;
}

const ANSWERS = ['a/1', 'b/2', 'a/3', 'b/4', '', 'b/6'];
const HEARD = ['a /1 ', 'b /2 ', `a /3 ${DECOY}`, `b /4 ${CHUNKS}`, 'a /5 ', 'b /6 '];

test('in one segment', async () => {
  await using cleanup = new Cleanup();
  const { connect, heard } = await start(cleanup);
  const client = await connect();
  client.write(TEXT);
  assert.deepEqual(await answersOf(client), ANSWERS);
  assert.deepEqual(heard, HEARD);
});

test('byte by byte', async () => {
  await using cleanup = new Cleanup();
  const { connect, heard } = await start(cleanup);
  const client = await connect();
  const answers = answersOf(client);
  for (const byte of TEXT) await client.push(byte);
  assert.deepEqual(await answers, ANSWERS);
  assert.deepEqual(heard, HEARD);
});

test('split at every byte', async () => {
  await using cleanup = new Cleanup();
  const { connect, heard, proxy } = await start(cleanup);
  for (let at = 1; at < TEXT.length; at++) {
    const client = await connect();
    const answers = answersOf(client);
    await client.push(TEXT.slice(0, at));
    // The first part has been read alone when an answer to it is there, or nothing can be answered yet.
    if (at >= REQUESTS[0].length) await waitUntil('the first is answered', () => heard.length > 0);
    client.write(TEXT.slice(at));
    assert.deepEqual(await answers, ANSWERS, `split at ${at}`);
    assert.deepEqual(heard.splice(0), HEARD, `split at ${at}`);
    client.socket.destroy();
  }
  await waitUntil('all are closed', () => proxy.status().figures['connections'] === 0);
});

test('a slow first answer does not let a second one pass it, also from another server', async () => {
  await using cleanup = new Cleanup();
  const held: (() => void)[] = [];
  const slow = await serve(cleanup, (request, served) => {
    held.push(() => served.peer.write(echo(request, served)!));
    return undefined;
  });
  const quick = await serve(cleanup, echo);
  const { connect } = await proxyTo(cleanup, [hostOf('a', slow.port), hostOf('b', quick.port)]);
  const client = await connect();
  client.write(get('/slow') + get('/quick', 'b.example'));
  await waitUntil('the first is there', () => held.length === 1);
  assert.equal(client.text, '');
  held[0]();
  assert.equal(bodyOf(await client.message()), '/slow 0');
  assert.equal(bodyOf(await client.message()), '/quick 0');
});

test('a thousand requests in one write', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const client = await connect();
  client.write(Array.from({ length: 1000 }, (_, i) => get(`/${i}`)).join(''));
  client.socket.end();
  for (let i = 0; i < 1000; i++) assert.equal(bodyOf(await client.message()), `/${i} 0`);
  await client.rest();
  assert.equal(client.text, '');
  assert.equal(client.ended, 'end');
  await waitUntil('it is closed', () => proxy.status().figures['connections'] === 0);
  assert.equal(proxy.counters()['closed'], 1);
});

test('a malformed second request does not destroy the answer to the first', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, () => ok('x'.repeat(300_000)));
  const { connect } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const client = await connect();
  client.write(`${get('/')}GET / HTTP/1.1\r\nHost : a.example\r\n\r\n${get('/3')}`);
  assert.equal(bodyOf(await client.message()).length, 300_000);
  assert.match(await client.rest(), /^HTTP\/1\.1 400 /);
  assert.equal(client.ended, 'end');
  assert.equal(server.requests.length, 1);
});

test('what clients send ahead is limited in total: the greediest client loses connections', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, () => undefined);
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const ahead = get('/1') + get('/2').repeat(2000);
  // 64 KiB of each are read, and there is room for 32 MiB.
  const clients = [];
  for (let i = 0; i < 600; i++) {
    const client = await connect();
    client.write(ahead);
    clients.push(client);
  }
  await waitUntil('there is no room', () => proxy.counters()['refused-memory'] > 0);
  for (const { used, size } of proxy.limits!()) assert.ok(used <= size);
  clients.forEach(({ socket }) => socket.resetAndDestroy());
  await waitUntil('all are closed', () => proxy.status().figures['connections'] === 0);
  assert.deepEqual(
    proxy.limits!().map(({ used }) => used),
    proxy.limits!().map(() => 0),
  );
});

for (const clientAddress of ['none', 'proxy-v1'] as const) {
  test(`the memory of partial heads counts until they are complete (${clientAddress})`, async () => {
    await using cleanup = new Cleanup();
    const server = await serve(cleanup, () => ok('x'));
    const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port, { clientAddress })]);
    const usedBlocks = () => proxy.limits!()[1].used;
    const openings = () => proxy.status().figures['openings'];
    const clients = await Promise.all(Array.from({ length: 50 }, () => connect()));
    // On fresh connections, and on kept ones.
    for (let round = 0; round < 2; round++) {
      for (const client of clients)
        client.write(`GET / HTTP/1.1\r\nHost: a.example\r\nA: ${'x'.repeat(15_000)}`);
      // Four blocks each, of which the first is for everybody.
      await waitUntil(
        'all is there',
        () => usedBlocks() === 3 * clients.length && openings() === clients.length,
      );
      for (const client of clients) client.write('\r\n\r\n');
      for (const client of clients) assert.equal(bodyOf(await client.message()), 'x');
      await waitUntil('nothing is held', () => usedBlocks() === 0 && openings() === 0);
    }
  });
}
