import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { HostConfig } from '../../../../src/config/schema.ts';
import { PAUSE_MS } from '../../../../src/net/acceptor.ts';
import { type ForwardOptions, startForward } from '../../../../src/services/forward/service.ts';
import { Cleanup, LIMITS, freePort, hostAt, receive } from '../../net/support.ts';
import { waitUntil } from '../../../../lab/wait.ts';

const optionsOf = (sshPorts: string, hosts: readonly HostConfig[]): ForwardOptions => ({
  forward: { listen: ['127.0.0.1'], sshPorts, limits: LIMITS },
  hosts,
  reservedPorts: [],
});

/** Three consecutive free ports. */
async function freeRange(): Promise<[number, string]> {
  for (;;) {
    const first = await freePort();
    const probes = [first, first + 1, first + 2].map((port) => createServer().listen(port, '127.0.0.1'));
    const free = await Promise.all(
      probes.map((probe) =>
        once(probe, 'listening').then(
          () => true,
          () => false,
        ),
      ),
    );
    await Promise.all(probes.map((probe, i) => (free[i] ? once(probe.close(), 'close') : undefined)));
    if (free.every(Boolean)) return [first, `${first}-${first + 2}`];
  }
}

/** Counts epoll instances: one of them stands for a worker and all that it holds. Node's own threads have a constant number. */
const epollInstances = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('eventpoll');
    } catch {
      return false; // closed in the meantime
    }
  }).length;

async function ask(cleanup: Cleanup, port: number): Promise<string> {
  return (await receive(await cleanup.connect(port))).bytes.toString();
}

const sshTo = (name: string, targetPort: number) => hostAt(name, { ssh: { targetPort } });

test('each server has its port, kept in the state directory across restarts', async () => {
  await using cleanup = new Cleanup();
  const a = await cleanup.listen((socket) => socket.end('server a'));
  const b = await cleanup.listen((socket) => socket.end('server b'));
  const [first, range] = await freeRange();
  {
    await using forward = await startForward(
      optionsOf(range, [sshTo('a', a), sshTo('b', b)]),
      cleanup.context,
    );
    assert.deepEqual(forward.sshPorts(), { a: first, b: first + 1 });
    assert.equal(await ask(cleanup, first), 'server a');
    assert.equal(await ask(cleanup, first + 1), 'server b');
  }
  await assert.rejects(cleanup.connect(first), { code: 'ECONNREFUSED' });
  await using forward = await startForward(optionsOf(range, [sshTo('b', b)]), cleanup.context);
  assert.deepEqual(forward.sshPorts(), { b: first + 1 });
  assert.deepEqual(readdirSync(cleanup.stateDirectory), ['ssh-ports.json']);
  assert.equal(forward.status().state, 'running');
});

test('a corrupt state file is moved aside, and the allotment starts anew', async () => {
  await using cleanup = new Cleanup();
  const target = await cleanup.listen((socket) => socket.end('a'));
  const [first, range] = await freeRange();
  const path = join(cleanup.stateDirectory, 'ssh-ports.json');
  const texts = [
    '{"version":1,"ports":{"a":{"port":70000}}}',
    '{"version":',
    'null',
    '{"version":2,"ports":{}}',
  ];
  for (const [index, text] of texts.entries()) {
    writeFileSync(path, text);
    await using forward = await startForward(optionsOf(range, [sshTo('a', target)]), cleanup.context);
    assert.deepEqual(forward.sshPorts(), { a: first });
    assert.equal(readFileSync(`${path}.damaged-${index + 1}`, 'utf8'), text);
    assert.ok(existsSync(path));
  }
});

test('reconfiguring leaves connections alone, opens and closes only changed ports', async () => {
  await using cleanup = new Cleanup();
  const echo = await cleanup.listen((socket) => void socket.pipe(socket));
  const [first, range] = await freeRange();
  const forward = cleanup.use(await startForward(optionsOf(range, [sshTo('a', echo)]), cleanup.context));
  const client = await cleanup.connect(first);
  client.write('one');
  await once(client, 'data');
  await forward.reconfigure(optionsOf(range, [sshTo('b', echo)]));
  assert.deepEqual(forward.sshPorts(), { b: first + 1 });
  await assert.rejects(cleanup.connect(first), { code: 'ECONNREFUSED' });
  client.write('two');
  assert.equal(String((await once(client, 'data'))[0]), 'two');
  assert.equal(forward.status().figures['listeners'], 1);
});

