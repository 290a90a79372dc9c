/**
 * What prepare-state does with the card, on files instead of devices: when it makes a file system and when it must not, and how
 * the card gets its own id, with a power failure after each write.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const FIRMWARE = new URL('../../../firmware/rootfs/', import.meta.url).pathname;
const LIBEXEC = `${FIRMWARE}usr/libexec/tombolo/`;
const PATH = `${process.env['PATH']}:/usr/sbin:/sbin`;
const MIB = 2 ** 20;
const KEPT = 'what must not be lost\n';

function workDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'tombolo-card-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

/** Runs a function of one of the scripts; its exit status is the result. */
function call(script: string, command: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('sh', ['-uc', `. ${LIBEXEC}${script}; ${command}`], {
    encoding: 'utf8',
    env: { ...process.env, PATH },
  });
  return { status, output: stdout + stderr };
}

function writeAt(path: string, offset: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
}

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const tool = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', env: { ...process.env, PATH }, stdio: 'pipe' });

/** A used ext4 file system with one file. Larger than the first block group, so that it has backups. */
function fileSystemInUse(path: string, mib: number): void {
  const content = `${path}.kept`;
  writeFileSync(content, KEPT);
  truncateSync(openAndClose(path), mib * MIB);
  tool('mke2fs', '-q', '-F', '-t', 'ext4', '-b', '4096', path);
  tool('debugfs', '-w', '-R', `write ${content} kept`, path);
}

function openAndClose(path: string): string {
  closeSync(openSync(path, 'a'));
  return path;
}

const keptFile = (path: string) => tool('debugfs', '-R', 'cat kept', path);
const isSound = (path: string) => tool('e2fsck', '-f', '-n', path);

