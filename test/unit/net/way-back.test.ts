/**
 * Servers whose answers to a source address do not come back: on [::1], with a source that no route leads to. The trial's source is
 * [::1], whose answers come back. Time is a number (loop.ts).
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { EPOLLOUT } from '../../../src/os/libc.ts';
import { encodeSocketAddress } from '../../../src/os/socket-address.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { type Connection, Origin, Phase } from '../../../src/net/connection.ts';
import { giveUpSource, onDialEvents } from '../../../src/net/dialling.ts';
import type { Route } from '../../../src/net/gate.ts';
import { openListener } from '../../../src/net/listen.ts';
import { createFoundWays, readFoundWays } from '../../../src/net/found-ways.ts';
import { TRIAL_INTERVAL_MS, WAIT_MS, lookAtWaysBack, waysBackWaitMs } from '../../../src/net/way-back.ts';
import { waitUntil } from '../../../lab/wait.ts';
import { type TestLoop, createTestLoop, gateOf } from './loop.ts';
import { Cleanup, freePort } from './support.ts';

const TIMEOUT_MS = 10_000;
const sockaddr = (text: string, port = 0) => encodeSocketAddress({ address: parseIpAddress(text)!, port });

describe('ways back', () => {
  let world: TestLoop;
  let cleanup: Cleanup;
  let port: number;
  const close = (fd: number) => cleanup.defer(() => world.loop.ledger.close(fd));
  beforeEach(async () => {
    world = await createTestLoop();
    cleanup = new Cleanup();
    port = await freePort();
    const { fd } = openListener({ name: 'server', address: parseIpAddress('::1')!, port }, false);
    close(world.loop.ledger.add(fd));
  });
  afterEach(async () => {
    await cleanup[Symbol.asyncDispose]();
    world[Symbol.dispose]();
  });

  /** The counter of connections that come without the source is "displaced", which nothing else counts here. */
  const routeFrom = (source: string, to = port, mayBeWithout = true): Route => ({
    ...world.route,
    serverAddress: sockaddr('::1', to),
    source: {
      address: sockaddr(source),
      trial: sockaddr('::1'),
      withoutCounter: mayBeWithout ? world.loop.index.displaced : -1,
    },
  });
  const SILENT = '2001:db8:ffff::1';
  const arrive = (route: Route): Connection => world.arrive(gateOf({ route })).connection!;
  const look = (afterMs: number) => {
    world.loop.nowMs += afterMs;
    lookAtWaysBack(world.loop, TIMEOUT_MS, (connection) => giveUpSource(world.loop, connection));
    world.loop.closer.turn(world.loop.nowMs);
  };
  const connected = (connection: Connection) => onDialEvents(world.loop, connection, EPOLLOUT);
  const without = () => world.counted()['displaced'] ?? 0;

  test('a connection waits, and then comes from the own address; the next one at once', () => {
    const first = arrive(routeFrom(SILENT));
    assert.deepEqual([first.phase, first.origin], [Phase.dialing, Origin.source]);
    assert.ok(waysBackWaitMs(world.loop.waysBack) <= 100);
    look(WAIT_MS - 1);
    assert.equal(first.origin, Origin.source);
    look(1);
    assert.deepEqual([first.phase, first.origin, without()], [Phase.dialing, Origin.ownInstead, 1]);
    connected(first);
    assert.equal(first.phase, Phase.relaying);
    const second = arrive(routeFrom(SILENT));
    assert.deepEqual([second.origin, without()], [Origin.own, 2]);
    // Another server is not affected.
    const elsewhere = { ...routeFrom(SILENT), serverAddress: sockaddr('2001:db8:ffff::2', port) };
    assert.notEqual(arrive(elsewhere)?.origin, Origin.own);
  });

  test('a trial finds that answers come back again, and no client waits for it', async () => {
    const first = arrive(routeFrom(SILENT));
    look(WAIT_MS);
    connected(first);
    const before = arrive(routeFrom(SILENT));
    assert.equal(world.loop.waysBack.trials, 0, 'not yet');
    world.loop.nowMs += TRIAL_INTERVAL_MS;
    const during = arrive(routeFrom(SILENT));
    assert.equal(world.loop.waysBack.trials, 1);
    assert.deepEqual([before.origin, during.origin], [Origin.own, Origin.own]);
    await waitUntil('the trial to be answered', () => {
      look(0);
      return world.loop.waysBack.trials === 0;
    });
    // This one was dialled while the way back was missing: its answer says nothing.
    connected(during);
    assert.equal(arrive(routeFrom(SILENT)).origin, Origin.source);
  });

  test('found before the first client: no client waits, and the first one tries whether it still holds', async () => {
    const found = createFoundWays([{ address: parseIpAddress('::1')!, port }]);
    const flag = new Int32Array(found.memory);
    const source = { ...routeFrom(SILENT).source!, known: readFoundWays(found) };
    const route = { ...routeFrom(SILENT), source };
    assert.equal(arrive(route).origin, Origin.source, 'nothing was found yet');
    flag[0] = 1;
    const first = arrive(route);
    assert.deepEqual([first.origin, world.loop.waysBack.trials, without()], [Origin.own, 1, 1]);
    await waitUntil('the trial to be answered', () => {
      look(0);
      return world.loop.waysBack.trials === 0;
    });
    assert.equal(flag[0], 0, 'the next thread does not hear of it');
    connected(first);
    assert.equal(arrive(route).origin, Origin.source);
  });

  test('a server that answers nobody: nothing is remembered', () => {
    const first = arrive(routeFrom(SILENT));
    look(WAIT_MS);
    assert.equal(first.origin, Origin.ownInstead);
    assert.equal(arrive(routeFrom(SILENT)).origin, Origin.source);
  });

  test('an answer to the source: nothing waits any more', () => {
    const connection = arrive(routeFrom('::1'));
    assert.equal(connection.origin, Origin.source);
    connected(connection);
    look(WAIT_MS);
    assert.deepEqual([connection.phase, connection.origin, without()], [Phase.relaying, Origin.own, 0]);
    assert.equal(waysBackWaitMs(world.loop.waysBack), Number.POSITIVE_INFINITY);
  });

  test('not without the source: the connection goes on waiting', () => {
    const connection = arrive(routeFrom(SILENT, port, false));
    look(WAIT_MS);
    assert.deepEqual([connection.phase, connection.origin], [Phase.dialing, Origin.source]);
    assert.equal(waysBackWaitMs(world.loop.waysBack), Number.POSITIVE_INFINITY);
  });
});
