/** The image on QEMU's raspi3b: its SD slot, its USB network port, its device tree; Debian's kernel. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Bench, assertHealthy, configuration, startBench } from '../bench.ts';
import { APPLIANCE } from '../machine.ts';

describe('the image on raspi3b', { timeout: 1_800_000 }, () => {
  let bench: Bench;
  before(async () => {
    bench = await startBench('raspi3b');
    bench.machine.putFiles({
      'rpi-preseed.toml': bench.preseed('sandbar'),
      'tombolo.json': JSON.stringify(configuration()),
    });
  });
  after(() => bench?.[Symbol.asyncDispose]());

  test('serves after its first start', async (t) => {
    bench.powerOn();
    t.diagnostic(`first page after ${((await bench.pageAnswers()).ms / 1000).toFixed(1)} s`);
    await bench.sshAnswers();
    await bench.startEnds();
    await assertHealthy(bench);
    assert.match(await bench.shell("tr -d '\\0' </proc/device-tree/model"), /Raspberry Pi 3 Model B/);
    assert.equal(await bench.shell('lsblk --noheadings --nodeps --output NAME /dev/mmcblk0'), 'mmcblk0');
    const { stdout } = await bench.peer.run(
      'curl',
      [...['-fsS', '-m', '60', '-H', 'Host: example.com', `http://${APPLIANCE.ipv4}/`]],
      { timeoutMs: 120_000 },
    );
    assert.equal(stdout, 'web1 by http\n');
  });
});
