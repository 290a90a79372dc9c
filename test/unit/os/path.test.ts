import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockState } from '../../../src/os/clock.ts';
import { SystemCallError } from '../../../src/os/libc.ts';
import { pathTo } from '../../../src/os/path.ts';
import { ping } from '../../../src/os/ping.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';

const bytes = (text: string) => parseIpAddress(text) ?? assert.fail(text);

for (const address of ['127.0.0.1', '::1']) {
  test(`the path to ${address} has a source and an MTU`, () => {
    const path = pathTo(bytes(address));
    assert.ok('source' in path);
    assert.equal(path.source, address);
    assert.ok(path.mtuBytes >= 1280);
  });

  test(`${address} answers an echo request`, async (t) => {
    try {
      const [reply] = await ping({ target: bytes(address), timeoutMs: 5000 });
      assert.equal(reply.address, address);
      assert.ok(reply.afterMs >= 0);
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      t.skip(`needs CAP_NET_RAW: ${error.message}`);
    }
  });
}

test('a path that does not exist is reported with its error', () => {
  // Sending to broadcast needs a socket option, which is not set.
  assert.deepEqual(pathTo(bytes('255.255.255.255')), { problem: 'EACCES' });
});

test('the state of the clock is read without changing it', () => {
  const { isSynchronised, maxErrorMs } = clockState();
  assert.ok(isSynchronised === undefined || typeof isSynchronised === 'boolean');
  assert.ok(maxErrorMs === undefined || maxErrorMs >= 0);
});
