/** Which of several addresses of a server is dialled: the choice alone, then connections that move from one to the next. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Connection, Phase } from '../../../src/net/connection.ts';
import { scanDeadlines } from '../../../src/net/deadlines.ts';
import { ATTEMPT_MS, giveUpSlow, onDialEvents } from '../../../src/net/dialling.ts';
import { RESET, type Route } from '../../../src/net/gate.ts';
import {
  ASIDE_MS,
  createFailingAddresses,
  createServerAddresses,
  hasAnother,
  pickAddress,
  putAside,
  putBack,
} from '../../../src/net/server-addresses.ts';
import { waitUntil } from '../../../lab/wait.ts';
import { EPOLLERR, EPOLLOUT } from '../../../src/os/libc.ts';
import { type TestLoop, createTestLoop, gateOf } from './loop.ts';

const three = [1, 2, 3].map((value) => Uint8Array.of(value));

describe('the choice', () => {
  test('in order: the first that is not put aside; what is put aside comes last', () => {
    const addresses = createServerAddresses(three, false);
    const order = (nowMs: number) => {
      const found: number[] = [];
      for (let tried = 0; tried !== 0b111; tried |= 1 << found.at(-1)!)
        found.push(pickAddress(addresses, tried, nowMs));
      return found;
    };
    assert.deepEqual(order(0), [0, 1, 2]);
    putAside(addresses, 0, 100);
    assert.deepEqual(order(101), [1, 2, 0]);
    assert.equal(pickAddress(addresses, 0b111, 101), -1);
  });

  test('after its time one connection tries it, and the others go elsewhere until it has answered', () => {
    const addresses = createServerAddresses(three, false);
    putAside(addresses, 0, 100);
    const later = 100 + ASIDE_MS;
    assert.equal(pickAddress(addresses, 0, later - 1), 1);
    assert.equal(pickAddress(addresses, 0, later), 0);
    assert.equal(pickAddress(addresses, 0, later), 1);
    putBack(addresses, 0);
    assert.equal(pickAddress(addresses, 0, later), 0);
  });

  test('in turn: each connection begins with the next one, whatever it tries after that', () => {
    const addresses = createServerAddresses(three, true);
    const starts = Array.from({ length: 4 }, () => pickAddress(addresses, 0, 0));
    assert.deepEqual(starts, [0, 1, 2, 0]);
    putAside(addresses, 1, 0);
    const others = Array.from({ length: 4 }, () => pickAddress(addresses, 0, 1));
    assert.deepEqual(others, [2, 0, 2, 0], 'the neighbour of one that is put aside does not serve for two');
  });

  test('the clock may wrap', () => {
    const addresses = createServerAddresses(three, false);
    putAside(addresses, 0, 0x7fff_fff0);
    assert.equal(pickAddress(addresses, 0, (0x7fff_fff0 + ASIDE_MS - 1) | 0), 1);
    assert.equal(pickAddress(addresses, 0, (0x7fff_fff0 + ASIDE_MS) | 0), 0);
  });
});

/** Which of three addresses connections begin with, and what is left for one that has tried the first. */
const HEALTH: readonly (readonly [
  title: string,
  failing: number,
  inOrder: number,
  inTurn: readonly number[],
  afterFirst: { readonly next: number; readonly hasAnother: boolean },
])[] = [
  ['all are well', 0b000, 0, [0, 1, 2, 0], { next: 1, hasAnother: true }],
  ['the first fails', 0b001, 1, [1, 2, 1, 2], { next: 1, hasAnother: true }],
  ['the second fails', 0b010, 0, [0, 2, 0, 2], { next: 2, hasAnother: true }],
  ['only the last is well', 0b011, 2, [2, 2, 2, 2], { next: 2, hasAnother: true }],
  // Refused by the well one, it tries the others nevertheless; but it does not leave a slow one for them.
  ['only the first is well', 0b110, 0, [0, 0, 0, 0], { next: 1, hasAnother: false }],
  ['all fail: the checks do not count', 0b111, 0, [0, 1, 2, 0], { next: 1, hasAnother: true }],
];

describe('the choice with health checks', () => {
  for (const [title, failing, inOrder, inTurn, afterFirst] of HEALTH)
    test(title, () => {
      const memory = createFailingAddresses();
      new Int32Array(memory)[0] = failing;
      const addresses = createServerAddresses(three, false, memory);
      assert.equal(pickAddress(addresses, 0, 0), inOrder);
      assert.equal(pickAddress(addresses, 0b001, 0), afterFirst.next);
      assert.equal(hasAnother(addresses, 0b001), afterFirst.hasAnother);
      assert.equal(hasAnother(addresses, 0b111), false);
      assert.equal(pickAddress(addresses, 0b111, 0), -1);
      const taking = createServerAddresses(three, true, memory);
      assert.deepEqual(
        inTurn.map(() => pickAddress(taking, 0, 0)),
        inTurn,
      );
    });

  test('one that is put aside goes before one that fails; the time does not bring back the latter', () => {
    const memory = createFailingAddresses();
    const addresses = createServerAddresses(three, false, memory);
    new Int32Array(memory)[0] = 0b001;
    putAside(addresses, 0, 0);
    putAside(addresses, 1, 0);
    putAside(addresses, 2, 0);
    assert.equal(pickAddress(addresses, 0, 1), 1);
    assert.equal(pickAddress(addresses, 0b110, 1), 0);
    assert.equal(pickAddress(addresses, 0, ASIDE_MS), 1);
    assert.equal(pickAddress(addresses, 0, ASIDE_MS), 2);
    new Int32Array(memory)[0] = 0;
    assert.equal(pickAddress(addresses, 0, ASIDE_MS), 0, 'the memory is read at each choice');
  });

  test('16 addresses', () => {
    const memory = createFailingAddresses();
    const addresses = createServerAddresses(
      Array.from({ length: 16 }, () => three[0]),
      false,
      memory,
    );
    new Int32Array(memory)[0] = 0x7fff;
    assert.equal(pickAddress(addresses, 0, 0), 15);
    new Int32Array(memory)[0] = 0xffff;
    assert.equal(pickAddress(addresses, 0, 0), 0);
  });
});

