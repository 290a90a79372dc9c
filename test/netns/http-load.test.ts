/**
 * HTTP under load: memory, content, and configurations that change meanwhile. CI runs the short forms;
 * `sh tools/node.sh test/run.ts http-long` runs the long ones. http/network.ts draws the network.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { waitUntil } from '../../lab/wait.ts';
import { isLong } from './http/long.ts';
import { type Network, startNetwork } from './http/network.ts';
import { startServers } from './http/servers.ts';

const LOAD = join(import.meta.dirname, 'http/clients/load.ts');
/** Connections at once, again and again: 20,000 in all, or 2,000. */
const CONNECTIONS = isLong ? 5000 : 500;
const ROUNDS = 4;
/** What a heap may differ by from one moment to the next. */
const FLAT_BYTES = 12e6;
const BULK_BYTES = isLong ? 1_000_000_000 : 60_000_000;
const BULK_PARTS = 5;
const CHANGES = isLong ? 1000 : 25;
const PATIENCE_MS = 1_500_000;

const inMegabytes = (rss: readonly number[]) =>
  `${rss.map((bytes) => (bytes / 1e6).toFixed(1)).join(', ')} MB`;

/** The first rounds fill pools and caches. After that, the least of what follows is not above the most of what was before. */
function assertFlat(rss: readonly number[]): void {
  assert.ok(Math.min(...rss.slice(2)) - Math.max(...rss.slice(0, 2)) < FLAT_BYTES, inMegabytes(rss));
}

/**
 * One change after the other: of a server that nobody uses, of one that the clients use, of a time (with several workers also of
 * their number), and back.
 */
function changed({ hosts, proxy, ...rest }: Network['configuration'], i: number, workers: number): object {
  const others = { ...rest, proxy };
  const more = {
    name: 'more',
    address: '2001:db8:1::99',
    hostnames: [`more${i}.example.com`],
    services: ['http'],
    ssh: false,
  };
  switch (i % 4) {
    case 0:
      return { ...others, hosts: [...hosts, more] };
    case 1:
      return {
        ...others,
        hosts: hosts.map((host) => ({
          ...host,
          hostnames: [...host.hostnames, `${host.name}${i}.example.org`],
        })),
      };
    case 2:
      return {
        ...others,
        hosts,
        proxy: { workers: workers === 1 ? 1 : 1 + ((i >> 2) % 4), idleTimeoutMs: 600_000 + i },
      };
    default:
      return { ...others, hosts };
  }
}

const underLoad = (workers: number) => () => {
  let network: Network;
  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    network = await startNetwork({ proxy: { workers }, host: { services: ['http', 'https'] } });
    await startServers(network, ['nginx', 'node']);
  });
  after(() => network?.[Symbol.asyncDispose]());

  const load = (...args: (string | number)[]) =>
    network.outside.spawn(process.execPath, [LOAD, ...args.map(String)]);
  const noneIsLeft = () =>
    waitUntil('all connections to be closed', async () => (await network.figures())['connections'] === 0, {
      timeoutMs: 60_000,
      intervalMs: 100,
    });

  it(`${ROUNDS} times ${CONNECTIONS} kept connections at once, in the same memory`, async (t: TestContext) => {
    await using clients = load('rounds', ROUNDS, CONNECTIONS);
    const rss: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      await clients.waitForLine(new RegExp(`^round ${round}$`), { timeoutMs: PATIENCE_MS });
      rss.push(network.rssBytes());
    }
    assert.equal(await clients.exited, 0, clients.output());
    await noneIsLeft();
    t.diagnostic(`RSS after each round: ${inMegabytes(rss)}`);
    assertFlat(rss);
  });

  for (const scheme of ['http', 'https']) {
    it(`${scheme}: ${BULK_BYTES / 1e6} MB each way at once, in the same memory`, async (t: TestContext) => {
      const rss: number[] = [];
      for (let part = 0; part < BULK_PARTS; part++) {
        await using clients = load('bulk', scheme, BULK_BYTES / BULK_PARTS);
        await clients.waitForLine(/^ok$/, { timeoutMs: PATIENCE_MS });
        rss.push(network.rssBytes());
      }
      t.diagnostic(`RSS after each part: ${inMegabytes(rss)}`);
      assertFlat(rss);
    });
  }

  it(`${CHANGES} changes of the configuration: kept connections end only where their answer says so, TLS and WebSockets not at all`, async (t: TestContext) => {
    await using clients = load('kept');
    await clients.waitForLine(/^ready$/);
    for (let i = 0; i < CHANGES; i++) {
      await network.apply(changed(network.configuration, i, workers));
      assert.equal(clients.process.exitCode, null, clients.output());
    }
    clients.process.kill('SIGUSR2');
    assert.equal(await clients.exited, 0, clients.output());
    t.diagnostic(clients.output().trim());
    assert.match(clients.output(), /^ok [1-9]\d* requests.*TLS [1-9]\d* requests, [1-9]\d* messages/m);
  });
};

for (const workers of [1, 2])
  describe(`HTTP under load, ${workers} of our workers`, { concurrency: false }, underLoad(workers));
