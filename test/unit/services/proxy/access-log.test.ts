/** The access log of HTTP: which requests have a line, and what is in it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { HostConfig, ProxyConfig } from '../../../../src/config/schema.ts';
import { WEBSOCKET_GUID } from '../../../../src/wire/http1/websocket.ts';
import { type ProxyOptions, startProxy } from '../../../../src/services/proxy/service.ts';
import { Cleanup, MAPPED, freePort } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';
import { type Line, type Lines, collectLines, requestOf } from '../access-lines.ts';
import { type Answer, Peer, closed, get, hostOf, ok, post, serve } from './http-peers.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = createHash('sha1').update(`${KEY}${WEBSOCKET_GUID}`).digest('base64');
const SWITCHED = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`;
const HANDSHAKE = `GET /chat?token=secret HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n`;

const answer: Answer = (request, { peer }) => {
  const path = request.split(' ')[1]!;
  if (path.startsWith('/missing')) return 'HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone';
  if (path.startsWith('/broken')) return 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n';
  if (path.startsWith('/silent')) return undefined;
  if (path.startsWith('/close')) peer.socket.end();
  if (path.startsWith('/half'))
    peer.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal', () => peer.socket.destroy());
  if (path.startsWith('/close') || path.startsWith('/half')) return undefined;
  if (path.startsWith('/chunks'))
    return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  return ok('body');
};

/** A proxy with a listener for HTTP and one for TLS, and the server of `answer`. */
async function start(
  cleanup: Cleanup,
  proxyFields: Partial<ProxyConfig>,
  hosts: (port: number, dead: number) => HostConfig[] = (port) => [hostOf('a', port)],
) {
  const lines = collectLines();
  const server = await serve(cleanup, answer);
  const [port, tlsPort, dead] = [await freePort(), await freePort(), await freePort()];
  const optionsOf = (fields: Partial<ProxyConfig>, hostList: readonly HostConfig[]): ProxyOptions => ({
    proxy: {
      ...MAPPED,
      listen: ['127.0.0.1'],
      listeners: [
        { name: 'http', port, protocol: 'http' },
        { name: 'https', port: tlsPort, protocol: 'tls' },
      ],
      handshakeTimeoutMs: 10_000,
      responseTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      ...fields,
    },
    hosts: hostList,
  });
  const options = optionsOf(proxyFields, hosts(server.port, dead));
  const context = { ...cleanup.context, lines: lines.output };
  const proxy = cleanup.use(await startProxy(options, context));
  const connect = async () => new Peer(await cleanup.connect(port, { noDelay: true }));
  return { lines, server, proxy, port, tlsPort, connect, optionsOf };
}

interface Row {
  readonly title: string;
  readonly request: string;
  /** What the line says; with "errors" there is one if `isError`. */
  readonly line: string;
  readonly isError: boolean;
}

