/** The access log of the whole process: curl, ssh-keyscan and real servers; the lines are on standard output, beside those of the process. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Appliance, CONFIGURATION, WEB1_SSH_PORT, startAppliance } from '../../lab/appliance.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type World, buildWorld } from '../../lab/world.ts';
import { ADDRESSES } from '../../lab/zone.ts';

type Line = Record<string, string | number | null>;

describe('the access log', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  before(async () => {
    world = await buildWorld();
    const [web1, web2, web3] = CONFIGURATION.hosts;
    appliance = await startAppliance(world, {
      configuration: {
        ...CONFIGURATION,
        hosts: [web1, { ...web2, accessLog: 'errors' }, { ...web3, accessLog: 'off' }],
        proxy: { accessLog: 'all' },
      },
      await: ['proxy', 'forward', 'admin'],
    });
  });
  after(async () => {
    await appliance?.stop();
    await world[Symbol.asyncDispose]();
  });

  const linesOf = (isWanted: (line: Line) => boolean): Line[] =>
    appliance.child
      .output()
      .split('\n')
      .filter((line) => line.includes('"log":"access"') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Line)
      .filter(isWanted);
  const lineOf = (what: string, isWanted: (line: Line) => boolean): Promise<Line> =>
    waitUntil(what, () => linesOf(isWanted)[0], { explain: () => appliance.child.output() });
  const curl = (url: string, ...args: string[]) =>
    world.hosts.client.attempt('curl', ['-sS', '-k', '-m', '20', ...args, url]);

  it('HTTP and HTTPS of curl: a line each, with the bytes that curl got', async () => {
    const { stdout } = await curl('http://example.com/some/path?token=secret', '-H', 'Cookie: secret');
    const request = await lineOf('the request', ({ path }) => path === '/some/path');
    assert.equal(request['server'], 'web1');
    assert.equal(request['client'], ADDRESSES.client);
    assert.equal(request['bytesDown'], Buffer.byteLength(stdout));
    assert.equal((await curl('https://www.example.com/')).code, 0);
    const connection = await lineOf('the connection', ({ name }) => name === 'www.example.com');
    assert.equal(connection['listener'], 'https');
    assert.equal(connection['reason'], 'closed');
    assert.ok(Number(connection['bytesDown']) > 500);
    assert.doesNotMatch(appliance.child.output(), /secret/);
  });

  it('SSH: a line of the forwarder', async () => {
    const line = await lineOf('the connection', ({ service }) => service === 'forward');
    assert.equal(line['server'], 'web1');
    await world.hosts.client.attempt('ssh-keyscan', ['-p', String(WEB1_SSH_PORT), ADDRESSES.appliance4]);
    await waitUntil('another one', () => linesOf(({ service }) => service === 'forward').length >= 2);
  });

  it('each server as it says; the page’s log has no such line', async () => {
    await curl('http://example.org/quiet');
    await curl('http://shop.example.org/never');
    await curl(`http://${ADDRESSES.appliance4}/`, '-H', 'Host: nobody.example');
    const unknown = await lineOf('the refusal', ({ host }) => host === 'nobody.example');
    assert.equal(unknown['status'], 421);
    assert.equal(unknown['reason'], 'refused-http-unknown-host');
    assert.deepEqual(
      linesOf(({ path }) => path === '/quiet' || path === '/never'),
      [],
    );
    assert.doesNotMatch(JSON.stringify(await appliance.api('/api/logs')), /"access"/);
    assert.equal((await appliance.counters())['proxy']!['access-log-lost'], 0);
  });
});
