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

/** Runs `define` with a driver in a network with these servers. */
function withServers(title: string, keepsShortly: boolean, define: (driver: () => Driver) => void): void {
  describe(title, { concurrency: false }, () => {
    let network: Network;
    let driver: Driver;
    before(async () => {
      ensurePackages(PACKAGES.test, console.log);
      network = await startNetwork();
      await startServers(network, SERVERS, { keepsShortly });
      driver = await startDriver(network);
    });
    after(() => network?.[Symbol.asyncDispose]());
    define(() => driver);
  });
}

withServers('HTTP: what reaches real servers', false, (driver) => {
  for (const server of SERVERS) {
    describe(server, { concurrency: false }, () => {
      for (const [tapped, { title }] of TAPPED.entries())
        it(title, () => driver().perform({ tapped, server }));
    });
  }
});

withServers(`HTTP: real servers that end idle connections after ${KEEPS_MS} ms`, true, (driver) => {
  for (const server of SERVERS)
    it(`${server}: 40 PUTs and GETs`, () => driver().perform({ putsTo: server, keepsMs: KEEPS_MS }));
});
