/** The share of each server in the connections: a dead one takes nothing that another one needs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EPOLLOUT } from '../../../src/os/libc.ts';
import {
  createAdmission,
  enter,
  holdsSlot,
  leave,
  nextDisplaced,
  takesPlace,
} from '../../../src/net/admission.ts';
import {
  SERVER,
  attachAdmission,
  createAdmissionSeed,
  forgetWorker,
} from '../../../src/net/admission-memory.ts';
import { clientAt } from '../../../src/net/client.ts';
import { type Connection, Phase, createConnection } from '../../../src/net/connection.ts';
import { mayDial, onDialEvents } from '../../../src/net/dialling.ts';
import { MORE, RESET } from '../../../src/net/gate.ts';
import { readHolders } from '../../../src/net/holders.ts';
import { HOST, STRIDE } from '../../../src/net/host-slots.ts';
import type { Loop } from '../../../src/net/loop.ts';
import { serverSum } from '../../../src/net/server-counts.ts';
import { endDialling, enterServer, exitServer, isWithinServerShare } from '../../../src/net/server-shares.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { type TestLoop, createTestLoop, gateOf, judging } from './loop.ts';
import { LIMITS } from './support.ts';

const CONNECTIONS = 20;

/** A loop for 20 connections with three servers. `figures`: open and dialling, for web1 and web2. */
async function worldOf(limits: object = {}) {
  const world = await createTestLoop(CONNECTIONS);
  const { hosts } = world.loop;
  hosts.assign({ web1: 1, web2: 2, web3: 3 });
  world.loop.limits = { ...LIMITS, ...limits };
  const gateTo = (server: string) => gateOf({ route: { ...world.route, server }, serverFailed: () => RESET });
  const figures = (slot: number) => [
    hosts.values[slot * STRIDE + HOST.OPEN],
    hosts.values[slot * STRIDE + HOST.DIALLING],
  ];
  let clients = 0;
  /** Connections of different clients to the server, which accepts none of them. */
  const dial = (server: string, count: number) =>
    Array.from(
      { length: count },
      () => world.arrive(gateTo(server), `198.51.100.${++clients}`).connection,
    ).filter((connection) => connection?.phase === Phase.dialing).length;
  return { world, dial, figures, gateTo };
}

const refusedAt = ({ loop }: TestLoop) => loop.values[loop.index['refused-server-share']];

describe('connections of different clients', () => {
  test('a server that does not accept gets no more when little is left; another one has its part', async () => {
    const { world, dial, figures } = await worldOf();
    using _ = world;
    // 16 of 20: 15 others are less than 4 times 4 that are left, 16 are not less than 4 times 3.
    assert.equal(dial('web1', 100), 16);
    assert.deepEqual(figures(1), [16, 16]);
    assert.equal(refusedAt(world), 84);
    assert.equal(dial('web2', 3), 3);
    assert.deepEqual(figures(2), [3, 3]);
    world.loop.closer.turn(0);
    assert.equal(world.loop.open, 19);
  });

  test('its part is always there for a server, also at the limit', async () => {
    const { world, dial, figures } = await worldOf();
    using _ = world;
    dial('web1', 100);
    assert.equal(dial('web2', 4), 4);
    assert.deepEqual(figures(2), [4, 4]);
    assert.equal(world.loop.open, CONNECTIONS);
  });

  test('one server alone may have all', async () => {
    const { world, dial, figures } = await worldOf();
    using _ = world;
    world.loop.hosts.assign({ web1: 1 });
    assert.equal(dial('web1', CONNECTIONS), CONNECTIONS);
    assert.deepEqual(figures(1), [CONNECTIONS, CONNECTIONS]);
  });

  test('the configured limit holds for each server', async () => {
    const { world, dial, figures } = await worldOf({ connectionsPerServer: 2 });
    using _ = world;
    assert.deepEqual([dial('web1', 5), dial('web2', 5)], [2, 2]);
    assert.deepEqual(figures(1), [2, 2]);
    assert.equal(refusedAt(world), 6);
  });

  test('a server that accepts them has more: they are no attempts any more', async () => {
    const { world, dial, figures, gateTo } = await worldOf();
    using _ = world;
    for (let i = 1; i <= 17; i++) {
      const { connection } = world.arrive(gateTo('web1'), `192.0.2.${i}`);
      await world.serve();
      onDialEvents(world.loop, connection!, EPOLLOUT);
    }
    assert.deepEqual(figures(1), [17, 0]);
    assert.equal(refusedAt(world), 0);
    // 17 are less than 16 times 2 that are left, 18 are not less than 16 times 1.
    assert.equal(dial('web1', 2), 1);
    assert.deepEqual(figures(1), [18, 1]);
  });

  test('a kept one reaches its server again, whatever is left', async () => {
    const { world, figures, gateTo } = await worldOf();
    using _ = world;
    const { loop } = world;
    const kept: Connection[] = [];
    for (let i = 1; i <= 18; i++) {
      const { connection } = world.arrive(gateTo('web1'), `192.0.2.${i}`);
      await world.serve();
      onDialEvents(loop, connection!, EPOLLOUT);
      kept.push(connection!);
    }
    assert.equal(loop.admission.memory.all.usedSlots, 18);
    // A new one is one too many: 18 are not less than 16 times 1. Of the kept ones, 16 (4/5 of 20) may wait for the server.
    world.arrive(gateTo('web2'), '198.51.100.1');
    assert.equal(isWithinServerShare(loop, { ...kept[0], opened: false }), false);
    assert.equal(kept.filter((connection) => mayDial(loop, connection)).length, 16);
    assert.deepEqual(figures(1), [18, 16]);
    for (const connection of kept) endDialling(loop, connection);
    assert.ok(mayDial(loop, kept[17]));
  });
});

