/**
 * HTTP exchanges through the proxy, to the byte: what a client sends and in which pieces, what reaches which server, and what
 * the client gets. The tables are in http/rows-*.ts; http/network.ts draws the network.
 */
import { after, before, describe, it } from 'node:test';
import { type Driver, startDriver } from './http/drive.ts';
import { type Network, type NetworkOptions, startNetwork } from './http/network.ts';
import { TABLES } from './http/rows.ts';
import { PROXY_SCENARIOS, SCENARIOS } from './http/scenarios.ts';

const SILENT_PEERS = 'silent peers';

/** Runs `define` with a driver in a network of its own. */
function inNetwork(title: string, options: NetworkOptions, define: (driver: () => Driver) => void): void {
  describe(title, { concurrency: false }, () => {
    let network: Network;
    let driver: Driver;
    before(async () => {
      network = await startNetwork(options);
      driver = await startDriver(network);
    });
    after(() => network?.[Symbol.asyncDispose]());
    define(() => driver);
  });
}

function tableOf(table: keyof typeof TABLES, driver: () => Driver): void {
  for (const [row, { title, isWholeOnly }] of TABLES[table].entries()) {
    it(title, async () => {
      await driver().perform({ table, row, variant: 'in one piece' });
      if (isWholeOnly !== true) await driver().perform({ table, row, variant: 'byte by byte' });
    });
  }
}

// Everything is judged long before these times are over.
inNetwork('HTTP exchanges', { proxy: { handshakeTimeoutMs: 60_000 } }, (driver) => {
  for (const table of Object.keys(TABLES) as (keyof typeof TABLES)[]) {
    if (table === SILENT_PEERS) continue;
    describe(table, { concurrency: false }, () => tableOf(table, driver));
  }
  describe('many requests', { concurrency: false }, () => {
    for (const scenario of Object.keys(SCENARIOS)) it(scenario, () => driver().perform({ scenario }));
  });
});

inNetwork(
  'HTTP exchanges with silent peers',
  { proxy: { handshakeTimeoutMs: 1000, responseTimeoutMs: 1000, idleTimeoutMs: 1000 } },
  (driver) => tableOf(SILENT_PEERS, driver),
);

inNetwork('HTTP to servers with PROXY headers', { host: { clientAddress: 'proxy-v1' } }, (driver) => {
  for (const scenario of Object.keys(PROXY_SCENARIOS)) it(scenario, () => driver().perform({ scenario }));
});
