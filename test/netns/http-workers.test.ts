/** Many HTTP connections at once through two workers: all are served and counted, and their memory is free afterwards. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { waitUntil } from '../../lab/wait.ts';
import { isLong } from './http/long.ts';
import { type Network, startNetwork } from './http/network.ts';
import { startServers } from './http/servers.ts';

const LOAD = join(import.meta.dirname, 'http/clients/load.ts');
/** The long form: 20,000 at once where the limit of descriptors allows them, and more than 20,000 in all anyhow. */
const CONNECTIONS = isLong ? 20_000 : 2000;
/** One of several servers cannot have more than 16/17 of all connections (net/server-shares.ts). */
const ONE_SERVER = 0.9;
/** After ten, the heaps have their final size. The short form sees only what is left of more than 6 KB for a connection. */
const ROUNDS = isLong ? 14 : 4;
/**
 * By how much the smaller one of the last two rounds may exceed the larger one of the two before. Garbage is collected when V8
 * wants to, so single rounds differ by up to 8 MB. A connection that stayed would be one of thousands.
 */
const LEFT_BYTES = 12e6;
/** Connections to servers that wait for a request: 64 for a server and worker. */
const POOLED = 2 * 64;
const PATIENCE = { timeoutMs: 600_000, intervalMs: 200 };

describe('HTTP: two workers', { concurrency: false }, () => {
  let network: Network;
  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    network = await startNetwork({ proxy: { workers: 2 } });
    await startServers(network, ['nginx', 'node']);
  });
  after(() => network?.[Symbol.asyncDispose]());

  const connections = async () => (await network.figures())['connections'];

  it(`up to ${CONNECTIONS} kept connections at once: none is lost, all are counted, and the memory is free again`, async (t: TestContext) => {
    const most = Math.floor((await network.figures())['maxConnections'] * ONE_SERVER);
    const count = Math.min(CONNECTIONS, most);
    const descriptors = () => readdirSync(`/proc/${network.appliance.pid}/fd`).length;
    const before = descriptors();
    const rss: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await using clients = network.outside.spawn(process.execPath, [LOAD, 'many', String(count)]);
      await clients.waitForLine(/^open$/, PATIENCE);
      assert.equal(await connections(), count);
      const used = network.rssBytes();
      clients.process.kill('SIGUSR2');
      assert.equal(await clients.exited, 0, clients.output());
      await waitUntil('all to be closed', async () => (await connections()) === 0, PATIENCE);
      const left = network.rssBytes();
      rss.push(left);
      t.diagnostic(
        `RSS with ${count} connections: ${(used / 1e6).toFixed(1)} MB, after them: ${(left / 1e6).toFixed(1)} MB`,
      );
      await waitUntil('their descriptors to be closed', () => descriptors() <= before + POOLED, PATIENCE);
    }
    const { accepted, displaced, 'refused-share': refused } = await network.counters();
    assert.deepEqual([displaced, refused], [0, 0]);
    assert.ok(accepted >= ROUNDS * count, `${accepted}`);
    const [earlier, last] = [rss.slice(-4, -2), rss.slice(-2)];
    assert.ok(Math.min(...last) - Math.max(...earlier) < LEFT_BYTES, `${rss}`);
    await waitUntil('idle connections to servers to be closed', () => descriptors() <= before, PATIENCE);
  });
});