test('a change to a port in use names it and leaves the old state active', async () => {
  await using cleanup = new Cleanup();
  const target = await cleanup.listen((socket) => socket.end('a'));
  const [first, range] = await freeRange();
  const squatter = createServer().listen(first + 1, '127.0.0.1');
  cleanup.defer(() => void squatter.close());
  await once(squatter, 'listening');
  const both = optionsOf(range, [sshTo('a', target), sshTo('b', target)]);
  const expected = {
    code: 'EADDRINUSE',
    message: `listener "b": listen on 127.0.0.1:${first + 1}: EADDRINUSE`,
  };
  const forward = cleanup.use(await startForward(optionsOf(range, [sshTo('a', target)]), cleanup.context));
  await assert.rejects(forward.reconfigure(both), expected);
  assert.deepEqual(forward.sshPorts(), { a: first });
  assert.equal(await ask(cleanup, first), 'a');
});

test('who is not in the access list, or comes during maintenance, gets a reset; each is counted', async () => {
  await using cleanup = new Cleanup();
  const target = await cleanup.listen((socket) => socket.end('hello'));
  const [first, range] = await freeRange();
  const optionsFor = (fields: Partial<HostConfig>) =>
    optionsOf(range, [{ ...sshTo('a', target), ...fields }]);
  const forward = cleanup.use(await startForward(optionsFor({ maintenance: true }), cleanup.context));
  const refused = async () => (await receive(cleanup.open(first))).ended;
  assert.equal(await refused(), 'ECONNRESET');
  await forward.reconfigure(optionsFor({ allow: ['198.51.100.0/24'] }));
  assert.equal(await refused(), 'ECONNRESET');
  const { 'refused-maintenance': maintenance, 'refused-not-allowed': notAllowed } = forward.counters();
  assert.deepEqual([maintenance, notAllowed], [1, 1]);
  await waitUntil('none is open', () => forward.status().figures['connections'] === 0);
  await forward.reconfigure(optionsFor({ allow: ['lan'] }));
  assert.equal(await ask(cleanup, first), 'hello');
});

test('a server that is switched off keeps its port, which is closed', async () => {
  await using cleanup = new Cleanup();
  const target = await cleanup.listen((socket) => socket.end('hello'));
  const [first, range] = await freeRange();
  const off = { ...sshTo('a', target), enabled: false };
  const forward = cleanup.use(
    await startForward(optionsOf(range, [off, sshTo('b', target)]), cleanup.context),
  );
  assert.deepEqual(forward.sshPorts(), { a: first, b: first + 1 });
  await assert.rejects(cleanup.connect(first), { code: 'ECONNREFUSED' });
  await forward.reconfigure(optionsOf(range, [sshTo('a', target), sshTo('b', target)]));
  assert.equal(await ask(cleanup, first), 'hello');
});

test('no server: nothing listens, and the service reports that it is disabled', async () => {
  await using cleanup = new Cleanup();
  const forward = cleanup.use(await startForward(optionsOf('22001-22999', [hostAt('a')]), cleanup.context));
  assert.equal(forward.status().state, 'disabled');
  assert.deepEqual(forward.sshPorts(), {});
});

