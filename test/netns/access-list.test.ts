/** "lan" in the access list of a server: a client of the Internet is refused, until the appliance comes into its network. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Appliance, CONFIGURATION, startAppliance } from '../../lab/appliance.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type World, buildWorld } from '../../lab/world.ts';
import { ADDRESSES } from '../../lab/zone.ts';

const URL = `http://${ADDRESSES.appliance4}/`;

describe('an access list with "lan"', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  before(async () => {
    world = await buildWorld();
    const [web1, ...others] = CONFIGURATION.hosts;
    appliance = await startAppliance(world, {
      configuration: { ...CONFIGURATION, hosts: [{ ...web1, allow: ['lan'] }, ...others] },
      await: ['admin'],
    });
  });
  after(async () => {
    await appliance?.stop();
    await world[Symbol.asyncDispose]();
  });

  const status = async (name: string) => {
    const { client } = world.hosts;
    const { stdout } = await client.run('curl', [
      ...['-sS', '-o', '/dev/null', '-w', '%{http_code}'],
      ...['-H', `Host: ${name}`, URL],
    ]);
    return stdout;
  };
  /** What the client hears at the SSH port of web1. */
  const ssh = async () => {
    const [{ ssh: forwarded }] = CONFIGURATION.hosts;
    const script = `require('net').connect(${forwarded.port}, '${ADDRESSES.appliance4}')
      .on('data', (bytes) => { console.log(String(bytes).slice(0, 4)); process.exit(); })
      .on('error', ({ code }) => console.log(code));`;
    return (await world.hosts.client.run(process.execPath, ['-e', script])).stdout.trim();
  };

  it('refuses a client of the Internet: 403, a reset at the SSH port; another server is not concerned', async () => {
    assert.equal(await status('example.com'), '403');
    assert.equal(await ssh(), 'ECONNRESET');
    assert.notEqual(await status('example.org'), '403');
  });

  it('admits it as soon as the appliance is in its network', async () => {
    const { appliance: host } = world.hosts;
    await host.run('ip', ['link', 'add', 'lan9', 'type', 'veth', 'peer', 'name', 'lan9-peer']);
    for (const end of ['lan9', 'lan9-peer']) await host.run('ip', ['link', 'set', end, 'up']);
    // The way to the client stays as it is.
    await host.run('ip', ['addr', 'add', '203.0.113.77/24', 'dev', 'lan9', 'noprefixroute']);
    await waitUntil('the client to be admitted', async () => (await status('example.com')) === '200', {
      timeoutMs: 60_000,
      intervalMs: 300,
    });
    await waitUntil('the same at the SSH port', async () => (await ssh()) === 'SSH-', {
      timeoutMs: 60_000,
      intervalMs: 300,
    });
  });
});
