/** Connections from trusted proxies: who the client is from the header on, for every part that asks; and who is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../../../lab/wait.ts';
import type { HostConfig } from '../../../../src/config/schema.ts';
import type { ConnectionFound } from '../../../../src/net/connection-event.ts';
import { startForward } from '../../../../src/services/forward/service.ts';
import { startProxy } from '../../../../src/services/proxy/service.ts';
import { EVENT_KINDS } from '../../../../src/state/event-kinds.ts';
import { createEventLog } from '../../../../src/state/event-log.ts';
import { parseIpAddress } from '../../../../src/wire/ip-address.ts';
import { createProxyHeader, formatUniqueId, readProxyHeader } from '../../../../src/wire/proxy-header.ts';
import { PROXY_V2_LOCAL, encodeProxyV1, encodeProxyV2 } from '../../../../src/wire/proxy-protocol.ts';
import { captureClientHello } from '../../wire/capture-client-hello.ts';
import { Cleanup, LIMITS, MAPPED, freePort, hostAt } from '../../net/support.ts';
import { Peer, bodyOf, echo, get, hostOf, ok, serve } from './http-peers.ts';

/** The trusted proxy, and somebody else. */
const [PROXY, OTHER] = ['127.0.0.2', '127.0.0.1'];
const CLIENT = { address: parseIpAddress('203.0.113.9')!, port: 40_000 };
const CLIENT6 = { address: parseIpAddress('2001:db8::9')!, port: 40_001 };
const DIALLED = { address: parseIpAddress('192.0.2.1')!, port: 80 };
const DIALLED6 = { address: parseIpAddress('2001:db8::1')!, port: 80 };
const V1 = latin1(encodeProxyV1(CLIENT, DIALLED));
const V2 = latin1(encodeProxyV2(CLIENT, DIALLED, { protocol: null, authority: undefined, uniqueId: null }));
const LOCAL = latin1(PROXY_V2_LOCAL);

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** A proxy for HTTP and TLS, its events, and connections to it. */
async function start(cleanup: Cleanup, hosts: readonly HostConfig[], fields = {}) {
  const [http, tls] = [await freePort(), await freePort()];
  const log = createEventLog({ kinds: EVENT_KINDS, serverAt: () => undefined });
  cleanup.defer(() => log[Symbol.dispose]());
  const proxy = cleanup.use(
    await startProxy(
      {
        proxy: {
          ...MAPPED,
          listen: ['127.0.0.1'],
          listeners: [
            { name: 'http', port: http, protocol: 'http' },
            { name: 'https', port: tls, protocol: 'tls' },
          ],
          trustedProxies: [PROXY],
          handshakeTimeoutMs: 10_000,
          responseTimeoutMs: 60_000,
          idleTimeoutMs: 60_000,
          ...fields,
        },
        hosts,
      },
      { ...cleanup.context, events: log },
    ),
  );
  const connect = async (from = PROXY, port = http) =>
    new Peer(await cleanup.connect(port, { noDelay: true, localAddress: from }));
  const events = () => log.page({}, undefined, 500).events.reverse() as unknown as ConnectionFound[];
  return { http, tls, proxy, connect, events };
}

/** The answer to one request after these bytes. */
async function askAfter(peer: Peer, bytes: string, request = get('/')): Promise<string> {
  peer.write(bytes + request);
  return await peer.message();
}

const told = ({ requests }: { requests: string[] }) =>
  requests.map((request) =>
    request.split('\r\n').filter((line) => /^(?:X-Forwarded-For|X-Real-IP|Forwarded): /.test(line)),
  );

for (const [title, header, address, node] of [
  ['version 1', V1, '203.0.113.9', '203.0.113.9'],
  ['version 2', V2, '203.0.113.9', '203.0.113.9'],
  ['version 1, IPv6', latin1(encodeProxyV1(CLIENT6, DIALLED6)), '2001:db8::9', '"[2001:db8::9]"'],
  ['UNKNOWN', 'PROXY UNKNOWN\r\n', PROXY, PROXY],
  ['LOCAL', LOCAL, PROXY, PROXY],
] as const) {
  test(`${title}: the server is told ${address}, for each request of the connection`, async () => {
    await using cleanup = new Cleanup();
    const server = await serve(cleanup, echo);
    const { connect } = await start(cleanup, [hostOf('a', server.port)]);
    const peer = await connect();
    await askAfter(peer, header);
    await askAfter(peer, '');
    const fields = [
      `X-Forwarded-For: ${address}`,
      `X-Real-IP: ${address}`,
      `Forwarded: for=${node};proto=http;host="a.example"`,
    ];
    assert.deepEqual(told(server), [fields, fields]);
  });
}

