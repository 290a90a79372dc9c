/** The committed object of the kernel's program was made from the present source; and what happens if it cannot be used. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadFastPath, startFastPath } from '../../../../src/services/nat64/kernel/fast-path.ts';
import { OBJECT_FILE } from '../../../../src/services/nat64/kernel/fast-path-record.ts';
import { english } from '../../../../src/texts/text.ts';
import { SUMS_FILE, sourceFiles, sumLine } from '../../../../tools/build-bpf.ts';

/** The object must stay small: it must not contain debugging information. */
const LARGEST_BYTES = 16_384;
const EM_BPF = 247;

test('the object was made from this source (if not: `npm run build:bpf`)', () => {
  const [compiler, ...sums] = readFileSync(SUMS_FILE, 'utf8').trimEnd().split('\n');
  assert.match(compiler, /^# .*clang version \d/);
  assert.deepEqual(sums, [...sourceFiles(), OBJECT_FILE].map(sumLine));
});

test('each of our files that the source includes has a checksum', () => {
  const [source, ...headers] = sourceFiles();
  assert(headers.length > 0);
  const ours = /^#include "(.*)"$/gm;
  const all = /^ *# *include .*/gm;
  const fromDebian = /^#include <(?:(?:linux|bpf)\/[a-z0-9_]+|stdbool)\.h>$/;
  // Only the source may include our headers: a header included by another one would not be in the list.
  for (const file of [source, ...headers])
    for (const [line] of readFileSync(file, 'utf8').matchAll(all))
      assert(fromDebian.test(line) || (file === source && line.match(ours)), `${file}: ${line}`);
});

test('it is small, and made for the virtual processor of eBPF', () => {
  const object = readFileSync(OBJECT_FILE);
  assert.equal(object.toString('latin1', 0, 4), '\x7fELF');
  assert.equal(object.readUInt16LE(18), EM_BPF);
  assert(object.length < LARGEST_BYTES, `${object.length} bytes`);
  assert(!object.includes('.debug_'));
});

test('without libbpf the fast path is off and reports why', () => {
  const logged: string[] = [];
  const log = { info: (_: object, message: string) => void logged.push(message), warn: assert.fail };
  const started = startFastPath('lo', 16, log as never, 'libbpf-that-nobody-has.so.1');
  assert('off' in started);
  assert.match(
    english(started.off),
    /^libbpf-that-nobody-has\.so\.1 cannot be used \(Debian package libbpf1\): /,
  );
  assert.equal(logged.length, 1);
});

test('a damaged object is refused, not trusted', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-object-'));
  try {
    const objectFile = join(directory, 'damaged.o');
    writeFileSync(objectFile, readFileSync(OBJECT_FILE).subarray(0, 2000));
    assert.throws(() => loadFastPath({ maxFlows: 16, tunIndex: 1, objectFile }), /eBPF object .*damaged\.o/);
    assert.throws(
      () => loadFastPath({ maxFlows: 16, tunIndex: 1, objectFile: join(directory, 'missing.o') }),
      /eBPF object .*missing\.o: ENOENT/,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
