import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicMs } from '../../../src/os/monotonic.ts';

test('the clock of hot loops counts the same milliseconds as CLOCK_MONOTONIC', () => {
  const kernelMs = () => Number(process.hrtime.bigint() / 1_000_000n);
  const before = kernelMs() | 0;
  const read = monotonicMs();
  const after = kernelMs() | 0;
  assert.ok(((read - before) | 0) >= 0 && ((after - read) | 0) >= 0, `${before} ${read} ${after}`);
});