/** A forwarder in its own process with at most 160 descriptors, which allows 8 connections. */
async function startLimited(cleanup: Cleanup) {
  const target = await cleanup.listen((socket) => void socket.write('hi'));
  const port = await freePort();
  const child = spawn(
    '/bin/sh',
    [
      '-c',
      'ulimit -n 160; exec "$0" "$@"',
      process.execPath,
      join(import.meta.dirname, 'exhaustion-child.ts'),
      `${port}`,
      `${target}`,
      cleanup.stateDirectory,
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  cleanup.defer(() => void child.kill('SIGKILL'));
  const request = async (what: string) => {
    child.send(what);
    return (await once(child, 'message'))[0] as { counters: Record<string, number> };
  };
  await once(child, 'message');
  return { port, request };
}

test('without descriptors accepting pauses, costs no CPU, and continues when there are some', async () => {
  await using cleanup = new Cleanup();
  const { port, request } = await startLimited(cleanup);
  await request('exhaust');
  const client = connect(port, '127.0.0.1');
  cleanup.defer(() => void client.destroy());
  const greeted = once(client, 'data');
  await waitUntil(
    'accepting has paused',
    async () => (await request('report')).counters['accept-paused-descriptors'] > 0,
  );
  const before = await request('report');
  const startedMs = performance.now();
  const tries = async () =>
    (await request('report')).counters['accept-paused-descriptors'] -
    before.counters['accept-paused-descriptors'];
  await waitUntil('accepting has been retried several times', async () => (await tries()) >= 5);
  const [tried, elapsedMs] = [await tries(), performance.now() - startedMs];
  // Retried on a timer, not in a busy loop.
  assert.ok(tried <= elapsedMs / PAUSE_MS + 2, `${tried} tries in ${elapsedMs} ms`);
  await request('relieve');
  assert.equal(String((await greeted)[0]), 'hi');
});

test('at the limit of connections, if no client has two, the next client waits until one ends', async () => {
  await using cleanup = new Cleanup();
  const { port, request } = await startLimited(cleanup);
  const from = (host: number) => cleanup.connect(port, { localAddress: `127.0.0.${host}` });
  const clients = await Promise.all(Array.from({ length: 8 }, (_, i) => from(i + 1)));
  await Promise.all(clients.map((client) => once(client, 'data')));
  const ninth = await from(9);
  const greeted = once(ninth, 'data');
  await waitUntil(
    'accepting has paused',
    async () => (await request('report')).counters['accept-paused-limit'] === 1,
  );
  assert.equal((await request('report')).counters['accepted'], 8);
  clients[0].resetAndDestroy();
  assert.equal(String((await greeted)[0]), 'hi');
});

test('one client has all connections: others get theirs, and it gets no more', async () => {
  await using cleanup = new Cleanup();
  const { port, request } = await startLimited(cleanup);
  const from = (host: number) => cleanup.connect(port, { localAddress: `127.0.0.${host}` });
  const greedy = await Promise.all(Array.from({ length: 8 }, () => from(1)));
  await Promise.all(greedy.map((client) => once(client, 'data')));
  for (const host of [2, 3, 4, 4]) {
    const client = await from(host);
    assert.equal(String((await once(client, 'data'))[0]), 'hi', `client ${host}`);
    // The ninth connection of the greedy client is refused, and cuts no other.
    const refused = await receive(cleanup.open(port, { localAddress: '127.0.0.1' }));
    assert.equal(refused.bytes.length, 0);
    assert.equal(client.destroyed, false);
  }
  const { counters } = await request('report');
  assert.deepEqual([counters.displaced, counters['refused-share']], [4, 4]);
  await waitUntil('half of them have ended', () => greedy.filter((client) => !client.destroyed).length === 4);
});

test('the worker dies: connections end, new ones are served, no descriptor is left', async () => {
  await using cleanup = new Cleanup();
  const target = await cleanup.listen((socket) => void socket.write('hi'));
  const [first, range] = await freeRange();
  const forward = cleanup.use(await startForward(optionsOf(range, [sshTo('a', target)]), cleanup.context));
  const client = await cleanup.connect(first);
  await once(client, 'data');
  const pollers = epollInstances();
  const ended = receive(client);
  forward.failWorker();
  await ended;
  assert.equal(String((await once(await cleanup.connect(first), 'data'))[0]), 'hi');
  await waitUntil(
    'it runs again',
    () => forward.status().restarts === 1 && forward.status().state === 'running',
  );
  assert.ok(epollInstances() <= pollers);
  assert.equal(forward.status().figures['connections'], 1);
});
