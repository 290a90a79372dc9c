/** The events of the proxy and the forwarder about real connections. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { ConnectionFound } from '../../../src/net/connection-event.ts';
import { startForward } from '../../../src/services/forward/service.ts';
import { startProxy } from '../../../src/services/proxy/service.ts';
import { EVENT_KINDS } from '../../../src/state/event-kinds.ts';
import { createEventLog } from '../../../src/state/event-log.ts';
import { Cleanup, LIMITS, MAPPED, freePort, hostAt, receive } from '../net/support.ts';
import { english } from '../../../src/texts/text.ts';
import { waitUntil } from '../../../lab/wait.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok';

function eventsOf(cleanup: Cleanup) {
  const log = createEventLog({ kinds: EVENT_KINDS, serverAt: () => undefined });
  cleanup.defer(() => log[Symbol.dispose]());
  const all = () => log.page({}, undefined, 500).events.reverse() as unknown as ConnectionFound[];
  const waitFor = async (count: number) => {
    await waitUntil(`${count} events`, () => all().length >= count);
    return all();
  };
  return { log, waitFor };
}

/** Without the values that differ from run to run. */
const steady = ({ what, name, server, listener, client, reason }: ConnectionFound) =>
  `${what} ${listener} ${client} ${name} -> ${server}: ${reason}`;

async function startHttp(cleanup: Cleanup, onRequest: (socket: Socket) => void, handshakeTimeoutMs = 10_000) {
  const port = await freePort();
  const events = eventsOf(cleanup);
  await cleanup.listen((socket) => socket.once('data', () => onRequest(socket)), port);
  cleanup.use(
    await startProxy(
      {
        proxy: {
          listen: ['127.0.0.1'],
          listeners: [{ name: 'http', port, protocol: 'http' }],
          ...MAPPED,
          handshakeTimeoutMs,
          responseTimeoutMs: 60_000,
          idleTimeoutMs: 60_000,
        },
        hosts: [hostAt('web1', { hostnames: ['example.com'], services: ['http'] })],
      },
      { ...cleanup.context, events: events.log },
    ),
  );
  return { port, ...events };
}

test('a request: opened, then closed with its bytes, under one number', async () => {
  await using cleanup = new Cleanup();
  let bytesRead = 0;
  const { port, waitFor } = await startHttp(cleanup, (socket) => {
    bytesRead = socket.bytesRead;
    socket.end(ANSWER);
  });
  const client = await cleanup.connect(port);
  client.write('GET / HTTP/1.1\r\nHost: EXAMPLE.com\r\nConnection: close\r\n\r\n');
  const { bytes } = await receive(client);
  const [opened, closed] = await waitFor(2);
  assert.equal(steady(opened), 'opened http 127.0.0.1 example.com -> web1: null');
  assert.equal(steady(closed), 'closed http 127.0.0.1 example.com -> web1: closed');
  assert.equal(opened.connection, closed.connection);
  assert.equal(opened.clientPort, client.localPort);
  // As they passed to the server and to the client, with the fields that the proxy added.
  assert.equal(closed.bytesUp, bytesRead);
  assert.equal(closed.bytesDown, bytes.length);
  assert.equal(opened.service, 'proxy');
  assert.match(english(closed.explanation ?? ''), /ended in order/);
  assert.ok(closed.durationMs >= 0 && closed.durationMs < 60_000);
});

for (const [title, send, expected] of [
  [
    'an unknown name',
    'GET / HTTP/1.1\r\nHost: other.example\r\n\r\n',
    'other.example -> null: refused-http-unknown-host',
  ],
  ['no HTTP', '\u0001\u0002\r\n\r\n', 'null -> null: refused-http-malformed'],
  ['a client that sends nothing', '', 'null -> null: refused-timeout'],
]) {
  test(`refused: ${title}`, async () => {
    await using cleanup = new Cleanup();
    const { port, waitFor } = await startHttp(cleanup, () => {}, 100);
    const client = await cleanup.connect(port);
    client.write(send);
    const [refused, ...rest] = await waitFor(1);
    assert.equal(steady(refused), `refused http 127.0.0.1 ${expected}`);
    assert.equal(refused.bytesUp, send.length);
    client.end();
    assert.deepEqual(rest, []);
  });
}

test('a server that does not answer: opened and closed, once each', async () => {
  await using cleanup = new Cleanup();
  const { port, waitFor } = await startHttp(cleanup, (socket) => socket.end());
  const client = await cleanup.connect(port);
  client.write('GET / HTTP/1.1\r\nHost: example.com\r\n\r\n');
  assert.match((await receive(client)).bytes.toString(), /^HTTP\/1.1 502/);
  client.end();
  const events = await waitFor(2);
  assert.deepEqual(events.map(steady), [
    'opened http 127.0.0.1 example.com -> web1: null',
    'closed http 127.0.0.1 example.com -> web1: http-no-answer',
  ]);
});

test('the forwarder: a session, and a server that refuses', async () => {
  await using cleanup = new Cleanup();
  const { log, waitFor } = eventsOf(cleanup);
  const size = 3_000_000; // beyond where copying becomes splicing
  const open = await cleanup.listen((socket) => socket.end(Buffer.alloc(size)));
  const shut = await freePort();
  const [a, b] = [await freePort(), await freePort()];
  cleanup.use(
    await startForward(
      {
        forward: { listen: ['127.0.0.1'], sshPorts: '22001-22999', limits: LIMITS },
        hosts: [
          hostAt('a', { ssh: { port: a, targetPort: open } }),
          hostAt('b', { ssh: { port: b, targetPort: shut } }),
        ],
        reservedPorts: [],
      },
      { ...cleanup.context, events: log },
    ),
  );
  const client = await cleanup.connect(a);
  client.end('hello');
  assert.equal((await receive(client)).bytes.length, size);
  await receive(cleanup.open(b));
  const events = await waitFor(3);
  assert.deepEqual(events.map(steady), [
    'opened a 127.0.0.1 null -> a: null',
    'closed a 127.0.0.1 null -> a: closed',
    'refused b 127.0.0.1 null -> b: server-refused',
  ]);
  assert.equal(events[1].bytesUp, 5);
  assert.equal(events[1].bytesDown, size);
  assert.notEqual(events[1].connection, events[2].connection);
});