describe('the data partition', () => {
  interface Row {
    readonly title: string;
    readonly make: (device: string) => void;
    /** new: a new file system. kept: the old one with its content. untouched: refused, and not one byte is changed. */
    readonly becomes: 'new' | 'kept' | 'untouched';
  }
  const MARK = 'tombolo: a new file system is being made';
  const ROWS: readonly Row[] = [
    {
      title: 'as the image left it: all zeros',
      make: (device) => truncateSync(openAndClose(device), 160 * MIB),
      becomes: 'new',
    },
    {
      title: 'zeros where the image wrote, older data behind',
      make(device) {
        truncateSync(openAndClose(device), 160 * MIB);
        writeAt(device, 128 * MIB, Buffer.alloc(MIB, 'old'));
      },
      becomes: 'new',
    },
    {
      title: 'marked: the power failed before any other write',
      make(device) {
        truncateSync(openAndClose(device), 160 * MIB);
        writeAt(device, 0, Buffer.from(MARK));
      },
      becomes: 'new',
    },
    {
      title: 'marked, and half of a new file system written over an old one',
      make(device) {
        fileSystemInUse(device, 160);
        writeAt(device, 0, Buffer.from(MARK));
        writeAt(device, 4096, Buffer.alloc(20 * MIB, 0x5a));
      },
      becomes: 'new',
    },
    { title: 'sound', make: (device) => fileSystemInUse(device, 160), becomes: 'kept' },
    {
      title: 'the primary superblock cannot be read',
      make(device) {
        fileSystemInUse(device, 160);
        writeAt(device, 0, Buffer.alloc(4096));
      },
      becomes: 'kept',
    },
    {
      title: 'the primary superblock and its group descriptors are garbage',
      make(device) {
        fileSystemInUse(device, 160);
        writeAt(device, 0, Buffer.alloc(8192, 0xa5));
      },
      becomes: 'kept',
    },
    {
      title: 'the primary superblock cannot be read, and the journal has something to replay',
      make(device) {
        fileSystemInUse(device, 160);
        const commands = `${device}.debugfs`;
        writeFileSync(commands, 'journal_open\njournal_write -b 1000 /dev/zero\njournal_close\n');
        tool('debugfs', '-w', '-f', commands, device);
        writeAt(device, 0, Buffer.alloc(4096));
      },
      becomes: 'kept',
    },
    {
      title: 'garbage',
      make: (device) => writeFileSync(device, Buffer.alloc(66 * MIB, 'garbage')),
      becomes: 'untouched',
    },
    {
      title: 'another file system',
      make(device) {
        truncateSync(openAndClose(device), 66 * MIB);
        tool('mkfs.vfat', device);
      },
      becomes: 'untouched',
    },
    {
      title: 'zeros, except for one byte far behind',
      make(device) {
        truncateSync(openAndClose(device), 160 * MIB);
        writeAt(device, 50 * MIB, Buffer.from([1]));
      },
      becomes: 'untouched',
    },
  ];
  for (const { title, make, becomes } of ROWS)
    test(`${title}: ${becomes}`, () => {
      using work = workDirectory();
      const device = join(work.path, 'data');
      make(device);
      const before = digest(device);
      const { status, output } = call('data-partition.sh', `check_file_system ${device} ${work.path}`);
      assert.equal(status, becomes === 'untouched' ? 1 : 0, output);
      if (becomes === 'untouched') assert.equal(digest(device), before, output);
      else isSound(device);
      if (becomes === 'kept') assert.equal(keptFile(device), KEPT);
      if (becomes === 'new') {
        assert.match(tool('dumpe2fs', '-h', device), /volume name: +tombolo-data/);
        assert.notEqual(readFileSync(device).subarray(0, MARK.length).toString(), MARK);
      }
      assert.ok(!existsSync(join(work.path, 'new-data-partition')));
    });

  test('with a power failure after each write, a new file system is made again', () => {
    using work = workDirectory();
    const device = join(work.path, 'data');
    // A replacement for dd: the first N calls work, later ones fail.
    writeFileSync(
      join(work.path, 'dd'),
      `#!/bin/sh\nleft=$(cat ${work.path}/left)\n[ "$left" -gt 0 ] || exit 1\necho $((left - 1)) >${work.path}/left\nexec /bin/dd "$@"\n`,
      { mode: 0o755 },
    );
    for (let writes = 0; ; writes++) {
      rmSync(device, { force: true });
      fileSystemInUse(device, 160);
      writeFileSync(join(work.path, 'left'), String(writes));
      const cut = call(
        'data-partition.sh',
        `PATH=${work.path}:$PATH; make_file_system ${device} ${work.path}`,
      );
      // After the mark, which is the first write, the reset is certain.
      const { status, output } = call('data-partition.sh', `check_file_system ${device} ${work.path}`);
      assert.equal(status, 0, output);
      isSound(device);
      if (writes === 0) assert.equal(keptFile(device), KEPT);
      else assert.match(tool('dumpe2fs', '-h', device), /volume name: +tombolo-data/);
      if (cut.status === 0) break;
      assert.ok(writes < 10, cut.output);
    }
  });
});

