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
  { habit: 'idle', count: 10_000 },
  { habit: 'half-heads', count: 5000 },
  { habit: 'resets', count: 50 },
  { habit: 'slow-reader', count: 200 },
  { habit: 'slow-body', count: 200 },
  { habit: 'dead', count: 500 },
] as const;
const REQUESTS = isLong ? 20_000 : 600;

const besideHostile = (workers: number) => () => {
  let network: Network;
  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    network = await startNetwork({ proxy: { workers } });
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

  for (const { habit, count } of HABITS) {
    it(`beside ${count} of: ${habit}`, async (t: TestContext) => {
      await using hostile = network.outside.spawn(process.execPath, [
        join(CLIENTS, 'hostile.ts'),
        habit,
        String(count),
      ]);
      await hostile.waitForLine(/^ready$/, { timeoutMs: 60_000 });
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
