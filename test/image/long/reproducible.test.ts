/** Two builds of the image from nothing, in different directories, and their differences. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const REPOSITORY = new URL('../../..', import.meta.url).pathname;
/** V8 writes unused bytes of its memory into it; the code is the same. */
const COMPILE_CACHE = 'usr/lib/tombolo/compile-cache/';

interface Partition {
  /** Sectors of 512 bytes. */
  readonly start: number;
  readonly size: number;
}

describe('two builds of the image', { timeout: 3_600_000 }, () => {
  let directory: string;
  let images: readonly string[];
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tombolo-reproducible-'));
    images = ['first', 'second'].map((name) => {
      const out = join(directory, name);
      const { status } = spawnSync(
        join(REPOSITORY, 'build-image.sh'),
        ['--debian-test', '--work', join(directory, 'work', name), '--out', out],
        { stdio: 'inherit' },
      );
      assert.equal(status, 0);
      return join(out, 'tombolo-debian-virt');
    });
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  test('kernel, initrd and package list are the same, byte for byte', () => {
    for (const extension of ['vmlinuz', 'initrd', 'packages.tsv']) {
      const [first, second] = images.map((image) => digest(readFileSync(`${image}.${extension}`)));
      assert.equal(first, second, extension);
    }
  });

  test('so are the partition table and the partitions that the firmware reads', () => {
    const [first, second] = images.map((image) => {
      const [, , bootB] = partitions(image);
      return digest(read(image, { start: 0, size: bootB.start }));
    });
    assert.equal(first, second);
  });

  test('the root has the same files, contents, owners, modes and times, except the compile cache', (t) => {
    const [first, second] = images.map((image, index) => rootFiles(image, join(directory, `root-${index}`)));
    assert.ok(first.length > 5000, `${first.length} lines`);
    t.diagnostic(`${first.length} lines on files and directories`);
    const [before, now] = [new Set(first), new Set(second)];
    const differing = [
      ...first.filter((line) => !now.has(line)),
      ...second.filter((line) => !before.has(line)),
    ];
    assert.deepEqual(differing, []);
  });
});

/** One line for each file and directory of the first root partition. */
function rootFiles(image: string, directory: string): string[] {
  const [, , , , root] = partitions(image);
  mkdirSync(directory);
  const fileSystem = `${directory}.ext4`;
  writeFileSync(fileSystem, read(image, root));
  execFileSync('debugfs', ['-R', `rdump / ${directory}`, fileSystem], { stdio: 'ignore' });
  const find = (...args: string[]) =>
    execFileSync('find', [...args], { cwd: directory, encoding: 'utf8', maxBuffer: 2 ** 26 })
      .split('\n')
      .filter((line) => line !== '' && !line.slice(line.indexOf('./') + 2).startsWith(COMPILE_CACHE));
  return [
    // debugfs does not set the time of links.
    ...find('.', '-mindepth', '1', '-type', 'l', '-printf', '%p l %U:%G %l\n'),
    ...find('.', '-mindepth', '1', '!', '-type', 'l', '-printf', '%p %y %m %U:%G %T@\n'),
    ...find('.', '-type', 'f', '-exec', 'sha256sum', '{}', '+'),
  ].sort();
}

function partitions(image: string): readonly Partition[] {
  const table = execFileSync('sfdisk', ['--json', `${image}.img`], { encoding: 'utf8' });
  return (JSON.parse(table) as { partitiontable: { partitions: Partition[] } }).partitiontable.partitions;
}

function read(image: string, { start, size }: Partition): Buffer {
  const content = Buffer.alloc(size * 512);
  const file = openSync(`${image}.img`, 'r');
  try {
    assert.equal(readSync(file, content, 0, content.length, start * 512), content.length);
  } finally {
    closeSync(file);
  }
  return content;
}

const digest = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
