/** The engine's relay, tested through the forwarder, which does not examine the bytes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { type ForwardService, startForward } from '../../../src/services/forward/service.ts';
import { Cleanup, LIMITS, freePort, hostAt, patternBytes, receive } from './support.ts';
import { waitUntil } from '../../../lab/wait.ts';

/** A forwarder to one server; `onConnection` is the server. */
async function forwardTo(cleanup: Cleanup, onConnection: (socket: Socket) => void) {
  const targetPort = await cleanup.listen(onConnection);
  const port = await freePort();
  const forward: ForwardService = cleanup.use(
    await startForward(
      {
        forward: { listen: ['127.0.0.1'], sshPorts: `${port}`, limits: LIMITS },
        hosts: [hostAt('a', { ssh: { targetPort } })],
        reservedPorts: [],
      },
      cleanup.context,
    ),
  );
  return { forward, port };
}

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const isIdle = (forward: ForwardService) => forward.status().figures['connections'] === 0;

test('bytes arrive in order in both directions, across the change from copying to splicing', async () => {
  await using cleanup = new Cleanup();
  const down = patternBytes(3_000_000, 1);
  let up: Buffer = Buffer.alloc(0);
  const { forward, port } = await forwardTo(cleanup, (socket) => {
    void receive(socket).then(({ bytes }) => (up = bytes));
    socket.end(down);
  });
  const client = await cleanup.connect(port);
  const sent = patternBytes(2_500_000, 2);
  client.end(sent);
  const received = await receive(client);
  assert.equal(received.ended, 'end');
  assert.equal(sha(received.bytes), sha(down));
  await waitUntil('the server has everything', () => up.length === sent.length);
  assert.equal(sha(up), sha(sent));
  await waitUntil('the connection is closed', () => isIdle(forward));
  const { 'bytes-up': bytesUp, 'bytes-down': bytesDown, closed, accepted } = forward.counters();
  assert.deepEqual(
    { bytesUp, bytesDown, closed, accepted },
    { bytesUp: sent.length, bytesDown: down.length, closed: 1, accepted: 1 },
  );
  assert.deepEqual(forward.hosts?.(), {
    a: { 'bytes-up': sent.length, 'bytes-down': down.length, accepted: 1, connections: 0, dialling: 0 },
  });
});

test('a half-close of the client leaves the other direction open', async () => {
  await using cleanup = new Cleanup();
  const { port } = await forwardTo(cleanup, (socket) => {
    // Answers only after the client's FIN has arrived.
    void receive(socket).then(({ bytes, ended }) => socket.end(`${ended}:${bytes.toString()}`));
  });
  const client = await cleanup.connect(port);
  client.end('question');
  assert.equal((await receive(client)).bytes.toString(), 'end:question');
});

test('a half-close of the server leaves the other direction open', async () => {
  await using cleanup = new Cleanup();
  let atServer: Promise<{ bytes: Buffer; ended: string }> | undefined;
  const { forward, port } = await forwardTo(cleanup, (socket) => {
    atServer = receive(socket);
    socket.end('greeting');
  });
  const client = await cleanup.connect(port);
  assert.deepEqual(await receive(client), { bytes: Buffer.from('greeting'), ended: 'end' });
  client.write('more ');
  client.end('still');
  const { bytes, ended } = await atServer!;
  assert.deepEqual([bytes.toString(), ended], ['more still', 'end']);
  await waitUntil('the connection is closed', () => isIdle(forward));
});

test("the server's reset reaches the client as a reset, after all data before it", async () => {
  await using cleanup = new Cleanup();
  const answer = patternBytes(30_000);
  const { forward, port } = await forwardTo(cleanup, (socket) => {
    socket.once('data', () => socket.write(answer, () => socket.resetAndDestroy()));
  });
  const client = await cleanup.connect(port);
  client.write('x');
  const { bytes, ended } = await receive(client);
  assert.equal(ended, 'ECONNRESET');
  assert.equal(sha(bytes), sha(answer));
  assert.equal(forward.counters()['closed-reset'], 1);
  await waitUntil('the connection is closed', () => isIdle(forward));
});

test('a reset waits for the data that a slow client has not read yet', async () => {
  await using cleanup = new Cleanup();
  const answer = patternBytes(400_000);
  let server: Socket | undefined;
  const { forward, port } = await forwardTo(cleanup, (socket) => {
    server = socket;
    socket.write(answer);
  });
  const client = await cleanup.connect(port);
  client.pause();
  await waitUntil(
    "all is in the client's send queue",
    () => forward.counters()['bytes-down'] === answer.length,
  );
  server!.resetAndDestroy();
  await waitUntil('the reset has been seen', () => forward.counters()['closed-reset'] === 1);
  const { bytes, ended } = await receive(client.resume());
  assert.equal(sha(bytes), sha(answer));
  assert.equal(ended, 'ECONNRESET');
});

