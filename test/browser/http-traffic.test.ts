/**
 * Chromium through the proxy: kept connections to several servers, uploads, streams and WebSockets at once, without an error. CI
 * runs the short form; `sh tools/node.sh test/run.ts http-long` runs five minutes. ../netns/http/network.ts draws the network.
 */
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { chromium } from 'playwright-core';
import { ADDRESSES, hostnameOf } from '../netns/http/addresses.ts';
import { isLong } from '../netns/http/long.ts';
import { CHROMIUM_FLAGS } from './support.ts';
import { type Network, startNetwork } from '../netns/http/network.ts';
import { rootOf, startServers } from '../netns/http/servers.ts';

const PAGE = join(import.meta.dirname, '../netns/http/clients/page.html');
const SHORT_ROUNDS = 25;
const LONG_MS = 300_000;
const FLAGS = [
  ...CHROMIUM_FLAGS,
  '--disable-features=HttpsUpgrades',
  `--host-resolver-rules=MAP *.example.com ${ADDRESSES.proxy}, MAP * ~NOTFOUND`,
];

describe('HTTP: Chromium', () => {
  let network: Network;
  before(async () => {
    network = await startNetwork();
    await startServers(network, ['nginx', 'node']);
    copyFileSync(PAGE, join(rootOf(network, 'node'), 'page.html'));
  });
  after(() => network?.[Symbol.asyncDispose]());

  it('kept connections, uploads, streams and WebSockets at once', async (t: TestContext) => {
    const script = join(network.directory, 'chromium.sh');
    writeFileSync(
      script,
      `#!/bin/sh\nexec ip netns exec ${network.outside.namespace} /usr/bin/chromium "$@"\n`,
    );
    chmodSync(script, 0o755);
    await using browser = await chromium.launch({ executablePath: script, args: FLAGS });
    const page = await browser.newPage();
    const troubles: string[] = [];
    page.on('pageerror', ({ message }) => troubles.push(message));
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? '';
      // The page leaves one stream of each round.
      if (reason !== 'net::ERR_ABORTED') troubles.push(`${request.method()} ${request.url()}: ${reason}`);
    });
    await page.goto(`http://${hostnameOf('node')}/page.html`);
    const before = await network.counters();
    const startedAt = performance.now();
    let rounds = 0;
    let exchanges = 0;
    const isOver = () => (isLong ? performance.now() - startedAt >= LONG_MS : rounds >= SHORT_ROUNDS);
    while (!isOver()) {
      exchanges += await page.evaluate<number>('performRound()');
      rounds++;
    }
    const accepted = (await network.counters())['accepted'] - before['accepted'];
    t.diagnostic(`${rounds} rounds, ${exchanges} exchanges, ${accepted} connections`);
    assert.deepEqual(troubles, []);
    // In each round a WebSocket and a stream that is left need connections of their own.
    assert.ok(accepted < exchanges / 2, 'connections are not kept');
  });
});
