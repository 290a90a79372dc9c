import assert from 'node:assert/strict';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { BackOff } from '../../../src/admin/auth/back-off.ts';
import {
  bearerToken,
  loadOrCreateToken,
  tokenPath,
  tokenVerifier,
} from '../../../src/admin/auth/bootstrap-token.ts';
import { temporaryDirectory } from './fixture.ts';

test('the token is made once, for its owner only, and found again', async (t) => {
  const directory = await temporaryDirectory(t);
  const token = await loadOrCreateToken(directory);
  assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  assert.equal((await stat(tokenPath(directory))).mode & 0o777, 0o600);
  assert.equal(await readFile(tokenPath(directory), 'utf8'), `${token}\n`);
  await chmod(tokenPath(directory), 0o644);
  assert.equal(await loadOrCreateToken(directory), token);
  assert.equal((await stat(tokenPath(directory))).mode & 0o777, 0o600);
});

test('a file with something else is refused, not taken for a token', async (t) => {
  const directory = await temporaryDirectory(t);
  for (const text of ['', 'secret\n', 'x'.repeat(44)]) {
    await writeFile(tokenPath(directory), text);
    await assert.rejects(loadOrCreateToken(directory), /expected 43 characters/);
  }
});

test('only the token itself verifies', () => {
  const isToken = tokenVerifier('right');
  assert.ok(isToken('right'));
  for (const other of ['', 'righ', 'rightx', 'Right']) assert.ok(!isToken(other));
});

for (const [header, token] of [
  ['Bearer abc', 'abc'],
  ['bearer   abc', 'abc'],
  ['Bearer', undefined],
  ['Bearer a b', undefined],
  ['Basic abc', undefined],
  [`Bearer ${'x'.repeat(300)}`, undefined],
  [undefined, undefined],
] as const) {
  test(`Authorization: ${header?.slice(0, 20)}`, () => assert.equal(bearerToken(header), token));
}

test('back-off: five free, then 1 s, doubled each time, at most a minute, forgotten after ten', () => {
  const backOff = new BackOff();
  let nowMs = 1000;
  for (let i = 0; i < 4; i++) assert.equal(backOff.fail('192.0.2.1', nowMs), 0);
  for (const waitMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    assert.equal(backOff.fail('192.0.2.1', nowMs), 0);
    assert.equal(backOff.fail('192.0.2.1', nowMs), waitMs);
    assert.equal(backOff.fail('192.0.2.2', nowMs - 3_600_000), 0, 'another source is not concerned');
    backOff.succeed('192.0.2.2');
    nowMs += waitMs;
  }
  nowMs += 600_000;
  for (let i = 0; i < 4; i++) assert.equal(backOff.fail('192.0.2.1', nowMs), 0);
});

test('back-off: one /64 is one source, and success clears it', () => {
  const backOff = new BackOff();
  for (let i = 1; i <= 5; i++) assert.equal(backOff.fail(`2001:db8::${i}`, 0), 0);
  assert.ok(backOff.fail('2001:db8::ffff', 0) > 0);
  assert.equal(backOff.fail('2001:db8:0:1::1', 0), 0);
  backOff.succeed('2001:db8::1');
  assert.equal(backOff.fail('2001:db8::2', 0), 0);
});