test('a header in pieces of one byte, and a request right behind it', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  const { connect } = await start(cleanup, [hostOf('a', server.port)]);
  for (const header of [V1, V2]) {
    const peer = await connect();
    for (const character of header + get('/')) await peer.push(character);
    assert.equal(bodyOf(await peer.message()).split(' ')[0], '/');
  }
  assert.deepEqual(
    told(server).map(([first]) => first),
    ['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-For: 203.0.113.9'],
  );
});

test('the access list is asked for the client of the header, and for the proxy if there is none', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  const { connect } = await start(cleanup, [hostOf('a', server.port, { allow: ['203.0.113.0/24'] })]);
  assert.match(await askAfter(await connect(), V1), / 200 /);
  for (const header of [LOCAL, latin1(encodeProxyV1(CLIENT6, DIALLED6))])
    assert.match(await askAfter(await connect(), header), / 403 /);
});

for (const [title, bytes] of [
  ['a request without a header', get('/')],
  ['a ClientHello without a header', '\x16\x03\x01\x02\x00'],
  ['a malformed header', 'PROXY TCP4 1 2 3\r\n'],
] as const) {
  test(`a trusted proxy with ${title} is reset, and the timeline says so`, async () => {
    await using cleanup = new Cleanup();
    const server = await serve(cleanup, echo);
    const { connect, proxy, events, tls } = await start(cleanup, [
      hostOf('a', server.port),
      hostAt('b', { services: ['https'] }),
    ]);
    for (const port of [undefined, tls]) {
      const peer = await connect(PROXY, port);
      peer.write(bytes);
      await peer.rest();
      assert.equal(peer.ended, 'ECONNRESET');
    }
    assert.equal(proxy.counters()['refused-proxy-header'], 2);
    await waitUntil('the events', () => events().length === 2);
    for (const { client, reason, what } of events())
      assert.deepEqual([what, client, reason], ['refused', PROXY, 'refused-proxy-header']);
    assert.deepEqual(server.requests, []);
  });
}

test("anybody else's header is none: a malformed request, and no TLS", async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  const { connect, proxy, tls } = await start(cleanup, [
    hostOf('a', server.port),
    hostAt('b', { services: ['https'] }),
  ]);
  for (const header of [V1, V2, LOCAL, 'PROXY UNKNOWN\r\n']) {
    assert.match(await askAfter(await connect(OTHER), header), / 400 /, JSON.stringify(header));
    const peer = await connect(OTHER, tls);
    peer.write(header + latin1(await captureClientHello({ servername: 'b.example' })));
    assert.equal(await peer.rest(), '');
  }
  const counters = proxy.counters();
  assert.equal(counters['refused-http-malformed'], 4);
  assert.equal(counters['refused-tls-not-tls'], 4);
  assert.equal(counters['proxy-header'] + counters['refused-proxy-header'], 0);
  assert.deepEqual(server.requests, []);
});

