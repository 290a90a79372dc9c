/** A TCP service with several workers: how connections are divided, what a dead worker takes with it, and changes of their number. */
import assert from 'node:assert/strict';
import { readFileSync, readlinkSync, readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { workersFor } from '../../../src/net/workers-that-fit.ts';
import { type TcpPlane, startTcpPlane } from '../../../src/net/tcp-plane.ts';
import { shutdown } from '../../../src/os/libc.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { forwardCounterTable } from '../../../src/services/forward/counters.ts';
import { planForward } from '../../../src/services/forward/service.ts';
import type { ForwardWorkerConfig } from '../../../src/services/forward/worker.ts';
import { waitUntil } from '../../../lab/wait.ts';
import { Cleanup, LIMITS, NOBODY, freePort, hostAt, receive } from './support.ts';

const PATIENCE = { timeoutMs: 60_000 };

interface World {
  readonly cleanup: Cleanup;
  readonly plane: TcpPlane<ForwardWorkerConfig>;
  readonly port: number;
  /** Applies the plan with this number of workers. */
  setWorkers(workers: number): Promise<void>;
  figures(): Readonly<Record<string, unknown>>;
}

/** An echo server behind a port. */
async function start(cleanup: Cleanup, workers: number, maxConnections = 4096): Promise<World> {
  const targetPort = await cleanup.listen((socket) => void socket.pipe(socket));
  const port = await freePort();
  const options = {
    forward: { listen: ['127.0.0.1'], sshPorts: `${port}`, limits: LIMITS },
    hosts: [hostAt('a', { ssh: { targetPort } })],
    reservedPorts: [],
  };
  const { plan } = planForward(options, {}, []);
  const plane = cleanup.use(
    await startTcpPlane<ForwardWorkerConfig, typeof forwardCounterTable>(
      {
        name: 'forward',
        entry: new URL('../../../src/services/forward/worker.ts', import.meta.url),
        counterTable: forwardCounterTable,
        maxConnections,
        descriptorShare: 1,
        log: silentLog,
        ourselves: NOBODY,
      },
      { ...plan, workers },
    ),
  );
  return {
    cleanup,
    plane,
    port,
    setWorkers: (workers) => plane.apply({ ...plan, workers }),
    figures: () => plane.status().figures,
  };
}

/** Resolves with true when the echo has come back; false if the connection has ended. */
function echoes(socket: Socket): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  if (socket.destroyed || socket.readableEnded) return Promise.resolve(false);
  const end = () => resolve(false);
  socket
    .once('data', () => resolve(true))
    .once('close', end)
    .once('end', end);
  socket.write('x');
  return promise.finally(() => socket.off('close', end).off('end', end));
}

async function openMany({ cleanup, port }: World, count: number, localAddress = '127.0.0.1') {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = await cleanup.connect(port, { localAddress });
    assert.ok(await echoes(socket));
    sockets.push(socket);
  }
  return sockets;
}

const countTrue = (values: readonly boolean[]) => values.filter((each) => each).length;

test('two workers have the same number of idle connections; one dies: only its own end, and all others are served', async () => {
  await using cleanup = new Cleanup();
  const world = await start(cleanup, 2);
  const { plane, figures } = world;
  const sockets = await openMany(world, 60);
  assert.deepEqual([figures()['workers'], plane.hosts()['a'].connections], [2, 60]);
  await waitUntil('all are counted', () => figures()['connections'] === 60, PATIENCE);
  plane.failWorker(2);
  await waitUntil('it died', () => plane.status().restarts === 1, PATIENCE);
  const kept = countTrue(await Promise.all(sockets.map(echoes)));
  assert.ok(kept >= 20 && kept <= 40, `${kept} of 60 are left`);
  // The first worker takes new clients at once, and knows nothing of the second one.
  assert.ok(await echoes(await cleanup.connect(world.port)));
  await waitUntil('it runs again', () => plane.status().state === 'running', PATIENCE);
  await waitUntil('only these are counted', () => plane.hosts()['a'].connections === kept + 1, PATIENCE);
  assert.equal(plane.limits()[0].used, kept + 1);
  plane.failWorker(1);
  await waitUntil('the first one died', () => plane.status().restarts === 2, PATIENCE);
  assert.ok(await echoes(await cleanup.connect(world.port)));
  assert.equal(plane.counters()['accepted'], 62);
});

