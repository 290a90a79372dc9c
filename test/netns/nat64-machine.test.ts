/** What NAT64 does to its machine, and what the machine does to it; on the topology of nat64/topology.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { reaches } from './nat64/programs.ts';
import { type Topology, createTopology, until } from './nat64/topology.ts';

/** What the appliance's namespace holds that NAT64 makes or changes. */
async function traces(net: Topology) {
  const show = (...command: string[]) => net.run('appliance', ...command);
  return {
    links: (await show('ip', '-o', 'link')).split('\n').map((line) => line.split(':')[1]),
    routes: await show('ip', '-4', 'route', 'show', 'table', 'all'),
    routes6: await show('ip', '-6', 'route', 'show', '64:ff9b::/96'),
    rules: await show('ip', 'rule'),
    nft: await show('nft', 'list', 'ruleset'),
    sysctls: await show(
      'sysctl',
      'net.ipv4.ip_forward',
      'net.ipv6.conf.all.forwarding',
      'net.ipv4.ip_local_port_range',
      'net.ipv6.conf.lan.accept_ra',
      'net.ipv4.conf.all.rp_filter',
      'net.ipv4.conf.wan.rp_filter',
    ),
  };
}

describe('NAT64 and its machine', () => {
  let net: Topology;
  before(async () => {
    net = await createTopology();
  });
  after(() => net[Symbol.asyncDispose]());

  test('stopping leaves nothing behind', async () => {
    await net.run('appliance', 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1');
    const before = await traces(net);
    const appliance = await net.startAppliance();
    await until('works', () => reaches(net));
    assert.notDeepEqual(await traces(net), before);
    await appliance.stop();
    assert.deepEqual(await traces(net), before);
  });

  test('what a killed process left behind is replaced, then removed', async () => {
    const before = await traces(net);
    const killed = await net.startAppliance();
    await killed.kill();
    const appliance = await net.startAppliance();
    await until('works', () => reaches(net));
    await appliance.stop();
    assert.deepEqual(await traces(net), before);
  });

  test('a new address is followed, none is a problem that says how to mend it', async () => {
    const appliance = await net.startAppliance();
    await until('works', () => reaches(net));
    await net.run('appliance', 'ip', 'addr', 'del', '198.51.100.1/24', 'dev', 'wan');
    await until('degraded', async () => (await appliance.status()).state === 'degraded');
    assert.match((await appliance.status()).problem ?? '', /nat64\.pool4/);
    await net.run('appliance', 'ip', 'addr', 'add', '198.51.100.7/24', 'dev', 'wan');
    await net.run('appliance', 'ip', 'route', 'add', 'default', 'via', '198.51.100.254');
    await until('running', async () => (await appliance.status()).state === 'running');
    assert.equal((await appliance.status()).figures['pool4Address'], '198.51.100.7');
    await until('works', () => reaches(net));
    await appliance.stop();
  });

  test('a deleted device is made again', async () => {
    const appliance = await net.startAppliance();
    await until('works', () => reaches(net));
    await net.run('appliance', 'ip', 'link', 'del', 'nat64');
    await until('works again', () => reaches(net));
    await appliance.stop();
  });

  test('disabled: no trace', async () => {
    const before = await traces(net);
    const appliance = await net.startAppliance({ enabled: false });
    assert.equal((await appliance.status()).state, 'disabled');
    assert.deepEqual(await traces(net), before);
    await appliance.stop();
  });
});