test('health probes are no events: connect and close, connect and reset, a LOCAL header alone, or with a request', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  const { connect, proxy, events, tls } = await start(cleanup, [
    hostOf('a', server.port),
    hostAt('b', { hostnames: ['b.example'], services: ['http', 'https'] }),
  ]);
  // Requests of health checks: to a server, and to nobody.
  for (const name of ['a.example', 'c.example'])
    assert.match(
      await askAfter(await connect(), LOCAL, get('/', name, 'Connection: close\r\n')),
      / (?:200|421) /,
    );
  // As HAProxy checks with version 1: the proxy names itself.
  const self = await connect();
  const own = { address: parseIpAddress(PROXY)!, port: self.socket.localPort! };
  assert.match(await askAfter(self, latin1(encodeProxyV1(own, DIALLED)), get('/', 'c.example')), / 421 /);
  for (const port of [undefined, tls]) {
    (await connect(PROXY, port)).socket.end();
    (await connect(PROXY, port)).socket.resetAndDestroy();
    for (const header of [LOCAL, 'PROXY UNKNOWN\r\n']) {
      const peer = await connect(PROXY, port);
      peer.socket.end(Buffer.from(header, 'latin1'));
      await peer.rest();
    }
  }
  const counters = () => proxy.counters();
  await waitUntil('all have ended', () => counters()['closed-early'] + counters()['proxy-probes'] === 8);
  assert.deepEqual([counters()['proxy-probes'], counters()['proxy-header-local']], [4, 7]);
  // The next event would come after theirs.
  await askAfter(await connect(OTHER), '', get('/', 'other.example'));
  await waitUntil('an event', () => events().length > 0);
  assert.deepEqual(
    events().map(({ reason }) => reason),
    ['refused-http-unknown-host'],
  );
});

test('a header that ends with the connection is malformed; one that does not come in time is too late', async () => {
  await using cleanup = new Cleanup();
  const { connect, proxy } = await start(
    cleanup,
    [hostAt('a', { hostnames: ['a.example'], services: ['http', 'https'] })],
    { handshakeTimeoutMs: 200 },
  );
  for (let length = 1; length < V2.length; length += 5) {
    const peer = await connect();
    peer.socket.end(Buffer.from(V2.slice(0, length), 'latin1'));
    await peer.rest();
  }
  const cut = Math.ceil((V2.length - 1) / 5);
  await waitUntil('all are refused', () => proxy.counters()['refused-proxy-header'] === cut);
  for (const begun of ['', 'PROXY', V2.slice(0, 20)]) {
    const peer = await connect();
    peer.write(begun);
    await peer.rest();
    assert.equal(peer.ended, 'ECONNRESET');
  }
  assert.equal(proxy.counters()['refused-timeout'], 3);
});

test('a server that wants version 2 gets both ends and the unique id of the header; without one a new id', async () => {
  await using cleanup = new Cleanup();
  let heard = '';
  const port = await cleanup.listen((socket) =>
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString('latin1');
      if (heard.includes(' HTTP/1.1') && heard.endsWith('\r\n\r\n'))
        socket.end(ok('x', 'Connection: close\r\n'));
    }),
  );
  const { connect, events, http } = await start(cleanup, [hostOf('a', port, { clientAddress: 'proxy-v2' })]);
  const own = { protocol: null, authority: undefined, uniqueId: Uint8Array.from(Buffer.from('front-17')) };
  const shown: string[] = [];
  for (const [from, header] of [
    [PROXY, latin1(encodeProxyV2(CLIENT6, DIALLED6, own))],
    [PROXY, V1],
    [OTHER, ''],
  ] as const) {
    heard = '';
    const peer = await connect(from);
    await askAfter(peer, header);
    peer.socket.end();
    await peer.rest();
    const bytes = Buffer.from(heard, 'latin1');
    const read = createProxyHeader();
    assert.ok(readProxyHeader(read, bytes, bytes.length) > 0);
    const end = read.destination!;
    const isOwn = from === OTHER;
    if (isOwn) assert.deepEqual([end.address, end.port], [parseIpAddress('127.0.0.1'), http]);
    else
      assert.deepEqual(
        [{ ...read.source }, { ...end }],
        header === V1 ? [CLIENT, DIALLED] : [CLIENT6, DIALLED6],
      );
    shown.push(formatUniqueId(read.uniqueId!));
  }
  assert.equal(shown[0], 'front-17');
  assert.match(shown[1], /^[0-9a-f]{16}$/);
  assert.notEqual(shown[1], shown[2]);
  await waitUntil('the events', () => events().length === 6);
  assert.deepEqual(
    // Several workers report in any order.
    events()
      .map(({ what, client, uniqueId }) => `${what} ${client} ${uniqueId}`)
      .sort(),
    ['2001:db8::9', '203.0.113.9', OTHER]
      .flatMap((client, i) => [`opened ${client} ${shown[i]}`, `closed ${client} ${shown[i]}`])
      .sort(),
  );
});

