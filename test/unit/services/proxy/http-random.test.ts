/** Random bytes on both sides of the HTTP engine: every connection ends and is counted, and the next one is served. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Cleanup } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';
import { Peer, bodyOf, echo, get, hostOf, ok, post, proxyTo, serve } from './http-peers.ts';

const CHUNKED_POST = 'POST /p HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Text that is changed in a few places, or none. */
const changed = (...seeds: string[]) =>
  fc
    .tuple(
      fc.array(fc.constantFrom(...seeds), { minLength: 1, maxLength: 4 }),
      fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 0.999, noNaN: true }),
          length: fc.nat(3),
          bytes: fc.oneof(
            fc.constantFrom(
              '\r\n',
              '\n',
              '\r',
              ' ',
              '0',
              '\0',
              ':',
              'HTTP/1.1',
              '\r\n\r\n',
              'chunked',
              'close',
            ),
            fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
          ),
        }),
        { maxLength: 3 },
      ),
    )
    .map(([parts, changes]) =>
      changes.reduce((text, { at, length, bytes }) => {
        const from = Math.floor(at * text.length);
        return text.slice(0, from) + bytes + text.slice(from + length);
      }, parts.join('')),
    );

/** The same text in pieces. */
const cuts = fc.array(fc.nat(400), { maxLength: 4 });

async function pushInPieces(peer: Peer, text: string, at: readonly number[]): Promise<void> {
  const places = [0, ...at.filter((place) => place < text.length).toSorted((a, b) => a - b), text.length];
  for (let i = 1; i < places.length; i++) await peer.push(text.slice(places[i - 1], places[i]));
}

test('as requests: what reaches a server is whole, and answers are in order', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const requests = changed(
    get('/1'),
    get('/2', 'b.example'),
    post('/3', 'hello'),
    `${CHUNKED_POST}5\r\nhello\r\n0\r\nA: b\r\n\r\n`,
    'GET http://a.example/4 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  );
  let connections = 0;
  await fc.assert(
    fc.asyncProperty(requests, cuts, async (text, at) => {
      connections++;
      const client = await connect();
      await pushInPieces(client, text, at);
      client.socket.end();
      const answers = await client.rest();
      assert.match(answers, /^(?:HTTP\/1\.1 [2-5][0-9][0-9] [\s\S]*)?$/);
      client.socket.destroy();
    }),
    { numRuns: 300 },
  );
  await waitUntil('all are closed', () => proxy.status().figures['connections'] === 0);
  const counters = proxy.counters();
  const ends = Object.entries(counters).filter(([name]) =>
    /^(?:closed|refused-http|refused-timeout|http-last)/.test(name),
  );
  assert.equal(counters['accepted'], connections);
  assert.equal(
    ends.reduce((sum, [, count]) => sum + count, 0),
    connections,
  );
  for (const request of server.requests) {
    assert.match(request, /^[!-~]+ [!-~]+ HTTP\/1\.1\r\nHost: a\.example(?::80)?\r\n/i);
    assert.match(request, /\r\nX-Forwarded-For: 127\.0\.0\.1\r\n[\s\S]*\r\nVia: 1\.[01] tombolo\r\n\r\n/);
  }
});

test('as answers: the client gets one answer, or one that is cut, and the next request is served', async () => {
  await using cleanup = new Cleanup();
  const answers = changed(
    ok('hello'),
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
  );
  let answer = '';
  let at: readonly number[] = [];
  const port = await cleanup.listen((socket) => {
    const peer = new Peer(socket);
    void peer
      .until(() => peer.text.includes('\r\n\r\n'))
      .then(async () => {
        if (peer.text.startsWith('GET /sound ')) return void socket.end(ok('sound'));
        await pushInPieces(peer, answer, at);
        socket.end();
      })
      .catch(() => {});
  });
  const { connect, ask, proxy } = await proxyTo(cleanup, [hostOf('a', port)]);
  let connections = 0;
  await fc.assert(
    fc.asyncProperty(answers, cuts, fc.boolean(), async (text, places, isHttp10) => {
      [answer, at] = [text, places];
      connections += 2;
      const client = await connect();
      client.write(isHttp10 ? 'GET / HTTP/1.0\r\nHost: a.example\r\n\r\n' : get('/'));
      client.socket.end();
      const got = await client.rest();
      assert.match(got, /^(?:HTTP\/1\.1 [1-5][0-9][0-9] [\s\S]*)?$/);
      if (isHttp10) assert.doesNotMatch(got, /^(?:HTTP\/1\.1 1|[\s\S]*\r\nTransfer-Encoding:[\s\S]*\r\nVia)/);
      client.socket.destroy();
      assert.equal(bodyOf(await ask(get('/sound', 'a.example', 'Connection: close\r\n'))), 'sound');
    }),
    { numRuns: 300 },
  );
  await waitUntil('all are closed', () => proxy.status().figures['connections'] === 0);
  assert.equal(proxy.counters()['accepted'], connections);
});
