/** Answers of servers, of every kind and end, and what their clients get. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cleanup, patternBytes, receive } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';
import { Peer, bodyOf, get, hostOf, ok, post, proxyTo, serve } from './http-peers.ts';

/** A proxy to a server that gives this answer to each request. */
async function start(cleanup: Cleanup, answer: string, thenEnds = false) {
  const server = await serve(cleanup, (_, { peer }) => {
    peer.write(answer);
    if (thenEnds) peer.socket.end();
    return undefined;
  });
  return { server, ...(await proxyTo(cleanup, [hostOf('a', server.port)])) };
}

const HTTP10 = 'GET / HTTP/1.0\r\nHost: a.example\r\n';

test('answers without a body: what follows is the next answer', async () => {
  for (const [method, answer] of [
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ] as const) {
    await using cleanup = new Cleanup();
    const { server, connect } = await start(cleanup, answer);
    const client = await connect();
    for (let i = 0; i < 3; i++) {
      client.write(get('/').replace('GET', method));
      assert.equal(
        await client.message(method === 'HEAD'),
        answer.replace(/\r\n$/, 'Via: 1.1 tombolo\r\n\r\n'),
      );
      assert.equal(client.text, '');
    }
    assert.equal(server.connections.length, 1, answer);
  }
});

test('a 204 has no length, whatever the server says', async () => {
  await using cleanup = new Cleanup();
  const { ask } = await start(cleanup, 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n');
  assert.equal(await ask(get('/')), 'HTTP/1.1 204 No Content\r\nVia: 1.1 tombolo\r\n\r\n');
});

test('an answer that ends with its connection: the client is told, and gets all of it', async () => {
  await using cleanup = new Cleanup();
  const body = patternBytes(700_000).toString('latin1');
  const { connect, proxy } = await start(cleanup, `HTTP/1.1 200 OK\r\n\r\n${body}`, true);
  const client = await connect();
  client.write(get('/') + get('/2'));
  const answer = await client.rest();
  assert.equal(
    answer.slice(0, answer.length - body.length),
    'HTTP/1.1 200 OK\r\nVia: 1.1 tombolo\r\nConnection: close\r\n\r\n',
  );
  assert.ok(answer.endsWith(body));
  assert.equal(client.ended, 'end');
  assert.equal(proxy.counters()['http-routed'], 1);
});

const CHUNKS = '5;a="b"\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer-Field: x\r\n\r\n';
const CHUNKED = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Trailer-Field\r\n\r\n${CHUNKS}`;

test('a chunked answer passes as it is; HTTP/1.0 gets its data alone', async () => {
  await using cleanup = new Cleanup();
  const { ask, connect, server } = await start(cleanup, CHUNKED);
  assert.equal(bodyOf(await ask(get('/'))), CHUNKS);
  const client = await connect();
  client.write(`${HTTP10}Connection: keep-alive\r\n\r\n`);
  assert.equal(
    await client.rest(),
    'HTTP/1.1 200 OK\r\nVia: 1.1 tombolo\r\nConnection: close\r\n\r\nhello0123456789',
  );
  assert.equal(client.ended, 'end');
  assert.equal(server.connections.length, 1);
  const other = await connect();
  other.write(`${HTTP10.replace('GET', 'HEAD')}\r\n`);
  assert.doesNotMatch(await other.rest(), /Transfer-Encoding|Trailer/);
});

test('a large chunked answer to HTTP/1.0, byte for byte', async () => {
  await using cleanup = new Cleanup();
  const data = patternBytes(600_000).toString('latin1');
  let chunks = '';
  for (let at = 0, size = 1; at < data.length; at += size, size = (size * 7) % 40_009)
    chunks += `${data.slice(at, at + size).length.toString(16)}\r\n${data.slice(at, at + size)}\r\n`;
  const { connect } = await start(
    cleanup,
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
  );
  const client = await connect();
  client.write(`${HTTP10}\r\n`);
  assert.ok(bodyOf(await client.rest()) === data);
});

test('HTTP/1.0 is kept if the client asks, and the length is known', async () => {
  await using cleanup = new Cleanup();
  const { connect } = await start(cleanup, ok('x'));
  const client = await connect();
  for (let i = 0; i < 2; i++) {
    client.write(`${HTTP10}Connection: keep-alive\r\n\r\n`);
    assert.match(await client.message(), /\r\nConnection: keep-alive\r\n\r\nx$/);
  }
  client.write(`${HTTP10}\r\n`);
  assert.match(await client.rest(), /\r\nConnection: close\r\n\r\nx$/);
  assert.equal(client.ended, 'end');
});

test('interim answers pass, but not to HTTP/1.0', async () => {
  await using cleanup = new Cleanup();
  const interim = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
  const { connect } = await start(cleanup, interim + interim + ok('x'));
  const client = await connect();
  client.write(get('/'));
  for (let i = 0; i < 2; i++)
    assert.equal(
      await client.message(),
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nVia: 1.1 tombolo\r\n\r\n',
    );
  assert.equal(bodyOf(await client.message()), 'x');
  const old = await connect();
  old.write(`${HTTP10}\r\n`);
  assert.match(await old.rest(), /^HTTP\/1\.1 200 OK\r\n/);
});

test('an answer passes as it comes: byte by byte, split within the head, the chunks and between answers', async () => {
  await using cleanup = new Cleanup();
  const text = `HTTP/1.1 103 Early Hints\r\n\r\n${CHUNKED}`;
  const server = await serve(cleanup, (_, { peer }) => {
    void (async () => {
      for (const byte of text) await peer.push(byte);
    })();
    return undefined;
  });
  const { connect } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const client = await connect();
  for (let i = 0; i < 2; i++) {
    client.write(get('/'));
    assert.match(await client.message(), /^HTTP\/1\.1 103 /);
    assert.equal(bodyOf(await client.message()), CHUNKS);
  }
  assert.equal(server.connections.length, 1);
});

for (const [what, answer] of [
  ['of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'],
  ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'],
  [
    'chunked, with a malformed chunk',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nX\r\n',
  ],
] as const) {
  for (const end of ['end', 'resetAndDestroy'] as const) {
    test(`an answer that is cut is a reset for the client: ${what}, ${end}`, async () => {
      await using cleanup = new Cleanup();
      const head = answer.slice(0, answer.indexOf('\r\n\r\n') + 4);
      const server = await serve(cleanup, () => head);
      const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)]);
      const client = await connect();
      client.write(get('/'));
      await client.until(() => client.text.includes('\r\n\r\n'));
      await server.connections[0].peer.push(answer.slice(head.length));
      server.connections[0].peer.socket[end]();
      await client.rest();
      assert.equal(client.ended, 'ECONNRESET');
      const counters = proxy.counters();
      assert.equal(counters['http-answer-cut'] + counters['http-bad-answer'], 1);
    });
  }
}

for (const [what, answer] of [
  ['no HTTP', 'SSH-2.0-x\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok'],
  [
    'length and coding',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['a fold', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n'],
  ['a malformed first chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nX\r\n'],
  ['101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n'],
] as const) {
  test(`a malformed answer is a 502, and nothing of it passes: ${what}`, async () => {
    await using cleanup = new Cleanup();
    const { connect, proxy } = await start(cleanup, answer);
    const client = await connect();
    client.write(get('/') + get('/2'));
    assert.match(await client.rest(), /^HTTP\/1\.1 502 [\s\S]*Connection: close\r\n\r\n502 [^\n]*\n$/);
    assert.equal(client.ended, 'end');
    assert.equal(proxy.counters()['http-bad-answer'], 1);
  });
}

test('a malformed answer behind an interim one is a 502 behind it', async () => {
  await using cleanup = new Cleanup();
  const { connect } = await start(cleanup, 'HTTP/1.1 103 Early Hints\r\n\r\nnonsense\r\n\r\n');
  const client = await connect();
  client.write(get('/'));
  assert.match(await client.rest(), /^HTTP\/1\.1 103 [^\n]*\r\nVia: 1\.1 tombolo\r\n\r\nHTTP\/1\.1 502 /);
});

test('100-continue: the client waits for it, and its body arrives', async () => {
  await using cleanup = new Cleanup();
  const server: Peer[] = [];
  const port = await cleanup.listen((socket) => void server.push(new Peer(socket)));
  const { connect } = await proxyTo(cleanup, [hostOf('a', port)]);
  const client = await connect();
  client.write('POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  await waitUntil('the head', () => server[0]?.text.includes('\r\n\r\n') === true);
  assert.match(server[0].text, /\r\nExpect: 100-continue\r\n/);
  server[0].write('HTTP/1.1 100 Continue\r\n\r\n');
  assert.match(await client.message(), /^HTTP\/1\.1 100 Continue\r\n/);
  client.write('hello');
  await server[0].until(() => server[0].text.endsWith('\r\n\r\nhello'));
  server[0].write(ok('thanks'));
  assert.equal(bodyOf(await client.message()), 'thanks');
  client.write(get('/2'));
  await server[0].until(() => server[0].text.includes('GET /2'));
});

test('100-continue: a refusal at once ends the connection, since the body may come or not', async () => {
  await using cleanup = new Cleanup();
  const port = await cleanup.listen((socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n'));
  });
  const { connect } = await proxyTo(cleanup, [hostOf('a', port)]);
  const client = await connect();
  client.write('POST / HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  assert.match(await client.rest(), /^HTTP\/1\.1 417 [\s\S]*\r\nConnection: close\r\n\r\n$/);
  assert.equal(client.ended, 'end');
});

for (const [how, after] of [
  ['the server reads on', (_: Peer) => {}],
  ['the server reads no more', ({ socket }: Peer) => void socket.pause()],
  ['the server closes', ({ socket }: Peer) => void socket.end()],
] as const) {
  test(`an answer during an upload arrives at once, and the connection ends: ${how}`, async () => {
    await using cleanup = new Cleanup();
    let isAnswered = false;
    const port = await cleanup.listen((socket) => {
      const peer = new Peer(socket);
      void peer
        .until(() => peer.text.length > 50_000)
        .then(() => {
          peer.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\n');
          peer.write('much');
          isAnswered = true;
          after(peer);
        });
    });
    const { connect } = await proxyTo(cleanup, [hostOf('a', port)]);
    const client = await connect();
    client.write(post('/', '').replace('Content-Length: 0', 'Content-Length: 100000000'));
    client.write('x'.repeat(60_000));
    await waitUntil('it is answered', () => isAnswered);
    const answer = await client.message();
    assert.match(answer, /^HTTP\/1\.1 413 [\s\S]*\r\nConnection: close\r\n\r\nmuch$/);
    await client.rest();
    assert.equal(client.ended, 'end');
    assert.equal(client.text, '');
  });
}

test('a client that ends in the middle of an upload that is answered gets the whole answer', async () => {
  await using cleanup = new Cleanup();
  const servers: Peer[] = [];
  const port = await cleanup.listen((socket) => void servers.push(new Peer(socket)));
  const { connect } = await proxyTo(cleanup, [hostOf('a', port)]);
  const client = await connect();
  client.write('POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\nx');
  await waitUntil('the head', () => servers[0]?.text.endsWith('x') === true);
  servers[0].write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\n');
  await client.until(() => client.text.includes('413'));
  client.socket.end();
  servers[0].write('much');
  assert.match(await client.rest(), /\r\n\r\nmuch$/);
  assert.equal(client.ended, 'end');
});

test('OPTIONS and TRACE with Max-Forwards: 0 are for the proxy, with more for the server, less one', async () => {
  await using cleanup = new Cleanup();
  const { ask, connect, server, proxy } = await start(cleanup, ok('x'));
  const options = (more: number) =>
    get('/', 'a.example', `Max-Forwards: ${more}\r\n`).replace('GET', 'OPTIONS');
  assert.match(await ask(options(0)), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nAllow: /);
  assert.match(await ask(options(0).replace('OPTIONS', 'TRACE')), /^HTTP\/1\.1 405 /);
  assert.equal(server.requests.length, 0);
  assert.equal(proxy.counters()['http-last-hop'], 2);
  const client = await connect();
  client.write(options(2));
  await client.message();
  client.write(options(0).replace('OPTIONS', 'GET'));
  await client.message();
  assert.match(server.requests[0], /\r\nMax-Forwards: 1\r\n/);
  assert.equal(server.requests.length, 2);
});

test('an answer without a Date gets the time of its arrival, one with a Date keeps it', async () => {
  await using cleanup = new Cleanup();
  const dated = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\n\r\n';
  const nominated = dated.replace('\r\n\r\n', '\r\nConnection: date\r\n\r\n');
  const answers: Record<string, string> = { '/none': ok(''), '/dated': dated, '/nominated': nominated };
  const server = await serve(cleanup, (request) => answers[request.split(' ')[1]]);
  const { port } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const client = await cleanup.connect(port);
  const received = receive(client);
  const before = Math.floor(Date.now() / 1000) * 1000;
  client.end(get('/none') + get('/dated') + get('/nominated'));
  const heads = (await received).bytes.toString().split('\r\n\r\n');
  const dates = heads.slice(0, 3).map((head) => head.split('\r\n').filter((line) => /^date:/i.test(line)));
  assert.deepEqual(dates[1], ['Date: Tue, 15 Nov 1994 08:12:31 GMT']);
  for (const lines of [dates[0], dates[2]]) {
    assert.equal(lines.length, 1);
    const time = Date.parse(lines[0].slice('Date: '.length));
    assert.ok(time >= before && time <= Date.now(), lines[0]);
    assert.equal(lines[0], `Date: ${new Date(time).toUTCString()}`);
  }
});
