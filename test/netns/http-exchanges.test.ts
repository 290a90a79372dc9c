/**
 * HTTP exchanges through the proxy, to the byte: what a client sends and in which pieces, what reaches which server, and what
 * the client gets. The tables are in http/rows-*.ts; http/network.ts draws the network.
 */
import { after, before, describe, it } from 'node:test';
import { type Driver, startDriver } from './http/drive.ts';
import { type Network, startNetwork } from './http/network.ts';
import { TABLES } from './http/rows.ts';
import { SCENARIOS } from './http/scenarios.ts';

/** A first line must be judged long before this. */
const HANDSHAKE_TIMEOUT_MS = 60_000;

describe('HTTP exchanges', { concurrency: false }, () => {
  let network: Network;
  let driver: Driver;
  before(async () => {
    network = await startNetwork({ proxy: { handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS } });
    driver = await startDriver(network);
  });
  after(() => network?.[Symbol.asyncDispose]());

  for (const table of Object.keys(TABLES) as (keyof typeof TABLES)[]) {
    describe(table, { concurrency: false }, () => {
      for (const [row, { title, isWholeOnly }] of TABLES[table].entries()) {
        it(title, async () => {
          await driver.perform({ table, row, variant: 'in one piece' });
          if (isWholeOnly !== true) await driver.perform({ table, row, variant: 'byte by byte' });
        });
      }
    });
  }

  describe('many requests', { concurrency: false }, () => {
    for (const scenario of Object.keys(SCENARIOS)) it(scenario, () => driver.perform({ scenario }));
  });
});
