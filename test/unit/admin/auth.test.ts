import assert from 'node:assert/strict';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { BackOff, sourceKey } from '../../../src/admin/auth/back-off.ts';
import { bearerToken, loadOrCreateToken, tokenPath } from '../../../src/admin/auth/bootstrap-token.ts';
import { openStorage } from '../../../src/runtime/storage.ts';
import { temporaryDirectory } from './fixture.ts';

test('the token is made once, readable only by its owner, and found again', async (t) => {
  const directory = await temporaryDirectory(t);
  const token = await loadOrCreateToken(openStorage(directory));
  assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  assert.equal((await stat(tokenPath(directory))).mode & 0o777, 0o600);
  assert.equal(await readFile(tokenPath(directory), 'utf8'), `${token}\n`);
  await chmod(tokenPath(directory), 0o644);
  assert.equal(await loadOrCreateToken(openStorage(directory)), token);
  assert.equal((await stat(tokenPath(directory))).mode & 0o777, 0o600);
});

test('a file with other content is not used as a token: it is moved aside, and a new token is made', async (t) => {
  const directory = await temporaryDirectory(t);
  for (const [index, text] of ['', 'secret\n', 'x'.repeat(44)].entries()) {
    await writeFile(tokenPath(directory), text);
    const token = await loadOrCreateToken(openStorage(directory));
    assert.match(token, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(await readFile(tokenPath(directory), 'utf8'), `${token}\n`);
    assert.equal(await readFile(`${tokenPath(directory)}.damaged-${index + 1}`, 'utf8'), text);
  }
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

test('back-off: five free, then 1 s, doubled each time, at most a minute, reset after ten minutes', () => {
  const backOff = new BackOff(5);
  let nowMs = 1000;
  for (let i = 0; i < 4; i++) backOff.fail('a', nowMs);
  assert.equal(backOff.waitMs('a', nowMs), 0);
  for (const waitMs of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    backOff.fail('a', nowMs);
    assert.equal(backOff.waitMs('a', nowMs), waitMs);
    assert.equal(backOff.waitMs('b', nowMs), 0, 'another source is not affected');
    nowMs += waitMs;
    assert.equal(backOff.waitMs('a', nowMs), 0);
  }
  nowMs += 600_000;
  for (let i = 0; i < 4; i++) backOff.fail('a', nowMs);
  assert.equal(backOff.waitMs('a', nowMs), 0);
});

test('back-off: success clears it', () => {
  const backOff = new BackOff(1);
  backOff.fail('a', 0);
  assert.ok(backOff.waitMs('a', 0) > 0);
  backOff.succeed('a');
  assert.equal(backOff.waitMs('a', 0), 0);
});

for (const [one, other, isSame] of [
  ['2001:db8::1', '2001:db8::ffff', true],
  ['2001:db8::1', '2001:db8:0:1::1', false],
  ['fe80::1%eth0', 'fe80::2%eth0', true],
  ['192.0.2.1', '192.0.2.1', true],
  ['192.0.2.1', '192.0.2.2', false],
  ['::ffff:192.0.2.1', '192.0.2.1', true],
] as const) {
  test(`${one} and ${other} are ${isSame ? 'one source' : 'two sources'}`, () =>
    assert.equal(sourceKey(one) === sourceKey(other), isSame));
}
