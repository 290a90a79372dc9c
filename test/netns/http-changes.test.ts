/**
 * What becomes of connections of HTTP when the configuration changes, or when the process ends; http/changes.ts has the scenarios,
 * http/network.ts draws the network.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SERVERS } from './http/addresses.ts';
import { type Act, CHANGES } from './http/changes.ts';
import { type Driver, startDriver } from './http/drive.ts';
import { type Network, startNetwork } from './http/network.ts';

const changes = (workers: number) => () => {
  let network: Network;
  let driver: Driver;
  before(async () => {
    network = await startNetwork({ proxy: { workers } });
    driver = await startDriver(network);
  });
  after(() => network?.[Symbol.asyncDispose]());

  async function act(what: Act): Promise<void> {
    const { configuration, appliance } = network;
    const { hosts, ...others } = configuration;
    switch (what) {
      case 'stop':
        appliance.process.kill('SIGTERM');
        return;
      case 'remove a':
        return network.apply({ ...others, hosts: hosts.filter(({ name }) => name !== 'a') });
      case 'move a to b':
        return network.apply({
          ...others,
          hosts: hosts
            .filter(({ name }) => name !== 'b')
            .map((host) => (host.name === 'a' ? { ...host, address: SERVERS.b } : host)),
        });
      default:
        return network.apply({ ...others, hosts: hosts.map((host) => ({ ...host, services: [] })) });
    }
  }

  for (const change of Object.keys(CHANGES)) {
    it(change, async () => {
      let isStopped = false;
      await driver.perform({ change }, async (what) => {
        isStopped = what === 'stop';
        await act(what);
      });
      if (isStopped) assert.equal(await network.appliance.exited, 0, network.appliance.output());
      else await network.apply(network.configuration);
    });
  }
};

for (const workers of [1, 2])
  describe(`HTTP: changes, ${workers} of our workers`, { concurrency: false }, changes(workers));