describe('connections', () => {
  /** A connection to a server with these addresses. */
  function dialling(world: TestLoop, ...routes: Route[]) {
    const all = routes.map(({ serverAddress }) => serverAddress);
    const addresses = createServerAddresses(all, false);
    const arrive = () => {
      const gate = gateOf({ route: { ...world.route, addresses }, serverFailed: () => RESET });
      return world.arrive(gate).connection!;
    };
    return { addresses, arrive };
  }

  /** The kernel has refused the connection: its event is passed on. */
  const refuse = (world: TestLoop, connection: Connection) =>
    waitUntil('the refusal', () => {
      const { address, phase } = connection;
      onDialEvents(world.loop, connection, EPOLLERR);
      return connection.address !== address || connection.phase !== phase;
    });

  test('refused: the next address at once, within the same connection', async () => {
    using world = await createTestLoop();
    const { addresses, arrive } = dialling(world, world.nobody, world.route);
    const connection = arrive();
    if (connection.address === 0) await refuse(world, connection);
    assert.equal(connection.address, 1);
    await world.serve();
    onDialEvents(world.loop, connection, EPOLLOUT);
    assert.equal(connection.phase, Phase.relaying);
    assert.equal(addresses.aside[0], world.loop.nowMs);
    assert.equal(world.counted()['server-next-address'], 1);
    assert.equal(arrive().address, 1, 'the next one goes there straight away');
    assert.equal(world.counted()['server-next-address'], 1);
  });

  test('silent: given up after a short time; the last one has the time of a server with one address', async () => {
    using world = await createTestLoop();
    const { loop } = world;
    const { arrive } = dialling(world, world.route, world.route);
    const connection = arrive();
    loop.nowMs = ATTEMPT_MS - 1;
    giveUpSlow(loop);
    assert.equal(connection.address, 0);
    loop.nowMs = ATTEMPT_MS;
    giveUpSlow(loop);
    assert.equal(connection.address, 1);
    assert.equal(loop.attempts.length, 1);
    loop.nowMs = 10 * ATTEMPT_MS;
    giveUpSlow(loop);
    assert.deepEqual([connection.phase, connection.address], [Phase.dialing, 1]);
    assert.equal(loop.attempts.length, 0);
    scanDeadlines(loop, { handshakeTimeoutMs: 5 * ATTEMPT_MS, idleTimeoutMs: 0 });
    assert.notEqual(connection.phase, Phase.dialing);
    assert.deepEqual(world.counted(), { 'server-next-address': 1, 'server-timeout': 1 });
  });

  test('silent, and the other one fails its health checks: it waits, and goes there only when it is refused', async () => {
    using world = await createTestLoop();
    const { loop } = world;
    const memory = createFailingAddresses();
    new Int32Array(memory)[0] = 0b10;
    const addresses = createServerAddresses(
      [world.nobody.serverAddress, world.route.serverAddress],
      false,
      memory,
    );
    const connection = world.arrive(
      gateOf({ route: { ...world.route, addresses }, serverFailed: () => RESET }),
    ).connection!;
    if (connection.address === 0) {
      loop.nowMs = 10 * ATTEMPT_MS;
      giveUpSlow(loop);
      assert.equal(connection.address, 0);
      await refuse(world, connection);
    }
    assert.equal(connection.address, 1);
    assert.equal(world.counted()['server-next-address'], 1);
  });

  test('all refused: the connection fails, and counts once', async () => {
    using world = await createTestLoop();
    const { arrive } = dialling(world, world.nobody, world.nobody);
    const connection = arrive();
    await waitUntil('both are tried', async () => {
      if (connection.phase === Phase.dialing) await refuse(world, connection);
      return connection.phase !== Phase.dialing;
    });
    assert.deepEqual(world.counted(), { 'server-next-address': 1, 'server-refused': 1 });
    assert.equal(world.loop.openings, 0);
  });

  test('a client that goes while its server is dialled leaves no attempt behind', async () => {
    using world = await createTestLoop();
    const { arrive } = dialling(world, world.route, world.route);
    const connection = arrive();
    scanDeadlines(world.loop, { handshakeTimeoutMs: 0, idleTimeoutMs: 0 });
    assert.notEqual(connection.phase, Phase.dialing);
    world.loop.nowMs = ATTEMPT_MS;
    giveUpSlow(world.loop);
    assert.equal(world.loop.attempts.length, 0);
  });
});
