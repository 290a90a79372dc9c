/** The drain of a TCP service: open connections finish, waiting ones are served, new ones are not accepted. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { startForward } from '../../../src/services/forward/service.ts';
import { Cleanup, freePort, hostAt, patternBytes, receive } from './support.ts';
import { waitUntil } from '../../../lab/wait.ts';

const CONNECTIONS = 300;
const PATIENCE_MS = 60_000;
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function forwardToEcho(cleanup: Cleanup) {
  const targetPort = await cleanup.listen((socket) => void socket.pipe(socket));
  const port = await freePort();
  const forward = await startForward(
    {
      forward: { listen: ['127.0.0.1'], sshPorts: `${port}` },
      hosts: [hostAt('a', { ssh: { targetPort } })],
      reservedPorts: [],
    },
    cleanup.context,
  );
  cleanup.use(forward);
  return { forward, port };
}

/** Resolves when the echo has come back: the connection is open all the way. */
async function exchange(socket: Socket, bytes: Buffer): Promise<void> {
  let left = bytes.length;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const closed = () => reject(new Error('closed'));
  const take = (chunk: Buffer) => {
    left -= chunk.length;
    if (left <= 0) resolve();
  };
  socket.on('data', take).once('close', closed);
  socket.write(bytes);
  await promise;
  socket.off('data', take).off('close', closed);
}

test(`${CONNECTIONS} of ${CONNECTIONS} connections with data in flight finish`, async () => {
  await using cleanup = new Cleanup();
  const { forward, port } = await forwardToEcho(cleanup);
  const clients: Socket[] = [];
  for (let i = 0; i < CONNECTIONS; i++) clients.push(await cleanup.connect(port));
  await Promise.all(clients.map((client, i) => exchange(client, patternBytes(1000, i))));
  // Each tenth has 1 MB on its way, the others have yet to say what they want.
  const isEarly = (i: number) => i % 10 === 0;
  const sent = clients.map((_, i) => patternBytes(isEarly(i) ? 1_000_000 : 20_000, i));
  const received = clients.map((client, i) => {
    if (isEarly(i)) client.end(sent[i]);
    return receive(client);
  });
  let isDrained = false;
  const drained = forward.drain!(new AbortController().signal).then(() => (isDrained = true));
  await Promise.all(received.filter((_, i) => isEarly(i)));
  assert.ok(!isDrained, 'the others are still open');
  clients.forEach((client, i) => !isEarly(i) && client.end(sent[i]));
  const results = await Promise.all(received);
  const whole = results.filter(({ bytes, ended }, i) => ended === 'end' && sha(bytes) === sha(sent[i]));
  assert.equal(whole.length, CONNECTIONS);
  await drained;
});

test('who waits in the queue of the kernel is served, who comes later is not admitted', async () => {
  await using cleanup = new Cleanup();
  const { forward, port } = await forwardToEcho(cleanup);
  const holder = await cleanup.connect(port);
  await exchange(holder, Buffer.from('x'));
  // While its worker is replaced, nobody accepts; the kernel takes the connections all the same.
  forward.failWorker();
  await waitUntil('the worker died', () => forward.status().state === 'degraded', { timeoutMs: PATIENCE_MS });
  const waiting = await Promise.all(Array.from({ length: 50 }, () => cleanup.connect(port)));
  const drained = forward.drain!(new AbortController().signal);
  const late = cleanup.open(port);
  let isAdmitted = false;
  late.once('connect', () => (isAdmitted = true));
  await Promise.all(waiting.map((client, i) => exchange(client, patternBytes(100, i))));
  assert.ok(!isAdmitted, 'its connection request meets silence');
  waiting.forEach((client) => client.end());
  await drained;
  await forward[Symbol.asyncDispose]();
  // Repeated by the kernel of the client, after a second, the request meets a closed port.
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
});

test('at the limit what is left is cut, however much its client talks', async () => {
  await using cleanup = new Cleanup();
  const { forward, port } = await forwardToEcho(cleanup);
  const hostile = await cleanup.connect(port);
  await exchange(hostile, Buffer.from('x'));
  const ended = receive(hostile);
  const limit = new AbortController();
  let isDrained = false;
  const drained = forward.drain!(limit.signal).then(() => (isDrained = true));
  await exchange(hostile, Buffer.from('still here'));
  assert.ok(!isDrained);
  limit.abort();
  await drained;
  await exchange(hostile, Buffer.from('the worker is still there'));
  await forward[Symbol.asyncDispose]();
  assert.match((await ended).ended, /end|ECONNRESET|close/);
});
