/** Many HTTP connections at once through two workers: all are served and counted, and their memory is free afterwards. */
import assert from 'node:assert/strict';
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
/** After ten, the heaps have their final size. */
const ROUNDS = isLong ? 14 : 3;
/** What the last two rounds may leave: heaps that grew once. A connection that stayed would be one of thousands. */
const LEFT_BYTES = 12e6;
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
    const count = Math.min(CONNECTIONS, (await network.figures())['maxConnections']);
    const rss: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await using clients = network.outside.spawn(process.execPath, [LOAD, 'many', String(count)]);
      await clients.waitForLine(/^open$/, PATIENCE);
      assert.equal(await connections(), count);
      const most = network.rssBytes();
      clients.process.kill('SIGUSR2');
      assert.equal(await clients.exited, 0, clients.output());
      await waitUntil('all to be closed', async () => (await connections()) === 0, PATIENCE);
      rss.push(network.rssBytes());
      t.diagnostic(
        `RSS with ${count} connections: ${(most / 1e6).toFixed(1)} MB, after them: ${(network.rssBytes() / 1e6).toFixed(1)} MB`,
      );
    }
    const { accepted, displaced, 'refused-share': refused } = await network.counters();
    assert.deepEqual([displaced, refused], [0, 0]);
    assert.ok(accepted >= ROUNDS * count, `${accepted}`);
    assert.ok(rss[ROUNDS - 1] - rss[ROUNDS - 3] < LEFT_BYTES, `${rss}`);
  });
});
