/**
 * Power cuts at random moments, from power-on to after the first run: QEMU is killed. Every second start is cut before it ends
 * or just after. A third of these have a new card, or a factory reset by the flag in the CONFIG partition, so that the cut hits
 * a first start. The start after each must serve, with everything that was acknowledged; it is then cut while configurations
 * are written.
 *
 *   TOMBOLO_CUTS (default 20)   TOMBOLO_SEED
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../random.ts';
import { type Written, assertLastAcknowledged, writeConfigurations } from '../acknowledged.ts';
import { dataPartition } from '../card.ts';
import { type Bench, assertHealthy, configuration, IDENTITY, startBench } from '../bench.ts';

const CUTS = Number(process.env['TOMBOLO_CUTS'] ?? 20);
const SEED = Number(process.env['TOMBOLO_SEED'] ?? Date.now() % 1e6);
/** Used until a start has been measured. */
const USUAL_START_MS = 75_000;
/** A multiple of the time of a start: some cuts come when it already serves. */
const LATEST_CUT = 1.3;
const WRITING_MS = 10_000;
const ANEW_EVERY = 3;

describe(`${CUTS} power cuts (TOMBOLO_SEED=${SEED})`, { timeout: 7_200_000 }, () => {
  const random = seededRandom(SEED);
  let bench: Bench;
  /** Undefined while the card is new. */
  let identity: string | undefined;
  let written: Written;
  let startMs = USUAL_START_MS;

  before(async () => {
    bench = await startBench('virt');
  });
  after(() => bench?.[Symbol.asyncDispose]());

  const beginAnew = (isNewCard: boolean) => {
    if (isNewCard) bench.machine.flash();
    bench.machine.putFiles({
      ...(isNewCard ? {} : { 'factory-reset': '' }),
      'rpi-preseed.toml': bench.preseed('sandbar'),
      'tombolo.json': JSON.stringify(configuration()),
    });
    identity = undefined;
    written = { acknowledged: 0, attempted: 0 };
  };

  for (let cut = 1; cut <= CUTS; cut += 2) {
    test(`cuts ${cut} and ${cut + 1}`, async (t) => {
      const round = (cut - 1) / 2;
      if (round % ANEW_EVERY === 0) beginAnew(round % (2 * ANEW_EVERY) === 0);
      const earlyMs = random() % Math.round(LATEST_CUT * startMs);
      bench.powerOn();
      await delay(earlyMs);
      await bench.cutPower();
      t.diagnostic(
        `${identity === undefined ? 'first' : 'later'} start cut after ${(earlyMs / 1000).toFixed(1)} s; ${checkDataPartition(bench)}`,
      );

      bench.powerOn();
      ({ ms: startMs } = await bench.pageAnswers());
      await bench.sshAnswers();
      await bench.startEnds();
      await assertHealthy(bench);
      assert.ok(!bench.machine.configFiles().includes('factory-reset'));
      const now = await bench.shell(IDENTITY);
      assert.equal(now.split('\n').length, 3, now);
      assert.equal(now, identity ?? now);
      identity = now;
      const token = now.split('\n')[2];
      await assertLastAcknowledged(bench, token, written);
      const journal = await bench.shell('journalctl --quiet --no-hostname --output=cat -u tombolo-state');
      assert.doesNotMatch(journal, /was repaired|CANNOT BE USED|CAN ONLY BE READ/);

      if (cut + 1 > CUTS) return;
      const stop = new AbortController();
      const writing = writeConfigurations(bench, token, written, stop.signal);
      await delay(random() % WRITING_MS);
      await bench.cutPower();
      stop.abort();
      await writing;
      t.diagnostic(
        `page after ${(startMs / 1000).toFixed(1)} s; cut with ${written.acknowledged} of ${written.attempted} configurations acknowledged; ${checkDataPartition(bench)}`,
      );
    });
  }
});

/** The state that the next start will find: checks the file system in the same way, on a copy. */
function checkDataPartition({ machine }: Bench): string {
  const { start, size } = dataPartition(machine.disk);
  const copy = join(machine.disk, '..', 'data.img');
  try {
    execFileSync('dd', [
      ...[`if=${machine.disk}`, `of=${copy}`, 'bs=1M', 'conv=sparse', 'status=none'],
      ...['iflag=skip_bytes,count_bytes,fullblock', `skip=${start}`, `count=${size}`],
    ]);
    if (spawnSync('blkid', ['--probe', copy]).status !== 0) return 'no file system yet';
    const { status, stdout } = spawnSync('e2fsck', ['-p', copy], { encoding: 'utf8' });
    // 0 clean, 1 repaired: e2fsck(8). Any other status would mean a loss.
    assert.ok(status === 0 || status === 1, `e2fsck ${status}: ${stdout}`);
    return status === 0 ? 'data partition clean' : 'data partition repaired';
  } finally {
    rmSync(copy, { force: true });
  }
}