test('the unique id of a header is in the timeline, whatever its server is told', async () => {
  await using cleanup = new Cleanup();
  const server = await serve(cleanup, echo);
  const { connect, events } = await start(cleanup, [hostOf('a', server.port)]);
  const uniqueId = Uint8Array.of(0, 1, 255);
  const header = latin1(encodeProxyV2(CLIENT, DIALLED, { protocol: null, authority: undefined, uniqueId }));
  await askAfter(await connect(), header);
  await waitUntil('the event', () => events().length > 0);
  assert.equal(events()[0].uniqueId, '0x0001ff');
});

test('a ClientHello right behind the header, and the protocol that its client speaks', async () => {
  await using cleanup = new Cleanup();
  const heard: Buffer[] = [];
  const port = await cleanup.listen((socket) => socket.once('data', (chunk: Buffer) => heard.push(chunk)));
  const { connect, tls } = await start(cleanup, [
    hostAt('a', {
      hostnames: ['a.example'],
      services: [{ listener: 'https', targetPort: port, clientAddress: 'proxy-v2' }],
    }),
  ]);
  const listed = ['h2', 'http/1.1'];
  for (const [protocols, expected] of [
    [['acme-tls/1'], '\x01\0\x0aacme-tls/1'],
    [listed, undefined], // which of them is spoken, only the server knows
    [[], undefined],
  ] as const) {
    heard.length = 0;
    const hello = await captureClientHello({ servername: 'a.example', ALPNProtocols: [...protocols] });
    const peer = await connect(PROXY, tls);
    peer.write(Buffer.concat([Buffer.from(V2, 'latin1'), hello]));
    await waitUntil('the server has it', () => heard.length > 0);
    const [bytes] = heard;
    const end = 16 + bytes.readUInt16BE(14);
    assert.deepEqual(bytes.subarray(end), Buffer.from(hello));
    const header = bytes.subarray(0, end).toString('latin1');
    assert.ok(header.includes('\x02\0\x09a.example\x05\0\x10'));
    assert.equal(header.includes(expected ?? '\x01\0\x02h2'), expected !== undefined);
  }
});

test('SSH ports: a header of a trusted proxy tells the client, and does not reach the server', async () => {
  await using cleanup = new Cleanup();
  const heard: string[] = [];
  const targetPort = await cleanup.listen((socket) =>
    socket.on('data', (chunk: Buffer) => {
      heard.push(chunk.toString('latin1'));
      socket.end('SSH-2.0-server\r\n');
    }),
  );
  const ssh = { port: await freePort(), targetPort };
  const forward = cleanup.use(
    await startForward(
      {
        forward: { listen: ['127.0.0.1'], sshPorts: '22001-22999', limits: LIMITS },
        hosts: [hostAt('a', { ssh, allow: ['203.0.113.9', '127.0.0.1'] })],
        reservedPorts: [],
        trustedProxies: ['127.0.0.2/31'],
      },
      cleanup.context,
    ),
  );
  const say = async (from: string, bytes: string) => {
    const peer = new Peer(await cleanup.connect(ssh.port, { localAddress: from }));
    peer.write(bytes);
    await peer.rest();
    return peer;
  };
  assert.equal((await say(PROXY, `${V2}SSH-2.0-client\r\n`)).text, 'SSH-2.0-server\r\n');
  assert.equal((await say(OTHER, 'SSH-2.0-other\r\n')).text, 'SSH-2.0-server\r\n');
  // The access list does not have the other client, nor the proxy itself.
  const stranger = latin1(encodeProxyV1(CLIENT6, DIALLED6));
  for (const bytes of [`${stranger}SSH-2.0-x\r\n`, `${LOCAL}SSH-2.0-x\r\n`, 'SSH-2.0-x\r\n'])
    assert.equal((await say('127.0.0.3', bytes)).ended, 'ECONNRESET');
  assert.deepEqual(heard, ['SSH-2.0-client\r\n', 'SSH-2.0-other\r\n']);
  const counters = forward.counters();
  assert.deepEqual([counters['refused-not-allowed'], counters['refused-proxy-header']], [2, 1]);
});
