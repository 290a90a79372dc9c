/** Connections that are kept for several requests, on both sides of the proxy. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cleanup } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';
import { type Answer, type Peer, bodyOf, echo, get, hostOf, ok, post, proxyTo, serve } from './http-peers.ts';

async function askEach(client: Peer, requests: readonly string[]): Promise<string[]> {
  const bodies: string[] = [];
  for (const request of requests) {
    client.write(request);
    bodies.push(bodyOf(await client.message(request.startsWith('HEAD '))));
  }
  return bodies;
}

/** A server that says how long it keeps its connections. */
const promising: Answer = (request, { number }) => {
  if (request.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n';
  return ok(`${request.split(' ')[1]} ${number}`, 'Keep-Alive: timeout=60\r\n');
};

test('a client and its server keep one connection each, for requests of every kind', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, promising);
  const { proxy, connect } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const client = await connect();
  const chunked =
    'PUT /4 HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n';
  assert.deepEqual(await askEach(client, [get('/1')]), ['/1 0']);
  // At once: a POST goes over a connection that was used only a short time ago.
  client.write(get('/2') + post('/3', 'body') + chunked + get('/5'));
  for (const body of ['/2 0', '/3 0', '/4 0', '/5 0']) assert.equal(bodyOf(await client.message()), body);
  client.write('HEAD /6 HTTP/1.1\r\nHost: a.example\r\n\r\n');
  assert.match(await client.message(true), /\r\nContent-Length: 1000\r\n/);
  assert.deepEqual(await askEach(client, [get('/7')]), ['/7 0']);
  // On a busy machine the POST and the PUT may come too late for the server's word, and get connections of their own.
  const own = server.connections.length - 1;
  assert.ok(own <= 2, `${own}`);
  assert.ok(server.requests.some((request) => /\r\n\r\n2\r\nab\r\n0\r\n\r\n$/.test(request)));
  const counters = proxy.counters();
  assert.equal(counters['accepted'], 1);
  assert.equal(counters['http-routed'], 7);
  assert.equal(counters['http-reused'], 6 - own);
});

test('clients one after the other share the connection to the server, clients at once have one each', async () => {
  await using cleanup = new Cleanup();
  const held: (() => void)[] = [];
  const server = await serve(cleanup, (request, served) => {
    if (!request.includes('/held')) return echo(request, served);
    held.push(() => served.peer.write(echo(request, served)!));
    return undefined;
  });
  const { ask, connect } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  for (const path of ['/1', '/2', '/3']) assert.equal(bodyOf(await ask(get(path))), `${path} 0`);
  const [one, two] = [await connect(), await connect()];
  one.write(get('/held'));
  two.write(get('/held'));
  await waitUntil('both are there', () => held.length === 2);
  held.forEach((answer) => answer());
  const numbers = [bodyOf(await one.message()), bodyOf(await two.message())];
  assert.deepEqual(numbers.toSorted(), ['/held 0', '/held 1']);
});

for (const scheme of ['NTLM', 'Negotiate']) {
  test(`a connection that ${scheme} authenticates stays with its client`, async () => {
    await using cleanup = new Cleanup();
    /** Connections whose user is known: such servers ask each connection once. */
    const known = new Set<number>();
    const server = await serve(cleanup, (request, { number }) => {
      if (/Authorization: \w+ type3/.test(request)) known.add(number);
      if (known.has(number)) return `HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret`;
      return `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x", ${scheme}\r\nContent-Length: 0\r\n\r\n`;
    });
    const { connect } = await proxyTo(cleanup, [hostOf('a', server.port)]);
    const asks = (more: string) => `GET /mail HTTP/1.1\r\nHost: a.example\r\n${more}\r\n`;
    const alice = await connect();
    const statuses = [];
    for (const more of ['', `Authorization: ${scheme} type1\r\n`, `Authorization: ${scheme} type3\r\n`, '']) {
      alice.write(asks(more));
      statuses.push((await alice.message()).slice(9, 12));
    }
    assert.deepEqual(statuses, ['401', '401', '200', '200']);
    assert.equal(server.connections.length, 1);
    for (let i = 0; i < 3; i++) {
      const bob = await connect();
      bob.write(asks(''));
      assert.match(await bob.message(), /^HTTP\/1\.1 401 /);
    }
    // Without a challenge before it, too.
    const carol = await connect();
    carol.write(asks(`Authorization: ${scheme} type3\r\n`));
    assert.match(await carol.message(), /secret$/);
    const dave = await connect();
    dave.write(asks(''));
    assert.match(await dave.message(), /^HTTP\/1\.1 401 /);
  });
}