test('at the share of a server, a client with few takes the place of one with many of the same server', async () => {
  const { world, figures, gateTo } = await worldOf({ connectionsPerServer: 4 });
  using _ = world;
  const greedy = Array.from({ length: 4 }, () => world.arrive(gateTo('web1'), '192.0.2.1').connection!);
  assert.equal(world.arrive(gateTo('web1'), '192.0.2.1').connection?.phase ?? Phase.closed, Phase.closed);
  assert.equal(world.arrive(gateTo('web1'), '192.0.2.2').connection!.phase, Phase.dialing);
  assert.equal(greedy.filter(({ phase }) => phase === Phase.closed).length, 1);
  assert.deepEqual(figures(1), [4, 4]);
  const { refused } = readHolders(world.loop.holders.values.buffer as SharedArrayBuffer);
  assert.deepEqual(
    refused.map(({ client, count }) => [client, count]),
    [['192.0.2.1', 2]],
  );
  // Of another server nothing is taken.
  for (let i = 0; i < 4; i++) world.arrive(gateTo('web2'), `198.51.100.${i}`);
  world.arrive(gateTo('web2'), '203.0.113.1');
  assert.deepEqual(
    [figures(1), figures(2)],
    [
      [4, 4],
      [4, 4],
    ],
  );
});

describe('a client that has nearly all connections', () => {
  /** 15 of 20 connections are of one client; then web1 gets 8 different clients, which is more than its part. */
  async function besides(greedy: 'silent' | 'web2') {
    const { world, dial, figures, gateTo } = await worldOf();
    const gate = greedy === 'silent' ? judging(() => MORE) : gateTo(greedy);
    for (let i = 0; i < 15; i++) world.arrive(gate, '192.0.2.1');
    const reached = dial('web1', 8);
    return { world, reached, figures };
  }

  for (const greedy of ['silent', 'web2'] as const) {
    test(`${greedy}: it loses some for the clients of a server that has its part already`, async () => {
      const { world, reached, figures } = await besides(greedy);
      using _ = world;
      assert.equal(reached, 8);
      assert.deepEqual(figures(1), [8, 8]);
      assert.equal(refusedAt(world), 0);
      assert.ok(world.counted()['displaced'] > 0);
    });
  }

  test('of a server that has fewer nothing is taken', async () => {
    const { world, dial, figures, gateTo } = await worldOf();
    using _ = world;
    for (let i = 0; i < 4; i++) world.arrive(gateTo('web2'), '192.0.2.1');
    assert.equal(dial('web1', 100), 12);
    assert.deepEqual(
      [figures(1), figures(2)],
      [
        [12, 12],
        [4, 4],
      ],
    );
  });
});

