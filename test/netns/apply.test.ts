/**
 * Changes that cut off the client that made them: the appliance's own address, its port, a process that is killed during the change.
 *
 *   desk ------------------------- appliance
 *   192.0.2.10/24                  192.0.2.1/24, 192.0.2.2/24
 *   2001:db8:1::10/64              2001:db8:1::1/64
 *
 * The admin page listens on 192.0.2.1 port 8064; the changes are made from the desk.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from '../../lab/host.ts';
import { type Topology, buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

const ROOT = join(import.meta.dirname, '../..');
const FIRST = '192.0.2.1:8064';
const SECOND = '192.0.2.2:8064';
const OTHER_PORT = '192.0.2.1:8065';
const OVER_IPV6 = '[2001:db8:1::1]:8064';

const spec = {
  hosts: {
    desk: { interfaces: { eth0: { segment: 'lan', addresses: ['192.0.2.10/24', '2001:db8:1::10/64'] } } },
    appliance: {
      interfaces: {
        eth0: { segment: 'lan', addresses: ['192.0.2.1/24', '192.0.2.2/24', '2001:db8:1::1/64'] },
      },
    },
  },
} as const;

/** Only the admin page matters here. */
const configuration = (listen: string, port = 8064) => ({
  dns64: { enabled: false },
  nat64: { enabled: false },
  admin: { listen: [listen], port },
});
const OLD = `${JSON.stringify(configuration('192.0.2.1'))}\n`;

type Json = Record<string, never>;

