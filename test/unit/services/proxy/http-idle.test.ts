/** Connections to servers that wait for their next request, without an engine: no event tells of what has arrived meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHUT_WR, shutdown } from '../../../../src/os/libc.ts';
import type { Backend } from '../../../../src/services/proxy/host-table.ts';
import {
  ServerConnection,
  createServerPool,
  takeIdle,
} from '../../../../src/services/proxy/http/server-connection.ts';
import { createTestLoop, relaying } from '../../net/loop.ts';

/** No word of the server about Keep-Alive. */
const NO_WORD = -1;

for (const [title, heard, act] of [
  ['has sent what nobody asked for', '!', (world, server) => world.say(server, 'HTTP/1.1 200 OK\r\n\r\n')],
  ['has ended', '.', (_, server) => shutdown(server, SHUT_WR)],
] as const satisfies readonly (readonly [
  string,
  string,
  (world: Awaited<ReturnType<typeof createTestLoop>>, server: number) => unknown,
])[]) {
  test(`a server that ${title} before its event is handled: the next idle connection is taken`, async () => {
    using world = await createTestLoop();
    const { loop } = world;
    const pool = createServerPool();
    const ends: number[] = [];
    const idle: ServerConnection[] = [];
    for (let i = 0; i < 2; i++) {
      const { connection, server } = await relaying(world);
      const { from } = connection.down;
      loop.halves[from] = undefined;
      const waiting = new ServerConnection(from, {} as Backend, -1, pool);
      assert.ok(waiting.park(loop, NO_WORD));
      idle.push(waiting);
      ends.push(server);
    }
    act(world, ends[1]);
    assert.equal(takeIdle(loop, pool, -1, false), idle[0]);
    assert.equal(await world.hear(ends[1], 1), heard);
    assert.equal(takeIdle(loop, pool, -1, false), undefined);
    assert.deepEqual([pool.idle, loop.parked.filter(Boolean)], [[], []]);
  });
}
