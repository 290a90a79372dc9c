/**
 * One client that does no good beside one that behaves: this one sees no failure. http/network.ts draws the network;
 * http/clients/hostile.ts has the habits. How long requests take is told, and judged only in the benchmark.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { waitUntil } from '../../lab/wait.ts';
import { isLong } from './http/long.ts';
import { type Network, startNetwork } from './http/network.ts';
import { startServers } from './http/servers.ts';

const CLIENTS = join(import.meta.dirname, 'http/clients');
/** The descriptors of one process on many machines allow no more than 20,000. */
const HABITS = [
  ['idle=10000'],
  ['half-heads=5000'],
  ['half-hellos=5000'],
  ['resets=50'],
  ['slow-reader=200'],
  ['slow-body=200'],
  ['dead=500'],
  ['idle=10000', 'half-heads=2000', 'half-hellos=2000', 'resets=50', 'slow-reader=100', 'dead=500'],
] as const;
const REQUESTS = isLong ? 20_000 : 600;

const besideHostile = (workers: number) => () => {
  let network: Network;
  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    network = await startNetwork({ proxy: { workers }, host: { services: ['http', 'https'] } });
    await startServers(network, ['nginx', 'node']);
  });
  after(() => network?.[Symbol.asyncDispose]());

  const good = async () => {
    const { stdout } = await network.outside.run(
      process.execPath,
      [join(CLIENTS, 'good.ts'), String(REQUESTS)],
      { timeoutMs: 600_000 },
    );
    assert.match(stdout, /^ok /);
    return stdout.trim();
  };

  it('alone', async (t: TestContext) => t.diagnostic(await good()));

  for (const habits of HABITS) {
    it(`beside a client with ${habits.join(', ')}`, async (t: TestContext) => {
      await using hostile = network.outside.spawn(process.execPath, [join(CLIENTS, 'hostile.ts'), ...habits]);
      await hostile.waitForLine(/^ready$/, { timeoutMs: 300_000 }); // a full queue makes SYNs wait
      t.diagnostic(await good());
      assert.equal(hostile.process.exitCode, null, hostile.output());
    });
  }

  it('nothing of it is left when it has gone', async () => {
    await waitUntil(
      'all connections to be closed',
      async () => (await network.figures())['connections'] === 0,
      { timeoutMs: 60_000, intervalMs: 200 },
    );
    await good();
  });
};

for (const workers of [1, 2])
  describe(
    `HTTP: a hostile client beside a good one, ${workers} of our workers`,
    { concurrency: false },
    besideHostile(workers),
  );
