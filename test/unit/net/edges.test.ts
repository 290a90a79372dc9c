/** What a connection does without system calls that only ask: the known end, the reset side, the room of a client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '../../../lab/wait.ts';
import { Phase } from '../../../src/net/connection.ts';
import { EDGES } from '../../../src/net/loop.ts';
import { onRelayEvents } from '../../../src/net/relaying.ts';
import {
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  IPPROTO_TCP,
  SHUT_WR,
  SOL_SOCKET,
  SO_LINGER,
  TCP_CLOSE,
  TCP_INFO,
  close,
  getsockopt,
  int32,
  pinned,
  setsockopt,
  shutdown,
} from '../../../src/os/libc.ts';
import { createTestLoop, relaying } from './loop.ts';

/** struct linger { on, 0 seconds }. */
const RESET_AT_CLOSE = pinned(8);
RESET_AT_CLOSE[0] = 1;

/** The peer's FIN, and so everything before it, has arrived. */
const TCP_CLOSE_WAIT = 8;

/** The state of a TCP socket, as in struct tcp_info. */
function stateOf(fd: number): number {
  const state = pinned(1);
  assert.equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, state, int32(1)), 0);
  return state[0];
}

test('bytes and a FIN that come together pass with one event, without a read that only finds the end', async () => {
  using world = await createTestLoop();
  const { connection, peer, server } = await relaying(world);
  const { up } = connection;
  world.say(peer, 'bye');
  shutdown(peer, SHUT_WR);
  await waitUntil('both are there', () => {
    // A read that finds bytes says nothing about a FIN that the events have not reported.
    assert.equal(up.ended, false);
    return stateOf(up.from) === TCP_CLOSE_WAIT;
  });
  onRelayEvents(world.loop, up, EPOLLIN | EPOLLRDHUP);
  assert.deepEqual([up.totalBytes, up.ended, up.finished, up.exhaustive], [3, true, true, false]);
  assert.equal(await world.hear(server, 4), 'bye.');
  assert.equal(connection.phase, Phase.relaying, 'the other direction is open');
});

test('a client is watched for room when it has none for the first time', async () => {
  using world = await createTestLoop();
  const { connection, peer, server } = await relaying(world);
  const { up, down } = connection;
  assert.deepEqual([up.isWatched, down.isWatched, world.changes], [true, false, []]);
  const block = 'x'.repeat(65_536);
  let said = 0;
  await waitUntil('the client takes no more', () => {
    if (down.writable) world.say(server, block);
    if (down.writable) said += block.length;
    onRelayEvents(world.loop, down, EPOLLIN);
    return !down.writable;
  });
  assert.deepEqual([down.isWatched, world.changes], [true, [`${up.from} ${EDGES}`]]);
  let heard = 0;
  await waitUntil('it has read everything', async () => {
    heard += (await world.hear(peer, 1)).length;
    onRelayEvents(world.loop, up, EPOLLOUT);
    onRelayEvents(world.loop, down, EPOLLIN);
    return heard === said;
  });
  assert.deepEqual(world.changes, [`${up.from} ${EDGES}`]);
});

test('a side that was reset is closed without questions, the other by a reset', async () => {
  using world = await createTestLoop();
  const { connection, peer, server } = await relaying(world);
  setsockopt(server, SOL_SOCKET, SO_LINGER, RESET_AT_CLOSE, 8);
  close(server);
  await waitUntil('the reset is there', () => stateOf(connection.down.from) === TCP_CLOSE);
  const before = world.loop.closer.looks;
  onRelayEvents(world.loop, connection.down, EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR);
  assert.deepEqual([connection.down.dead, connection.up.dead], [true, false]);
  assert.equal(world.loop.closer.looks - before, 1, "only the client's send queue");
  assert.equal(await world.hear(peer, 1), '!');
  assert.deepEqual(world.counted(), { 'closed-reset': 1 });
});
