/** The provider changes the prefix, as many do each night: hosts with an address in the new prefix count as local at once. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Appliance, startAppliance } from '../../lab/appliance.ts';
import { waitUntil } from '../../lab/wait.ts';
import { type World, buildWorld } from '../../lab/world.ts';
import { ADDRESSES, IPV4_ONLY } from '../../lab/zone.ts';

/** Shorter than the interval of the regular look-up of "lan". */
const AT_ONCE_MS = 4000;

describe('another prefix', { concurrency: false }, () => {
  let world: World;
  let appliance: Appliance;
  const on = (host: 'appliance' | 'web1', ...words: string[]) =>
    world.hosts[host].run('ip', ['-6', ...words]);
  const dns = async (server: string) =>
    (await world.hosts.web1.attempt('dig', [`@${server}`, '+time=1', '+tries=1', 'AAAA', IPV4_ONLY])).stdout;
  before(async () => {
    world = await buildWorld();
    appliance = await startAppliance(world, { await: ['dns64', 'nat64', 'admin'] });
  });
  after(async () => {
    await appliance?.stop();
    await world[Symbol.asyncDispose]();
  });

  // Several times: the regular look-up of "lan" happens at a random moment.
  for (const prefix of ['2001:db8:a', '2001:db8:b', '2001:db8:c', '2001:db8:d']) {
    it(`${prefix}::/64: DNS64 and NAT64 serve it`, async () => {
      await on('web1', 'address', 'flush', 'dev', 'eth0', 'scope', 'global');
      await on('web1', 'address', 'add', `${prefix}::10/64`, 'dev', 'eth0', 'nodad');
      await on('appliance', 'address', 'flush', 'dev', 'lan', 'scope', 'global');
      await on('appliance', 'address', 'add', `${prefix}::1/64`, 'dev', 'lan', 'nodad');
      await on('web1', 'route', 'replace', 'default', 'via', `${prefix}::1`);
      await waitUntil('an answer', async () => (await dns(`${prefix}::1`)).includes('NOERROR'), {
        timeoutMs: AT_ONCE_MS,
      });
      await waitUntil('the IPv4 internet', async () => {
        const { code } = await world.hosts.web1.attempt('ping', [
          '-c1',
          '-W1',
          `64:ff9b::${ADDRESSES.mainland}`,
        ]);
        return code === 0;
      });
    });
  }

  it('nobody is refused after an outage', async () => {
    const last = '2001:db8:d';
    await on('appliance', 'link', 'set', 'lan', 'down');
    await on('appliance', 'link', 'set', 'lan', 'up');
    await on('appliance', 'address', 'replace', `${last}::1/64`, 'dev', 'lan', 'nodad');
    let answer = '';
    await waitUntil('any answer', async () => /status: \w+/.test((answer = await dns(`${last}::1`))));
    assert.match(answer, /status: NOERROR/);
  });
});