describe("the disk's id", () => {
  const IMAGE_ID = '746f6d62';
  const COMMAND_LINE = `console=tty1 root=PARTUUID=${IMAGE_ID}-05 rootfstype=ext4 ro\n`;

  function card(path: string) {
    const [disk, boot, other] = ['disk', 'cmdline.txt', 'other.txt'].map((name) => join(path, name));
    writeFileSync(disk, Buffer.alloc(1024, 0xee));
    writeAt(disk, 440, Buffer.from(IMAGE_ID, 'hex').reverse());
    writeFileSync(boot, COMMAND_LINE);
    writeFileSync(other, COMMAND_LINE.replace('-05', '-06'));
    return { disk, boot, other };
  }
  const idOf = (disk: string) => Buffer.from(readFileSync(disk).subarray(440, 444)).reverse().toString('hex');

  test('is unique after the first start, and the same in both command lines, which are otherwise unchanged', () => {
    using work = workDirectory();
    const { disk, boot, other } = card(work.path);
    const ids = [1, 2].map(() => {
      const { status, output } = call('disk-id.sh', `make_disk_id_unique ${disk} ${boot} ${other}`);
      assert.equal(status, 0, output);
      return idOf(disk);
    });
    assert.notEqual(ids[0], IMAGE_ID);
    assert.equal(ids[1], ids[0]);
    assert.equal(readFileSync(boot, 'utf8'), COMMAND_LINE.replace(IMAGE_ID, ids[0]));
    assert.equal(readFileSync(other, 'utf8'), COMMAND_LINE.replace(`${IMAGE_ID}-05`, `${ids[0]}-06`));
    const rest = readFileSync(disk);
    rest.fill(0xee, 440, 444);
    assert.ok(rest.equals(Buffer.alloc(1024, 0xee)));
  });

  test('does not need the other slot', () => {
    using work = workDirectory();
    const { disk, boot } = card(work.path);
    assert.equal(call('disk-id.sh', `make_disk_id_unique ${disk} ${boot} ${work.path}/none`).status, 0);
    assert.equal(readFileSync(boot, 'utf8'), COMMAND_LINE.replace(IMAGE_ID, idOf(disk)));
  });

  test('is completed after a power failure between the command lines and the partition table', () => {
    using work = workDirectory();
    const { disk, boot, other } = card(work.path);
    writeFileSync(boot, COMMAND_LINE.replace(IMAGE_ID, '0badcafe'));
    assert.equal(call('disk-id.sh', `make_disk_id_unique ${disk} ${boot} ${other}`).status, 0);
    assert.equal(idOf(disk), '0badcafe');
    assert.match(readFileSync(other, 'utf8'), /root=PARTUUID=0badcafe-06/);
  });

  test('stays unchanged if a command line names no partition', () => {
    using work = workDirectory();
    const { disk, boot, other } = card(work.path);
    writeFileSync(boot, 'root=/dev/vda5\n');
    assert.notEqual(call('disk-id.sh', `make_disk_id_unique ${disk} ${boot} ${other}`).status, 0);
    assert.equal(idOf(disk), IMAGE_ID);
    assert.equal(readFileSync(boot, 'utf8'), 'root=/dev/vda5\n');
  });

  const IN_INITRD: readonly (readonly [
    title: string,
    root: string,
    there: readonly string[],
    chosen: string,
  ])[] = [
    ['the disk exists', 'PARTUUID=0badcafe-05', ['0badcafe-05', `${IMAGE_ID}-05`], ''],
    [
      "only the image's id is there",
      'PARTUUID=0badcafe-06',
      [`${IMAGE_ID}-06`],
      `ROOT=PARTUUID=${IMAGE_ID}-06\n`,
    ],
    ['there is no disk', 'PARTUUID=0badcafe-05', [], ''],
    ['the root is named differently', '/dev/vda5', [`${IMAGE_ID}-05`], ''],
  ];
  for (const [title, root, there, chosen] of IN_INITRD)
    test(`in the initrd: ${title}`, () => {
      using work = workDirectory();
      const parameters = join(work.path, 'param.conf');
      writeFileSync(parameters, '');
      for (const name of there) symlinkSync('/dev/null', join(work.path, name));
      execFileSync('sh', ['-eu', `${FIRMWARE}etc/initramfs-tools/scripts/local-top/tombolo-root`], {
        env: {
          PATH,
          ROOT: root,
          TOMBOLO_PARTUUIDS: work.path,
          TOMBOLO_PARAMETERS: parameters,
          TOMBOLO_TRIES: '2',
        },
      });
      assert.equal(readFileSync(parameters, 'utf8'), chosen);
    });
});

test('each of our units is confined', () => {
  const directory = `${FIRMWARE}usr/lib/systemd/system/`;
  /** systemd-analyze security: 0 is best. prepare-state mounts file systems for all, which rules out most restrictions. */
  const LIMITS: Readonly<Record<string, number>> = {
    'tombolo.service': 2.0,
    'tombolo-state.service': 4.2,
    'tombolo-import.service': 1,
    'tombolo-ssh-keys.service': 1.5,
    'tombolo-firewall.service': 1.5,
    'tombolo-reboot.service': 1.5,
    'tombolo-console.service': 2,
    'tombolo-compile-cache.service': 1,
  };
  const units = tool('sh', '-c', `cd ${directory} && ls tombolo*.service`).trim().split('\n');
  assert.deepEqual(units.sort(), Object.keys(LIMITS).sort());
  for (const unit of units) {
    const verdict = tool('systemd-analyze', 'security', '--offline=yes', '--no-pager', directory + unit);
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(verdict)?.[1]);
    assert.ok(exposure <= LIMITS[unit], `${unit}: ${exposure}, expected at most ${LIMITS[unit]}`);
  }
});