test('requests of one client go to the servers of their own Hosts', async () => {
  await using cleanup = new Cleanup();
  const [a, b] = [await serve(cleanup, echo), await serve(cleanup, echo)];
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', a.port), hostOf('b', b.port)]);
  const client = await connect();
  await askEach(client, [get('/1', 'a.example'), get('/2', 'b.example'), get('/3', 'A.Example:80')]);
  await askEach(client, [post('/4', 'x', 'b.example'), get('/5', 'a.example')]);
  const paths = (requests: readonly string[]) => requests.map((request) => request.split(' ')[1]);
  assert.deepEqual(paths(a.requests), ['/1', '/3', '/5']);
  assert.deepEqual(paths(b.requests), ['/2', '/4']);
  assert.equal(a.connections.length, 1);
  const hosts = proxy.hosts!();
  assert.deepEqual(
    ['a', 'b'].map((name) => hosts[name]?.accepted),
    [3, 2],
  );
  client.write(get('/6', 'c.example'));
  assert.match(await client.rest(), /^HTTP\/1\.1 421 /);
});

test('a server that says "close", or says so by its version, gets a new connection; its client does not', async () => {
  await using cleanup = new Cleanup();
  for (const answer of [
    ok('x', 'Connection: close\r\n'),
    ok('x', 'connection: X-A, CLOSE\r\n'),
    ok('x').replace('HTTP/1.1', 'HTTP/1.0'),
    ok('x', 'Keep-Alive: timeout=1\r\n'),
  ]) {
    const server = await serve(cleanup, () => answer);
    const { connect } = await proxyTo(cleanup, [hostOf('a', server.port)]);
    const client = await connect();
    assert.deepEqual(await askEach(client, [get('/1'), get('/2')]), ['x', 'x']);
    assert.equal(server.connections.length, 2, answer);
  }
});

test('a server of HTTP/1.0 that says "keep-alive" is taken at its word', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, () =>
    ok('x', 'Connection: keep-alive\r\n').replace('HTTP/1.1', 'HTTP/1.0'),
  );
  const { connect } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  await askEach(await connect(), [get('/1'), get('/2')]);
  assert.equal(server.connections.length, 1);
});

test('a client that says "close" is told so, and gets the end; the server is kept', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  const { connect, ask } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const client = await connect();
  client.write(get('/1', 'a.example', 'Connection: close\r\n') + get('/2'));
  assert.match(await client.rest(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nConnection: close\r\n\r\n\/1 0$/);
  assert.equal(client.ended, 'end');
  assert.equal(bodyOf(await ask(get('/3'))), '/3 0');
  assert.doesNotMatch(server.requests.join(''), /Connection:|\/2/);
});

/** A server that closes each connection after its first answer, without saying so, when it hears the next request. */
const closesAtSecond = (cleanup: Cleanup) =>
  serve(cleanup, (request, served) => {
    if (served.requests.length === 1) return echo(request, served);
    served.peer.socket.destroy();
    return undefined;
  });

test('a GET that meets the end of a kept connection is sent again', async () => {
  await using cleanup = new Cleanup();
  const server = await closesAtSecond(cleanup);
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const bodies = await askEach(await connect(), [get('/1'), get('/2'), get('/3')]);
  assert.deepEqual(bodies, ['/1 0', '/2 1', '/3 2']);
  assert.deepEqual(
    server.connections.map(({ requests }) => requests.map((request) => request.split(' ')[1])),
    [['/1', '/2'], ['/2', '/3'], ['/3']],
  );
  assert.equal(proxy.counters()['http-retried'], 2);
  assert.equal(proxy.counters()['http-no-answer'], 0);
});

test('a GET is not sent a third time, and not again once an answer has begun', async () => {
  await using cleanup = new Cleanup();
  for (const [lastWords, connections] of [
    ['', 2],
    ['HTTP/1.1 200', 1],
  ] as const) {
    let answers = 0;
    const server = await serve(cleanup, (request, served) => {
      if (answers++ === 0) return echo(request, served);
      served.peer.socket.end(lastWords);
      return undefined;
    });
    const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)]);
    const client = await connect();
    await askEach(client, [get('/1')]);
    client.write(get('/2'));
    assert.match(await client.rest(), /^HTTP\/1\.1 502 /);
    assert.equal(server.connections.length, connections);
    assert.equal(proxy.counters()['http-no-answer'], 1);
  }
});

test('40 POSTs to a server that closes after two answers without saying so: each arrives once', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, (request, served) => {
    const answer = echo(request, served)!;
    if (served.requests.length === 1) return answer;
    served.peer.socket.end(answer);
    return undefined;
  });
  const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port)]);
  const client = await connect();
  for (let i = 0; i < 40; i++) {
    client.write(post(`/${i}`, 'x'));
    assert.match(await client.message(), new RegExp(`^HTTP/1\\.1 200 [^]*\\r\\n\\r\\n/${i} `));
  }
  assert.deepEqual(
    server.requests.map((request) => request.split(' ')[1]),
    Array.from({ length: 40 }, (_, i) => `/${i}`),
  );
  assert.equal(proxy.counters()['http-retried'], 0);
});

