/** Connections of the admin server: one client uses them up while another works (issue "Trust", D). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, get } from 'node:http';
import { type Socket, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { MAX_SERVED, MAX_SILENT, createConnectionShares } from '../../../src/admin/connection-shares.ts';
import { startAdmin } from '../../../src/admin/server.ts';
import { fillDefaults } from '../../../src/config/load.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { freePort } from '../net/support.ts';
import { temporaryDirectory, testDeps } from './fixture.ts';
import { waitUntil } from '../../../lab/wait.ts';

const ATTACKER = '127.0.0.66';

async function start(t: TestContext, tls: 'off' | 'self-signed') {
  // HTTPS is on if other machines could read the traffic.
  const listen = tls === 'off' ? '127.0.0.1' : '0.0.0.0';
  const port = await freePort();
  const stateDirectory = await temporaryDirectory(t);
  const admin = await startAdmin(
    { admin: { ...fillDefaults({}).admin, listen: [listen], port, tls, allow: ['127.0.0.0/8'] } },
    await testDeps(t),
    { log: silentLog, stateDirectory },
  );
  t.after(() => admin[Symbol.asyncDispose]());
  return { port, admin };
}

function attack(t: TestContext, port: number, bytes = ''): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress: ATTACKER });
  socket.on('error', () => {});
  socket.on('data', () => {});
  if (bytes !== '') socket.write(bytes);
  t.after(() => void socket.destroy());
  return socket;
}

async function health(port: number, localAddress: string): Promise<number | undefined> {
  const request = get({ host: '127.0.0.1', port, path: '/api/health', localAddress, agent: false });
  const [response] = (await once(request, 'response', { signal: AbortSignal.timeout(20_000) })) as [
    IncomingMessage,
  ];
  response.resume();
  return response.statusCode;
}

const FLOODS: readonly {
  readonly title: string;
  readonly tls: 'off' | 'self-signed';
  readonly bytes: string;
}[] = [
  { title: 'silent connections', tls: 'off', bytes: '' },
  { title: 'silent connections, with HTTPS on the same port', tls: 'self-signed', bytes: '' },
  { title: 'half a request', tls: 'off', bytes: 'GET /api/health HTTP/1.1\r\nHost: 127' },
  { title: 'half a TLS record', tls: 'self-signed', bytes: '\x16\x03\x01\x02' },
  {
    title: 'answered connections that stay open',
    tls: 'off',
    bytes: 'GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
  },
];
for (const { title, tls, bytes } of FLOODS) {
  test(`300 times ${title}, from one client: others get their answers, and keep their connections`, async (t) => {
    const { port, admin } = await start(t, tls);
    // Loopback is admitted over plain HTTP although HTTPS is on.
    for (let i = 0; i < 300; i++) attack(t, port, bytes);
    const limit = bytes.endsWith('\r\n\r\n') ? MAX_SERVED : MAX_SILENT;
    await waitUntil('the limit is reached', () => admin.counters()['displaced-connection'] >= 300 - limit, {
      timeoutMs: 20_000,
    });
    assert.ok(
      admin.limits!().some(({ used, size }) => used === size),
      'the status reports this from 90 % on',
    );
    for (let i = 0; i < 10; i++) {
      for (let more = 0; more < 10; more++) attack(t, port, bytes);
      assert.equal(await health(port, `127.0.0.${i + 2}`), 200);
    }
  });
}

/** A socket, with the properties that shares use. */
function fake(remoteAddress: string, remotePort: number) {
  const closed: (() => void)[] = [];
  const socket = {
    remoteAddress,
    remotePort,
    localPort: 1,
    isDestroyed: false,
    once: (_event: string, task: () => void) => closed.push(task),
    destroy() {
      socket.isDestroyed = true;
      closed.forEach((task) => task());
    },
  };
  return socket;
}

test('hosts of attached networks have separate slots; elsewhere a /64 is one client; connections being answered are displaced last', () => {
  let displaced = 0;
  const shares = createConnectionShares(
    (address) => address!.startsWith('2001:db8:1:'),
    () => displaced++,
    1,
  );
  let port = 0;
  const request = (socket: ReturnType<typeof fake>) => shares.request(socket as unknown as Socket);
  const add = (address: string, isServed = false) => {
    const socket = fake(address, ++port);
    shares.add(socket as unknown as Socket);
    if (isServed) request(socket)();
    return socket;
  };
  const owner = add('2001:db8:1::10');
  // Strangers, each from its own network: a newcomer gets in, and no local host is affected.
  for (let i = 0; i < 200; i++) add(`2001:db8:2:${i.toString(16)}::1`);
  assert.equal(displaced, 200 - MAX_SILENT);
  // Another host of the owner's network.
  for (let i = 0; i < 200; i++) add('2001:db8:1::66');
  assert.equal(owner.isDestroyed, false);
  request(owner)();
  // A client elsewhere that uses all addresses of its /64, against a client with a few connections.
  const few = Array.from({ length: 5 }, () => add('203.0.113.9', true));
  const streams = Array.from({ length: 3 }, (_, i) => {
    const socket = add(`2001:db8:9::${i + 1}`);
    request(socket);
    return socket;
  });
  for (let i = 0; i < 300; i++) request(add(`2001:db8:9::f:${i.toString(16)}`))();
  assert.ok(few.every(({ isDestroyed }) => !isDestroyed));
  assert.ok(
    streams.every(({ isDestroyed }) => !isDestroyed),
    'their answers are in progress',
  );
  assert.ok(!owner.isDestroyed && shares.served === MAX_SERVED);
});
