/** Connections to servers that wait for a request: how many, and whose go when there is room for no more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Loop } from '../../../../src/net/loop.ts';
import type { Backend } from '../../../../src/services/proxy/host-table.ts';
import {
  ServerConnection,
  closePool,
  createServerPool,
} from '../../../../src/services/proxy/http/server-connection.ts';

const PER_SERVER = 64;
const ALL = 1024;

test('64 for each server, 1024 in all; then the server with most loses its oldest to one with fewer', () => {
  const closed: number[] = [];
  const loop = {
    nowMs: 0,
    workers: 1,
    parked: [],
    closer: { close: (fd: number) => closed.push(fd) },
  } as unknown as Loop;
  let fds = 0;
  const servers = Array.from({ length: ALL / PER_SERVER + 4 }, createServerPool);
  const park = (server: number) =>
    new ServerConnection(++fds, {} as Backend, -1, servers[server]).park(loop, -1);
  const counts = () => servers.map(({ idle }) => idle.length);

  for (let server = 0; server < ALL / PER_SERVER; server++) {
    for (let i = 0; i < PER_SERVER; i++) assert.ok(park(server));
    assert.equal(park(server), false);
  }
  assert.deepEqual(closed, []);
  // Each new one takes the place of the oldest one of the first server with most.
  assert.ok(park(16));
  assert.ok(park(17));
  assert.deepEqual(closed, [1, PER_SERVER + 2]);
  while (park(16));
  while (park(17));
  while (park(18));
  while (park(19));
  const all = counts();
  assert.equal(
    all.reduce((sum, count) => sum + count),
    ALL,
  );
  // 1024 / 20 = 51.2
  assert.ok(Math.min(...all) >= 50 && Math.max(...all) <= 53, String(all));

  for (const server of servers) closePool(loop, server);
  assert.equal(closed.length, new Set(closed).size);
  assert.equal(loop.parked.filter((each) => each !== undefined).length, 0);
});