describe('changes of the configuration that nobody confirms', () => {
  let topology: Topology<'desk' | 'appliance'>;
  let configFile: string;
  let stateDirectory: string;
  let child: Child | undefined;

  before(async () => {
    topology = await buildTopology(spec);
    configFile = join(topology.directory, 'tombolo.json');
    stateDirectory = join(topology.directory, 'state');
    mkdirSync(stateDirectory, { mode: 0o700 });
  });
  after(() => topology[Symbol.asyncDispose]());

  /** Starts the process, and waits until it serves at the address. */
  async function start(address = FIRST): Promise<Child> {
    const cache = process.env['NODE_COMPILE_CACHE'] ?? join(ROOT, 'node_modules/.cache/compile');
    child = topology.hosts.appliance.spawn(
      process.execPath,
      [join(ROOT, 'src/main.ts'), '--config', configFile, '--state', stateDirectory],
      { env: { NODE_COMPILE_CACHE: cache } },
    );
    await waitUntil(`the admin page at ${address}`, () => isServed(address), {
      explain: () => child?.output() ?? '',
      timeoutMs: 15_000,
    });
    return child;
  }

  /** As a new appliance, with the configuration OLD. */
  async function startAnew(): Promise<Child> {
    writeFileSync(configFile, OLD);
    return start();
  }

  const curl = (address: string, path: string, args: readonly string[] = []) =>
    topology.hosts.desk.attempt('curl', ['-sSk', '-m', '5', ...args, `https://${address}/api${path}`]);

  const isServed = async (address: string) => (await curl(address, '/health')).code === 0;

  async function api(address: string, path: string, body?: object): Promise<Json> {
    const token = readFileSync(join(stateDirectory, 'admin-token'), 'utf8').trim();
    const post =
      body === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)];
    const authorization = ['-H', `Authorization: Bearer ${token}`];
    const { stdout, stderr } = await curl(address, path, [...authorization, ...post]);
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout) as Json;
  }

  async function apply(document: object, confirmSeconds: number, address = FIRST): Promise<Json> {
    const { revision } = await api(address, '/config');
    return api(address, '/config/apply', { document, revision, confirmSeconds });
  }

  const document = async (address: string) => (await api(address, '/config'))['document'];
  const history = async (address: string) =>
    (await api(address, '/config/revisions'))['rows'] as { why: string; by: string; reason: string }[];

  for (const [what, changed, address] of [
    ['address', configuration('192.0.2.2'), SECOND],
    ['port', configuration('192.0.2.1', 8065), OTHER_PORT],
    ['family of its address', configuration('2001:db8:1::1'), OVER_IPV6],
  ] as const) {
    it(`another ${what}: it stays when it is confirmed from there`, async () => {
      const process = await startAnew();
      assert.equal((await apply(changed, 60))['changed'], true);
      await waitUntil('the old address to be closed', async () => !(await isServed(FIRST)));
      const { revision } = await api(address, '/config/confirm', {});
      assert.equal((await api(address, '/config/pending'))['pending'], null);
      await process.stop();
      await start(address);
      assert.equal((await api(address, '/config'))['revision'], revision);
      await child?.stop();
    });

    it(`another ${what}: without confirmation it is rolled back`, async () => {
      const process = await startAnew();
      assert.equal((await apply(changed, 2))['changed'], true);
      await waitUntil('the new address', () => isServed(address));
      await waitUntil('the rollback', async () => (await isServed(FIRST)) && !(await isServed(address)));
      // The file is written once all parts follow the old configuration again, a little after the old address is back.
      const { lastRollback } = await waitUntil('the end of the countdown', async () => {
        const answer = await api(FIRST, '/config/pending');
        return answer['pending'] === null ? answer : undefined;
      });
      assert.equal((lastRollback as Json)['reason'], 'not-confirmed');
      assert.equal(readFileSync(configFile, 'utf8'), OLD);
      await process.stop();
    });

    it(`another ${what}: killed in the countdown, the process starts with the old configuration`, async () => {
      const process = await startAnew();
      assert.equal((await apply(changed, 3600))['changed'], true);
      await waitUntil('the new address', () => isServed(address));
      assert.equal(await process.stop('SIGKILL'), 'SIGKILL');
      const next = await start();
      assert.match(next.output(), /was not confirmed before the process ended; back to the one before/);
      assert.deepEqual(await document(FIRST), configuration('192.0.2.1'));
      assert.equal(readFileSync(configFile, 'utf8'), OLD);
      const { pending, lastRollback } = await api(FIRST, '/config/pending');
      assert.equal(pending, null);
      assert.equal((lastRollback as Json)['reason'], 'restarted');
      const [newest] = await history(FIRST);
      assert.equal(`${newest.why} ${newest.by}`, 'rollback appliance');
      assert.match(newest.reason, /ended before the change was confirmed/);
      const { entries } = await api(FIRST, '/audit');
      const audited = (entries as { action: string; who: string }[]).map(
        ({ action, who }) => `${action} ${who}`,
      );
      assert.equal(audited[0], 'rollback appliance');
      await next.stop();
    });
  }

  it('an access list that locks out its author is rolled back', async () => {
    const process = await startAnew();
    const admin = { ...configuration('192.0.2.1').admin, allow: ['198.51.100.0/24'] };
    assert.equal((await apply({ ...configuration('192.0.2.1'), admin }, 1))['changed'], true);
    await waitUntil('access again', () => isServed(FIRST));
    await waitUntil('the rollback in the history', async () => (await history(FIRST))[0].why === 'rollback');
    await process.stop();
  });

  it('an orderly stop in the countdown, as at a reboot, does not confirm the change', async () => {
    const process = await startAnew();
    await apply(configuration('192.0.2.2'), 3600);
    assert.equal(await process.stop('SIGTERM'), 0);
    const next = await start();
    assert.deepEqual(await document(FIRST), configuration('192.0.2.1'));
    await next.stop();
  });

  it('killed at any moment of a change, the process starts with the old configuration', async () => {
    for (const killAfterMs of [0, 2, 4, 7, 10, 15, 25, 40]) {
      const process = await startAnew();
      const applying = apply(configuration('192.0.2.2'), 3600).catch(() => undefined);
      await delay(killAfterMs); // The test varies this moment; it does not wait for an event.
      await process.stop('SIGKILL');
      await applying;
      const next = await start();
      assert.deepEqual(await document(FIRST), configuration('192.0.2.1'), `killed after ${killAfterMs} ms`);
      assert.equal((await api(FIRST, '/config/pending'))['pending'], null);
      await next.stop('SIGKILL');
    }
  });

  it('an edit and SIGHUP in the countdown replace the change', async () => {
    const process = await startAnew();
    await apply(configuration('192.0.2.2'), 3600);
    await waitUntil('the new address', () => isServed(SECOND));
    writeFileSync(configFile, `${JSON.stringify(configuration('192.0.2.1', 8065))}\n`);
    process.process.kill('SIGHUP');
    await waitUntil('the edit', () => isServed(OTHER_PORT));
    assert.equal((await api(OTHER_PORT, '/config/pending'))['pending'], null);
    await process.stop('SIGKILL');
    await start(OTHER_PORT);
    assert.equal((await history(OTHER_PORT))[0].why, 'file');
    await child?.stop();
  });
});