const ROWS: readonly Row[] = [
  {
    title: 'a request, without its query and the values of its fields',
    request: get('/a/b?password=secret', 'a.example', 'Authorization: Basic secret\r\nCookie: secret\r\n'),
    line: 'GET a.example /a/b -> a: 200 by server, 0 up 4 down',
    isError: false,
  },
  {
    title: 'a body',
    request: post('/post', 'hello'),
    line: 'POST a.example /post -> a: 200 by server, 5 up 4 down',
    isError: false,
  },
  {
    title: 'chunks count as they pass',
    request: get('/chunks'),
    line: 'GET a.example /chunks -> a: 200 by server, 0 up 13 down',
    isError: false,
  },
  {
    title: 'an absolute form, with the host of the target',
    request: 'GET http://A.Example:80/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n',
    line: 'GET A.Example /x -> a: 200 by server, 0 up 4 down',
    isError: false,
  },
  {
    title: 'an absolute form without a path, but with a query',
    request: 'GET http://a.example?token=secret HTTP/1.1\r\nHost: a.example\r\n\r\n',
    line: 'GET a.example / -> a: 200 by server, 0 up 4 down',
    isError: false,
  },
  {
    title: 'HEAD',
    request: 'HEAD /a HTTP/1.1\r\nHost: a.example\r\n\r\n',
    line: 'HEAD a.example /a -> a: 200 by server, 0 up 0 down',
    isError: false,
  },
  {
    title: '404 of the server is no error',
    request: get('/missing'),
    line: 'GET a.example /missing -> a: 404 by server, 0 up 4 down',
    isError: false,
  },
  {
    title: '5xx of the server is one',
    request: get('/broken'),
    line: 'GET a.example /broken -> a: 500 by server, 0 up 0 down',
    isError: true,
  },
  {
    title: 'the server closes without an answer',
    request: post('/close', 'x'),
    line: 'POST a.example /close -> a: 502 by appliance, 1 up ? down (http-no-answer)',
    isError: true,
  },
  {
    title: 'the server closes within its answer',
    request: get('/half'),
    line: 'GET a.example /half -> a: 200 by server, 0 up 3 down (http-answer-cut)',
    isError: true,
  },
  {
    title: 'a dead server',
    request: get('/', 'dead.example'),
    line: 'GET dead.example / -> dead: 502 by appliance, 0 up ? down (server-refused)',
    isError: true,
  },
  {
    title: 'an unknown host',
    request: get('/x', 'other.example'),
    line: 'GET other.example /x -> null: 421 by appliance, 0 up ? down (refused-http-unknown-host)',
    isError: true,
  },
  {
    title: 'a client that may not',
    request: get('/x', 'private.example'),
    line: 'GET private.example /x -> private: 403 by appliance, 0 up ? down (refused-http-not-allowed)',
    isError: true,
  },
  {
    title: 'maintenance',
    request: get('/x', 'off.example'),
    line: 'GET off.example /x -> off: 503 by appliance, 0 up ? down (refused-http-maintenance)',
    isError: true,
  },
  {
    title: 'a redirect is no error',
    request: get('/x', 'moved.example'),
    line: 'GET moved.example /x -> moved: 308 by appliance, 0 up ? down (http-redirected)',
    isError: false,
  },
  {
    title: 'a malformed field',
    request: 'GET /x HTTP/1.1\r\nHost: a.example\r\nA b: c\r\n\r\n',
    line: 'GET null /x -> null: 400 by appliance, 0 up ? down (refused-http-malformed)',
    isError: true,
  },
  {
    title: 'a method that is not served, with a target that is no path',
    request: 'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n',
    line: 'CONNECT null null -> null: 501 by appliance, 0 up ? down (refused-http-unsupported)',
    isError: true,
  },
  {
    title: 'the last hop',
    request: 'OPTIONS * HTTP/1.1\r\nHost: a.example\r\nMax-Forwards: 0\r\n\r\n',
    line: 'OPTIONS a.example * -> a: 200 by appliance, 0 up ? down (http-last-hop)',
    isError: false,
  },
];

/** Without whether a kept connection was free, and without the length of our own texts. */
const steady = (line: string): string =>
  line.replace(' reused', '').replace(/(by appliance, \d+ up) \d+ down/, '$1 ? down');

const hosts = (port: number, dead: number): HostConfig[] => [
  hostOf('a', port),
  hostOf('dead', dead),
  hostOf('private', port, { allow: ['198.51.100.0/24'] }),
  hostOf('off', port, { maintenance: true }),
  hostOf('moved', port, {
    redirectToHttps: 308,
    services: [{ listener: 'http', targetPort: port }, 'https'],
  }),
];

