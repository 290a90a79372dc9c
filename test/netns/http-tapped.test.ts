/**
 * What reaches nginx, Apache, Node and Python, byte by byte, and what they make of it; http/tap.ts records it, http/network.ts draws
 * the network.
 */
import { after, before, describe, it } from 'node:test';
import { ensurePackages, PACKAGES } from '../../lab/packages.ts';
import { type Driver, startDriver } from './http/drive.ts';
import { type Network, startNetwork } from './http/network.ts';
import { KEEPS_MS, type WebServer, startServers } from './http/servers.ts';
import { TAPPED } from './http/tap.ts';

const SERVERS: readonly WebServer[] = ['nginx', 'apache', 'node', 'python11'];

describe('HTTP: what reaches real servers', { concurrency: false }, () => {
  let network: Network;
  let driver: Driver;
  before(async () => {
    ensurePackages(PACKAGES.test, console.log);
    network = await startNetwork();
    await startServers(network, SERVERS, { keepsShortly: true });
    driver = await startDriver(network);
  });
  after(() => network?.[Symbol.asyncDispose]());

  for (const server of SERVERS) {
    describe(server, { concurrency: false }, () => {
      for (const [tapped, { title }] of TAPPED.entries()) it(title, () => driver.perform({ tapped, server }));
      it(`40 PUTs and GETs, while it ends idle connections after ${KEEPS_MS} ms`, () =>
        driver.perform({ putsTo: server, keepsMs: KEEPS_MS }));
    });
  }
});