test('the limit counts the connections of all workers, and the greediest client loses its own on any of them', async () => {
  await using cleanup = new Cleanup();
  const world = await start(cleanup, 2, 20);
  const greedy = await openMany(world, 20, '127.0.0.66');
  await receive(cleanup.open(world.port, { localAddress: '127.0.0.66' }));
  assert.equal(world.plane.counters()['refused-share'], 1);
  for (let i = 2; i < 10; i++) await openMany(world, 1, `127.0.0.${i}`);
  assert.equal(world.plane.counters()['displaced'], 8);
  await waitUntil('the displaced ones are closed', () => world.figures()['connections'] === 20, PATIENCE);
  await waitUntil(
    'the rest is open',
    async () => countTrue(await Promise.all(greedy.map(echoes))) === 12,
    PATIENCE,
  );
});

test('1, 4, 2, 1 workers while clients come and go: none is refused, and no connection is lost', async () => {
  await using cleanup = new Cleanup();
  const world = await start(cleanup, 1);
  let isOver = false;
  let served = 0;
  const come = async () => {
    while (!isOver) {
      const socket = await cleanup.connect(world.port);
      assert.ok(await echoes(socket));
      served++;
      socket.end();
      assert.equal((await receive(socket)).ended, 'end');
    }
  };
  const clients = Promise.all(Array.from({ length: 8 }, come));
  const kept = await openMany(world, 10);
  for (const workers of [4, 2, 1, 3, 1]) {
    await world.setWorkers(workers);
    assert.equal(world.figures()['workers'], workers);
    const before = served;
    await waitUntil('clients are served', () => served > before + 50, PATIENCE);
    kept.push(...(await openMany(world, 10)));
    assert.equal(countTrue(await Promise.all(kept.map(echoes))), kept.length, `with ${workers}`);
  }
  isOver = true;
  await clients;
  await waitUntil(
    'only the kept ones are open',
    () => world.figures()['connections'] === kept.length,
    PATIENCE,
  );
  assert.ok(threadCount() > 0, 'threads that have connections still run');
  kept.forEach((socket) => socket.end());
  await waitUntil('threads without connections end', () => threadCount() === 0, PATIENCE);
  assert.equal(world.plane.status().restarts, 0);
  assert.deepEqual(
    ['closed-reset', 'refused-share', 'accept-failed'].map((name) => world.plane.counters()[name]),
    [0, 0, 0],
  );
  assert.ok(await echoes(await cleanup.connect(world.port)));
});

/** Threads of further workers: the kernel has their names. */
const threadCount = () =>
  readdirSync('/proc/self/task').filter((task) => {
    try {
      return /^forward \d/.test(readFileSync(`/proc/self/task/${task}/comm`, 'latin1'));
    } catch {
      return false;
    }
  }).length;

test('a drain ends with the last connection of the last worker', async () => {
  await using cleanup = new Cleanup();
  const world = await start(cleanup, 3);
  const sockets = await openMany(world, 12);
  let isDrained = false;
  const drained = world.plane.drain(new AbortController().signal).then(() => (isDrained = true));
  for (const socket of sockets.slice(1)) socket.end();
  await waitUntil('one is open', () => world.figures()['connections'] === 1, PATIENCE);
  assert.ok(!isDrained && (await echoes(sockets[0])));
  sockets[0].end();
  await drained;
  assert.equal(world.figures()['connections'], 0);
});

test('a listening socket that was closed from outside is opened again once, for all workers', async () => {
  await using cleanup = new Cleanup();
  const world = await start(cleanup, 3);
  const kept = await openMany(world, 3);
  for (let i = 0; i < 3; i++) {
    shutdown(listeningAt(world.port), 2);
    await waitUntil(
      'clients are served',
      async () => {
        const socket = cleanup.open(world.port);
        return await echoes(socket);
      },
      PATIENCE,
    );
  }
  await openMany(world, 9);
  assert.equal(countTrue(await Promise.all(kept.map(echoes))), 3);
  assert.equal(world.plane.status().state, 'running');
});

/** Our descriptor that listens on this port. */
function listeningAt(port: number): number {
  const wanted = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A`;
  const line = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .find((each) => each.includes(wanted));
  if (line === undefined) throw new Error(`nobody listens on ${port}`);
  const inode = line.trim().split(/\s+/)[9];
  return Number(
    readdirSync('/proc/self/fd').find((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === `socket:[${inode}]`;
      } catch {
        return false;
      }
    }),
  );
}

test('how many workers fit: by cores, and by memory', () => {
  const GIB = 2 ** 30;
  for (const [cores, gib, workers] of [
    [4, 0.93, 1],
    [4, 1.9, 3],
    [4, 8, 4],
    [1, 8, 1],
    [2, 0.25, 1],
    [64, 256, 8],
  ])
    assert.equal(workersFor(cores, gib * GIB), workers, `${cores} cores, ${gib} GiB`);
});
