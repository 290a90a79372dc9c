/** The drain of a TCP service: open connections finish, waiting ones are served, new ones are not accepted. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { startForward } from '../../../src/services/forward/service.ts';
import { Cleanup, LIMITS, freePort, hostAt, patternBytes, receive } from './support.ts';
import { waitUntil } from '../../../lab/wait.ts';

const CONNECTIONS = 300;
const PATIENCE_MS = 60_000;
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function forwardToEcho(cleanup: Cleanup) {
  const targetPort = await cleanup.listen((socket) => void socket.pipe(socket));
  const port = await freePort();
  const forward = await startForward(
    {
      forward: { listen: ['127.0.0.1'], sshPorts: `${port}`, limits: LIMITS },
      hosts: [hostAt('a', { ssh: { targetPort } })],
      reservedPorts: [],
    },
    cleanup.context,
  );
  cleanup.use(forward);
  return { forward, port };
}

/** Resolves when the echo has come back: the whole path is open. */
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
  // Each tenth client is sending 1 MB, the others have not yet sent their data.
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

test("clients in the kernel's queue are served, later clients are not admitted", async () => {
  await using cleanup = new Cleanup();
  const { forward, port } = await forwardToEcho(cleanup);
  const holder = await cleanup.connect(port);
  await exchange(holder, Buffer.from('x'));
  // While the worker is being replaced, nothing calls accept; the kernel completes the connections nevertheless.
  forward.failWorker();
  await waitUntil('the worker died', () => forward.status().state === 'degraded', { timeoutMs: PATIENCE_MS });
  const waiting = await Promise.all(Array.from({ length: 50 }, () => cleanup.connect(port)));
  const drained = forward.drain!(new AbortController().signal);
  const late = cleanup.open(port);
  let isAdmitted = false;
  late.once('connect', () => (isAdmitted = true));
  await Promise.all(waiting.map((client, i) => exchange(client, patternBytes(100, i))));
  assert.ok(!isAdmitted, 'its SYN gets no answer');
  waiting.forEach((client) => client.end());
  await drained;
  await forward[Symbol.asyncDispose]();
  // The client's kernel repeats the SYN after a second; by then the port is closed.
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED');
});

test('at the limit the remaining connections are cut, however much their clients send', async () => {
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