test('a POST goes to a new connection if the server has not said that it keeps the used one', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  for (const clientAddress of ['none', 'proxy-v1'] as const) {
    const { connect } = await proxyTo(cleanup, [hostOf('a', server.port, { clientAddress })]);
    const client = await connect();
    client.write(get('/1') + get('/2') + get('/3') + post('/4', 'x'));
    for (let i = 0; i < 4; i++) await client.message();
  }
  assert.deepEqual(
    server.connections.map(({ requests }) => requests.length),
    [3, 1, 3, 1],
  );
});

test('a body that a server may leave unread is the last thing on its connection', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, promising);
  for (const clientAddress of ['none', 'proxy-v1'] as const) {
    const { connect } = await proxyTo(cleanup, [hostOf('a', server.port, { clientAddress })]);
    const client = await connect();
    for (const method of ['GET', 'OPTIONS', 'DELETE', 'POST']) {
      client.write(post('/', 'GET /x', 'a.example').replace('POST', method));
      await client.message();
    }
  }
  // The server of this test reads them. The first line of some requests is the PROXY header.
  const saysClose = server.requests.map((request) => /\r\nConnection: close\r\n/.test(request));
  assert.deepEqual(saysClose, [true, true, true, false, true, true, true, false]);
  assert.equal(server.connections.length, 8);
});

test('with a PROXY header, the connection to the server stays with its client', async () => {
  await using cleanup = new Cleanup();
  const heads: string[] = [];
  const server = await cleanup.listen((socket) => {
    const number = heads.push('') - 1;
    socket.on('data', (chunk: Buffer) => {
      heads[number] += chunk.toString('latin1');
      if (heads[number].endsWith('\r\n\r\n')) socket.write(ok(`${number}`));
    });
    socket.on('end', () => socket.end());
  });
  const { connect } = await proxyTo(cleanup, [hostOf('a', server, { clientAddress: 'proxy-v1' })]);
  const [one, two] = [await connect(), await connect()];
  assert.deepEqual(await askEach(one, [get('/1'), get('/2')]), ['0', '0']);
  assert.deepEqual(await askEach(two, [get('/3')]), ['1']);
  assert.deepEqual(await askEach(one, [get('/4')]), ['0']);
  const portOf = ({ socket }: Peer) => String(socket.localPort);
  assert.match(
    heads[0],
    new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 ${portOf(one)} [0-9]+\\r\\nGET /1 `),
  );
  assert.match(
    heads[1],
    new RegExp(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 ${portOf(two)} [0-9]+\\r\\nGET /3 `),
  );
  assert.equal(heads.join('').match(/PROXY/g)!.length, 2);
  // The next client must not get it either.
  one.socket.destroy();
  assert.deepEqual(await askEach(await connect(), [get('/5')]), ['2']);
});

/** What a server says that nobody asked for: behind its answer, or later. */
const FORGED = ok('forged');

for (const clientAddress of ['none', 'proxy-v1'] as const) {
  test(`an answer that nobody asked for is the answer to no request (${clientAddress})`, async () => {
    for (const length of [2, 64 * 1024, 300_000]) {
      await using cleanup = new Cleanup();
      // The PROXY header arrives as the first line of the first request: nothing that this server looks at.
      const server = await serve(cleanup, () => ok('x'.repeat(length)) + FORGED);
      const { connect } = await proxyTo(cleanup, [hostOf('a', server.port, { clientAddress })]);
      const client = await connect();
      for (let i = 0; i < 5; i++) {
        client.write(get('/'));
        assert.equal(bodyOf(await client.message()).length, length);
      }
    }
  });

  test(`what a server says between two requests is no answer (${clientAddress})`, async () => {
    await using cleanup = new Cleanup();
    const server = await serve(cleanup, (_, { number }) => ok(`${number}`));
    const { connect, proxy } = await proxyTo(cleanup, [hostOf('a', server.port, { clientAddress })]);
    const client = await connect();
    assert.deepEqual(await askEach(client, [get('/1')]), ['0']);
    await server.connections[0].peer.push(FORGED);
    // The loop of the proxy has had a turn when it has served somebody else.
    client.socket.pause();
    const before = proxy.counters()['refused-http-unknown-host'];
    const other = await connect();
    other.write(get('/', 'nobody.example'));
    await other.rest();
    assert.equal(proxy.counters()['refused-http-unknown-host'], before + 1);
    client.socket.resume();
    assert.deepEqual(await askEach(client, [get('/2')]), ['1']);
  });
}
