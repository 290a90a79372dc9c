/** Which of several addresses of a server is dialled: the choice alone, then connections that move from one to the next. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Connection, Phase } from '../../../src/net/connection.ts';
import { scanDeadlines } from '../../../src/net/deadlines.ts';
import { ATTEMPT_MS, giveUpSlow, onDialEvents } from '../../../src/net/dialling.ts';
import { RESET, type Route } from '../../../src/net/gate.ts';
import {
  ASIDE_MS,
  createServerAddresses,
  pickAddress,
  putAside,
  putBack,
} from '../../../src/net/server-addresses.ts';
import { waitUntil } from '../../../lab/wait.ts';
import { EPOLLERR, EPOLLOUT } from '../../../src/os/libc.ts';
import { type TestLoop, createTestLoop, gateOf } from './loop.ts';
import { LIMITS } from './support.ts';

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
    assert.deepEqual([pickAddress(addresses, 0, 1), pickAddress(addresses, 0, 1)], [2, 2]);
  });

  test('the clock may wrap', () => {
    const addresses = createServerAddresses(three, false);
    putAside(addresses, 0, 0x7fff_fff0);
    assert.equal(pickAddress(addresses, 0, (0x7fff_fff0 + ASIDE_MS - 1) | 0), 1);
    assert.equal(pickAddress(addresses, 0, (0x7fff_fff0 + ASIDE_MS) | 0), 0);
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
    scanDeadlines(loop, { handshakeTimeoutMs: 5 * ATTEMPT_MS, idleTimeoutMs: 0, ...LIMITS });
    assert.notEqual(connection.phase, Phase.dialing);
    assert.deepEqual(world.counted(), { 'server-next-address': 1, 'server-timeout': 1 });
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
    scanDeadlines(world.loop, { handshakeTimeoutMs: 0, idleTimeoutMs: 0, ...LIMITS });
    assert.notEqual(connection.phase, Phase.dialing);
    world.loop.nowMs = ATTEMPT_MS;
    giveUpSlow(world.loop);
    assert.equal(world.loop.attempts.length, 0);
  });
});
