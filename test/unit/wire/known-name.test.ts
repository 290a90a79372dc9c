import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameText } from '../../../src/wire/known-name.ts';
import { octetsOf } from '../../../src/wire/http1/octets.ts';

const naive = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.subarray(start, end)).toString('latin1').toLowerCase();

test('the text is that of the bytes, whatever was asked for before', () => {
  const bytes = new Uint8Array(1000);
  const letters = 'abcXYZ019.-_[:]';
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let i = 0; i < 50_000; i++) {
    const start = random(100);
    // Short ones repeat, and there are far more names than places.
    const end = start + (i % 50 === 0 ? random(800) : random(6));
    for (let at = start; at < end; at++) bytes[at] = letters.charCodeAt(random(letters.length));
    assert.equal(nameText(bytes, start, end), naive(bytes, start, end));
  }
});

test('rows', () => {
  for (const name of [
    '',
    'Example.COM',
    'example.com',
    '[2001:DB8::1]',
    'a'.repeat(255),
    'B'.repeat(300),
    '@[`{',
  ]) {
    const bytes = octetsOf(name);
    for (let again = 0; again < 2; again++)
      assert.equal(nameText(bytes, 0, bytes.length), name.toLowerCase());
  }
});