test('the limit for a client, and the limit for all', async () => {
  const { world, gateTo } = await worldOf({ connectionsPerClient: 3 });
  using _ = world;
  world.loop.hosts.assign({ web1: 1 });
  for (let i = 0; i < 5; i++) world.arrive(gateTo('web1'), '192.0.2.1');
  assert.equal(world.loop.open, 3);
  world.loop.admission.maxConnections = 4;
  for (let i = 0; i < 5; i++) world.arrive(gateTo('web1'), '192.0.2.2');
  assert.equal(world.loop.open, 4);
  const counted = world.counted();
  assert.equal(counted['refused-client-limit'], 2);
  assert.equal(counted['displaced'], 1);
  assert.equal(counted['refused-share'], 3);
  assert.deepEqual(
    world.events.filter((event) => event.startsWith('limited')),
    [
      'limited refused-client-limit',
      'limited refused-client-limit',
      'limited refused-share',
      'limited refused-share',
      'limited refused-share',
    ],
  );
});

test('the limit of new connections in a second', async () => {
  const { world, gateTo } = await worldOf({ newConnectionsPerSecondPerClient: 2 });
  using _ = world;
  for (let i = 0; i < 5; i++) world.arrive(gateTo('web1'), '192.0.2.1');
  assert.equal(world.loop.open, 2);
  world.loop.nowMs = 1000;
  for (let i = 0; i < 5; i++) world.arrive(gateTo('web1'), '192.0.2.1');
  assert.equal(world.loop.open, 4);
  assert.equal(world.counted()['refused-rate'], 6);
});

test('two workers count together: one takes a place from the other, of the same server', () => {
  const memory = attachAdmission(createAdmissionSeed(CONNECTIONS, 1));
  const workers = [createAdmission(memory, 1, true), createAdmission(memory, 2, true)];
  const limits = { ...LIMITS, connectionsPerServer: 4 };
  const gate = gateOf({});
  let slots = 0;
  /** A connection of the worker to the server with this number. */
  const connect = (worker: number, from: string, server: number): Connection => {
    const connection = createConnection(gate, 10 + slots++, 0);
    assert.ok(enter(workers[worker], connection, clientAt(parseIpAddress(from)!), 0));
    connection.hostAt = server * STRIDE;
    enterServer(workers[worker], connection);
    return connection;
  };
  const within = (worker: number, connection: Connection) =>
    isWithinServerShare(
      { hosts: { servers: 3 }, admission: workers[worker], limits } as unknown as Loop,
      connection,
    );
  const greedy = [0, 0, 1, 1].map((worker) => connect(worker, '192.0.2.1', 1));
  assert.ok(within(1, greedy[3]));
  const elsewhere = connect(0, '192.0.2.2', 2);
  assert.ok(within(0, elsewhere));
  const newcomer = connect(1, '192.0.2.3', 1);
  assert.equal(serverSum(workers[1], STRIDE, SERVER.OPEN), 5);
  assert.equal(within(1, newcomer), false);
  assert.equal(takesPlace(workers[1], newcomer, limits, 0), true);
  // The first one of the greedy client is with the other worker, which closes it when the bell rings.
  assert.equal(workers[1].displaced, undefined);
  assert.equal(nextDisplaced(workers[0]), greedy[0]);
  assert.equal(workers[1].loser.word3 | 0, 0xc000_0201 | 0);
  exitServer(workers[0], greedy[0]);
  leave(workers[0], greedy[0]);
  assert.equal(serverSum(workers[0], STRIDE, SERVER.OPEN), 4);
  assert.equal(holdsSlot(workers[1], newcomer), true);
  // A worker that dies takes its numbers along.
  forgetWorker(memory, 1);
  assert.equal(serverSum(workers[1], STRIDE, SERVER.OPEN), 3);
  assert.equal(memory.all.usedSlots, 3);
});