for (const accessLog of ['all', 'errors', 'off'] as const) {
  test(`accessLog "${accessLog}": each request on a connection of its own`, async () => {
    await using cleanup = new Cleanup();
    const { lines, connect } = await start(cleanup, { accessLog }, hosts);
    const expected: string[] = [];
    for (const { request, line, isError } of ROWS) {
      const client = await connect();
      client.write(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
      const received = await client.rest();
      if (accessLog === 'off' || (accessLog === 'errors' && !isError)) continue;
      const bodyBytes = received.length - received.indexOf('\r\n\r\n') - 4;
      expected.push(`${line}; ${bodyBytes}`);
    }
    const taken = await lines.take(expected.length);
    // The lines of several workers are not in one order.
    assert.deepEqual(
      taken.map((line) => `${steady(requestOf(line))}; ${line['bytesDown']}`).toSorted(),
      expected.toSorted(),
    );
    for (const line of taken) {
      assert.equal(line['log'], 'access');
      assert.equal(line['listener'], 'http');
      assert.equal(line['client'], '127.0.0.1');
      assert.equal(line['service'], 'proxy');
    }
    assert.doesNotMatch(JSON.stringify(taken), /secret/);
  });
}

const lineOf = async (lines: Lines): Promise<Line> => (await lines.take(1))[0]!;

test('the version of a request that is refused for its Host', async () => {
  await using cleanup = new Cleanup();
  const { lines, connect } = await start(cleanup, { accessLog: 'all' });
  for (const version of ['1.1', '1.0']) {
    const { socket } = await connect();
    socket.write(`GET /x HTTP/${version}\r\n\r\n`);
    const [line] = await lines.take(1);
    assert.deepEqual([line!['path'], line!['version'], line!['status']], ['/x', version, 400]);
  }
});

test('requests of one connection, sent at once: a line each, in order, with the number of the connection', async () => {
  await using cleanup = new Cleanup();
  const { lines, connect, proxy } = await start(cleanup, { accessLog: 'all' });
  const client = await connect();
  client.write(get('/1') + post('/2', 'ab') + get('/missing') + get('/4'));
  for (let i = 0; i < 4; i++) await client.message();
  const taken = await lines.take(4);
  assert.deepEqual(
    taken.map(({ method, path, status, bytesUp }) => `${method} ${path} ${status} ${bytesUp}`),
    ['GET /1 200 0', 'POST /2 200 2', 'GET /missing 404 0', 'GET /4 200 0'],
  );
  assert.equal(new Set(taken.map(({ connection }) => connection)).size, 1);
  assert.equal(taken[0]!['clientPort'], client.socket.localPort);
  // The POST must be sure of its connection, so it may have got a new one.
  assert.equal(taken.filter(({ reused }) => reused).length, proxy.counters()['http-reused']);
  for (const { connectMs, firstByteMs, durationMs, reused } of taken as Record<string, number>[]) {
    if (reused) assert.equal(connectMs, 0);
    assert.ok(connectMs! >= 0 && firstByteMs! >= connectMs! && durationMs! >= firstByteMs!);
  }
  // An idle connection that ends is no request.
  client.socket.end();
  await closed(client.socket);
  (await connect()).write(get('/5'));
  assert.equal((await lineOf(lines))['path'], '/5');
});

test('a request that is sent again', async () => {
  await using cleanup = new Cleanup();
  const { lines, connect, server } = await start(cleanup, { accessLog: 'all' });
  const client = await connect();
  client.write(get('/1'));
  await client.message();
  await lines.take(1);
  const { peer } = server.connections[0]!;
  // It ends when the next request arrives.
  peer.socket.removeAllListeners('data');
  peer.socket.once('data', () => peer.socket.destroy());
  client.write(get('/2'));
  await client.message();
  const line = await lineOf(lines);
  assert.equal(requestOf(line), 'GET a.example /2 -> a: 200 by server, 0 up 4 down retried');
});

test('a WebSocket: one line at its end, with the bytes of the tunnel', async () => {
  await using cleanup = new Cleanup();
  const servers: Socket[] = [];
  const upgraded = await cleanup.listen((socket) => {
    servers.push(socket);
    socket.once('data', () => {
      socket.write(`${SWITCHED}hello`);
      socket.on('data', (bytes: Buffer) => socket.write(bytes));
      socket.on('end', () => socket.end());
    });
  });
  const { lines, connect, proxy } = await start(cleanup, { accessLog: 'all' }, () => [hostOf('a', upgraded)]);
  const client = await connect();
  client.write(`${HANDSHAKE}early`);
  await client.until(() => client.text.endsWith('helloearly'));
  client.write('x'.repeat(1000));
  await client.until(() => client.text.endsWith('x'.repeat(1000)));
  assert.deepEqual(lines.all(), []);
  client.socket.end();
  await closed(client.socket);
  const line = await lineOf(lines);
  assert.equal(
    requestOf(line),
    'GET a.example /chat -> a: 101 by server, 1005 up 1010 down upgraded (closed)',
  );
  // With the head, as the proxy has sent it.
  assert.equal(proxy.counters()['bytes-up'], servers[0].bytesRead);
});

test('clients that go away', async () => {
  await using cleanup = new Cleanup();
  const { lines, connect, server } = await start(cleanup, { accessLog: 'errors' });
  const aborted = await connect();
  aborted.write('POST /silent HTTP/1.1\r\nHost: a.example\r\nContent-Length: 100\r\n\r\nonly a part');
  await waitUntil('it is there', () => server.connections[0]?.peer.text.endsWith('only a part'));
  aborted.socket.resetAndDestroy();
  assert.equal(
    requestOf(await lineOf(lines)),
    'POST a.example /silent -> a: null by null, 11 up 0 down (closed-reset)',
  );
  const partial = await connect();
  await partial.push('GET /x HTTP/1.1\r\nHost: a.exa');
  partial.socket.end();
  assert.equal(
    requestOf(await lineOf(lines)),
    'null null null -> null: null by null, 0 up 0 down (closed-early)',
  );
  // Who says nothing makes no line.
  const silent = await connect();
  silent.socket.end();
  await closed(silent.socket);
  (await connect()).write(get('/broken'));
  assert.equal((await lineOf(lines))['path'], '/broken');
});

test('a head that does not come in time', async () => {
  await using cleanup = new Cleanup();
  const { lines, connect } = await start(cleanup, { accessLog: 'errors', handshakeTimeoutMs: 200 });
  const client = await connect();
  client.write('GET /x HTTP/1.1\r\n');
  await client.rest();
  const line = await lineOf(lines);
  assert.match(requestOf(line), /^null null null -> null: 408 by appliance, .* \(refused-timeout\)$/);
});

test('an answer that does not come in time', async () => {
  await using cleanup = new Cleanup();
  const { lines, connect } = await start(cleanup, { accessLog: 'errors', responseTimeoutMs: 200 });
  const client = await connect();
  client.write(get('/silent'));
  await client.rest();
  const line = await lineOf(lines);
  assert.equal(
    steady(requestOf(line)),
    'GET a.example /silent -> a: 504 by appliance, 0 up ? down (http-timeout)',
  );
});

test('each server as it says, in force with the next request', async () => {
  await using cleanup = new Cleanup();
  const hostsOf = (port: number, fields: Partial<HostConfig>) => [
    hostOf('a', port, fields),
    hostOf('b', port, { accessLog: 'all' }),
    hostOf('c', port, { accessLog: 'errors' }),
  ];
  const { lines, connect, proxy, server, optionsOf } = await start(cleanup, { accessLog: 'off' }, (port) =>
    hostsOf(port, {}),
  );
  const client = await connect();
  const ask = async () => {
    for (const host of ['a', 'b', 'c']) {
      client.write(get('/x', `${host}.example`) + get('/broken', `${host}.example`));
      await client.message();
      await client.message();
    }
  };
  const summary = async (count: number) =>
    (await lines.take(count)).map(({ host, path }) => `${host}${path}`);
  await ask();
  assert.deepEqual(await summary(3), ['b.example/x', 'b.example/broken', 'c.example/broken']);
  await proxy.reconfigure(optionsOf({ accessLog: 'all' }, hostsOf(server.port, { accessLog: 'off' })));
  await ask();
  assert.deepEqual(await summary(3), ['b.example/x', 'b.example/broken', 'c.example/broken']);
  await proxy.reconfigure(optionsOf({ accessLog: 'errors' }, hostsOf(server.port, {})));
  await ask();
  assert.deepEqual(await summary(4), [
    'a.example/broken',
    'b.example/x',
    'b.example/broken',
    'c.example/broken',
  ]);
});

const HOSTILE = [
  'GET /"},{"log":"access HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'GET /\\u0022\\ HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'GET /\xff\xfe\x80 HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'GET /\x1b[2J\x1b]0;x\x07 HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'GET /\x9b2J HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'GET /a\nb HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'GET /a\rb HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'GET /a\0b HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'G"ET / HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'G\x1b[31mET / HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'GE\nT / HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a"b\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: \x1b[31m\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\xffb\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\nb\r\n\r\n',
  'GET http://user:secret@a.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n',
  'GET http://user:secret@a"b HTTP/1.1\r\nHost: a.example\r\n\r\n',
  `${'M'.repeat(100)} / HTTP/1.1\r\nHost: a.example\r\n\r\n`,
  `GET /${'p'.repeat(5000)} HTTP/1.1\r\nHost: a.example\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: ${'h'.repeat(250)}.example\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: ${'h'.repeat(5000)}\r\n\r\n`,
];

test('whatever a client says, a line is one line of JSON in printable ASCII, and bounded', async () => {
  await using cleanup = new Cleanup();
  const { lines, connect } = await start(cleanup, { accessLog: 'all' });
  for (const request of HOSTILE) {
    const client = await connect();
    client.write(request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await client.rest();
  }
  // `collectLines` checks each of them.
  const taken = await lines.take(HOSTILE.length);
  for (const line of taken) {
    assert.equal(line['log'], 'access');
    assert.ok(JSON.stringify(line).length < 2048);
  }
  assert.doesNotMatch(JSON.stringify(taken), /secret/);
  const paths = taken.map(({ path }) => path);
  assert.ok(paths.includes('/\\u0022\\'));
  assert.equal(
    paths.find((path) => String(path).startsWith('/ppp')),
    `/${'p'.repeat(511)}\u2026`,
  );
  assert.ok(taken.some(({ method }) => method === `${'M'.repeat(32)}\u2026`));
});
