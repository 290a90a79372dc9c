import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Appliance, INTERNET6, type Topology, createTopology, until } from './nat64/topology.ts';

describe('NAT64', () => {
  let net: Topology;
  let appliance: Appliance;
  before(async () => {
    net = await createTopology();
    appliance = await net.startAppliance();
    await until('the island reaches the internet', () =>
      net.run('island', 'ping', '-c', '1', '-W', '1', INTERNET6).then(
        () => true,
        () => false,
      ),
    );
  });
  after(() => net[Symbol.asyncDispose]());

  test('ping', async () => {
    const out = await net.run('island', 'ping', '-c', '3', '-i', '0.1', '-W', '2', INTERNET6);
    assert.match(out, / 3 received/);
    console.log(await appliance.status(), await appliance.counters());
  });
});