test("the client's reset reaches the server as a reset", async () => {
  await using cleanup = new Cleanup();
  let atServer: Promise<{ ended: string }> | undefined;
  const { forward, port } = await forwardTo(cleanup, (socket) => {
    atServer = receive(socket);
    socket.write('hello');
  });
  const client = await cleanup.connect(port);
  await once(client, 'data');
  client.resetAndDestroy();
  await waitUntil('the server accepted', () => atServer !== undefined);
  assert.equal((await atServer!).ended, 'ECONNRESET');
  await waitUntil('the connection is closed', () => isIdle(forward));
});

test('a refusal by the server becomes a reset for the client, and is counted', async () => {
  await using cleanup = new Cleanup();
  const [port, targetPort] = [await freePort(), await freePort()];
  const forward = cleanup.use(
    await startForward(
      {
        forward: { listen: ['127.0.0.1'], sshPorts: `${port}`, limits: LIMITS },
        hosts: [hostAt('a', { ssh: { targetPort } })],
        reservedPorts: [],
      },
      cleanup.context,
    ),
  );
  // Does not wait for the connection: the reset may arrive before Node has noticed that the client is connected.
  assert.equal((await receive(cleanup.open(port))).ended, 'ECONNRESET');
  assert.equal(forward.counters()['server-refused'], 1);
});

test('a stalled reader stops its sender, uses no memory and delays no other client', async () => {
  await using cleanup = new Cleanup();
  const total = 64 * 1024 * 1024;
  const block = patternBytes(256 * 1024);
  let written = 0;
  const { port } = await forwardTo(cleanup, (socket) => {
    socket.once('data', (mode: Buffer) => {
      if (mode.toString() === 'echo') return socket.end('echo');
      const pump = () => {
        while (written < total) {
          written += block.length;
          if (!socket.write(block)) return;
        }
        socket.end();
      };
      socket.on('drain', pump);
      pump();
      return undefined;
    });
  });
  const stalled = await cleanup.connect(port);
  stalled.pause();
  stalled.write('stall');
  // The sender counts as stalled when it has not sent for a while: the data can only be in socket buffers.
  let [seen, stillSince] = [-1, performance.now()];
  await waitUntil(
    'the sender is stalled',
    () => {
      if (written !== seen) [seen, stillSince] = [written, performance.now()];
      return written > 0 && performance.now() - stillSince > 200;
    },
    { timeoutMs: 20_000 },
  );
  assert.ok(written < total / 2, `the sender was stopped after ${written} bytes`);
  const before = process.memoryUsage.rss();
  const other = await cleanup.connect(port);
  other.write('echo');
  assert.equal((await receive(other)).bytes.toString(), 'echo');
  assert.ok(process.memoryUsage.rss() - before < 16 * 1024 * 1024);
  const { bytes } = await receive(stalled.resume());
  assert.equal(bytes.length, total);
  for (let at = 0; at < total; at += block.length) {
    assert.ok(bytes.subarray(at, at + block.length).equals(block), `block at ${at}`);
  }
});

test('three hundred connections at once, each with its own bytes in both directions', async () => {
  await using cleanup = new Cleanup();
  const { forward, port } = await forwardTo(cleanup, (socket) => void socket.pipe(socket));
  await Promise.all(
    Array.from({ length: 300 }, async (_, i) => {
      const sent = patternBytes(1000 + ((i * 7919) % 200_000), i);
      const client = await cleanup.connect(port);
      const received = receive(client);
      client.end(sent);
      assert.equal(sha((await received).bytes), sha(sent), `connection ${i}`);
    }),
  );
  await waitUntil('all are closed', () => isIdle(forward));
  assert.equal(forward.counters()['closed'], 300);
});

test('a server that leaves the configuration keeps its count while its connection lasts', async () => {
  await using cleanup = new Cleanup();
  const { forward, port } = await forwardTo(cleanup, (socket) => void socket.pipe(socket));
  const client = await cleanup.connect(port);
  let echoed = 0;
  client.on('data', (chunk) => (echoed += chunk.length));
  const say = async (bytes: number) => {
    const wanted = echoed + bytes;
    client.write(patternBytes(bytes));
    await waitUntil('the echo', () => echoed === wanted);
  };
  await say(1000);
  assert.deepEqual(forward.hosts?.(), {
    a: { 'bytes-up': 1000, 'bytes-down': 1000, accepted: 1, connections: 1, dialling: 0 },
  });
  const other = hostAt('b', { ssh: { targetPort: 1 } });
  const options = {
    forward: { listen: ['127.0.0.1'], sshPorts: `${await freePort()}`, limits: LIMITS },
    reservedPorts: [],
  };
  await forward.reconfigure({ ...options, hosts: [other] });
  await say(500);
  assert.deepEqual(forward.hosts?.(), {
    b: { 'bytes-up': 0, 'bytes-down': 0, accepted: 0, connections: 0, dialling: 0 },
    a: { 'bytes-up': 1500, 'bytes-down': 1500, accepted: 1, connections: 1, dialling: 0 },
  });
  client.end();
  await waitUntil(
    'the server is forgotten with its last connection',
    () => !('a' in (forward.hosts?.() ?? {})),
  );
});
