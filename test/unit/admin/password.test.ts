import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  HashQueue,
  hashPassword,
  isPasswordHash,
  verifyPassword,
  weakness,
} from '../../../src/admin/auth/password.ts';

// From the tests of the reference implementation (P-H-C/phc-winner-argon2, src/test.c).
const REFERENCE = [
  [
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    'password',
    true,
  ],
  [
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    'passwore',
    false,
  ],
  ['unusable', 'unusable', false],
  ['', '', false],
  [
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA',
    'password',
    false,
  ],
] as const;

for (const [hash, password, isRight] of REFERENCE) {
  test(`${hash.slice(0, 40)}... and "${password}": ${isRight}`, async () => {
    assert.equal(await verifyPassword(password, hash), isRight);
  });
}

test('a hash verifies its password in any Unicode form, and no other; the salt is new each time', async () => {
  const composed = 'gru\u0308n wie Gras';
  const [one, two] = [await hashPassword(composed), await hashPassword(composed)];
  assert.notEqual(one, two);
  assert.ok(isPasswordHash(one));
  assert.ok(await verifyPassword('grün wie Gras', one));
  assert.ok(!(await verifyPassword('gruen wie Gras', one)));
});

test('the memory of a hash is released', async () => {
  const residentBytes = () =>
    Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
  await hashPassword('once for the code');
  const before = residentBytes();
  // More than the threads that can compute one at a time; each would keep 19 MiB.
  for (let i = 0; i < 12; i++) await hashPassword('and once more');
  assert.ok(residentBytes() - before < 19 * 2 ** 20, `${residentBytes() - before} bytes more`);
});

test('the queue runs one at a time, known browsers first, and refuses the ninth waiting entry', async () => {
  const queue = new HashQueue();
  const order: string[] = [];
  const gates = Promise.withResolvers<void>();
  let running = 0;
  const job = (name: string) => async () => {
    assert.equal(++running, 1);
    await gates.promise;
    order.push(name);
    running--;
  };
  const first = queue.run('a', job('first'));
  const waiting = Array.from({ length: 8 }, (_, i) => queue.run('a', job(`stranger ${i}`)));
  await assert.rejects(queue.run('a', job('too many')), { statusCode: 429 });
  const known = queue.run(undefined, job('known'));
  const failing = queue.run(undefined, async () => {
    throw new Error('a failure ends its own turn only');
  });
  gates.resolve();
  await assert.rejects(failing, /its own turn only/);
  await Promise.all([first, known, ...waiting]);
  assert.deepEqual(order, ['first', 'known', ...Array.from({ length: 8 }, (_, i) => `stranger ${i}`)]);
  await queue.run('a', job('again'));
});

test('one source fills the queue: others get in, and its own last entries are refused', async () => {
  const queue = new HashQueue();
  const done: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = queue.run('greedy', () => gate.promise);
  const greedy = Array.from({ length: 8 }, (_, i) => queue.run('greedy', async () => void done.push(`${i}`)));
  const refused = Promise.all(greedy.slice(5).map((each) => assert.rejects(each, { statusCode: 429 })));
  const good = [1, 2, 3].map((i) => queue.run(`owner ${i}`, async () => void done.push(`owner ${i}`)));
  await assert.rejects(
    queue.run('greedy', async () => {}),
    { statusCode: 429 },
  );
  gate.resolve();
  await Promise.all([first, refused, ...good, ...greedy.slice(0, 5)]);
  assert.deepEqual(done, ['0', '1', '2', '3', '4', 'owner 1', 'owner 2', 'owner 3']);
});

for (const [password, isWeak] of [
  ['aaaaaaaaaab', true],
  ['TOMBOLO-2026', true],
  ['password123', true],
  ['raspberry!!!!', true],
  ['abcdefghij', true],
  ['1234567890', true],
  ['asdfghjklm', false],
  ['tombolo on the beach', false],
  ['Zwölf Boxkämpfer', false],
] as const) {
  test(`"${password}" is ${isWeak ? 'refused' : 'accepted'}`, () =>
    assert.equal(weakness(password) !== undefined, isWeak));
}
