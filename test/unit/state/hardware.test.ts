import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { hostname, networkInterfaces, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NO_HARDWARE, createHardware, hardwareLines } from '../../../src/state/hardware.ts';
import { english, translate } from '../../../src/texts/text.ts';
import { GERMAN } from '../../../src/texts/de/all.ts';

test('the hardware of this machine is found, without serial numbers, hardware addresses and identifiers', async () => {
  const hardware = await createHardware({ limitSeconds: 60 }).find();
  assert.equal(hardware.os?.kernel, release());
  assert.equal(hardware.memory?.totalBytes, totalmem());
  assert.ok((hardware.processor?.cores ?? 0) > 0);
  assert.ok(hardware.disks !== null && hardware.interfaces !== null && hardware.board !== null);
  const json = JSON.stringify(hardware);
  const macs = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ mac }) => mac));
  for (const secret of [hostname(), ...macs.filter((mac) => !/^[0:]+$/.test(mac))])
    assert.ok(!json.includes(secret), `${secret} in ${json}`);
  assert.doesNotMatch(json, /serial|uuid|"mac"/i);
  assert.match(
    hardwareLines(hardware)
      .map(({ title }) => english(title))
      .join(),
    /Operating system/,
  );
});

test('a probe that hangs is killed with all its processes, and the parts printed before that are used', async () => {
  // A duration that no other program uses.
  const seconds = 4_000_000 + process.pid;
  process.env['TOMBOLO_STUB_SLEEP'] = String(seconds);
  const program = join(import.meta.dirname, 'hardware-stub.ts');
  const source = createHardware({ program, limitSeconds: 5 });
  const [first, second] = await Promise.all([source.find(), source.find()]);
  assert.equal(first, second);
  assert.deepEqual(
    { ...first, os: null },
    NO_HARDWARE,
    'missing and incomplete parts are null; unknown parts are ignored',
  );
  assert.equal(first.os?.distribution, 'Debian GNU/Linux');
  const running = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  assert.ok(!running.includes(`sleep ${seconds}`), 'a program that it has started still runs');
});

test('it is found again after an hour, not before', async () => {
  let nowMs = 0;
  const source = createHardware({ program: '/nonexistent/program.ts', nowMs: () => nowMs });
  const first = source.find();
  assert.deepEqual(await first, NO_HARDWARE);
  nowMs = 3_599_999;
  assert.equal(source.find(), first);
  nowMs = 3_600_000;
  assert.notEqual(source.find(), first);
  await source.find();
});

test('the lines for people contain the known facts, in both languages', () => {
  const lines = hardwareLines({
    board: {
      manufacturer: 'Raspberry Pi Foundation',
      model: '4 Model B',
      version: null,
      virtualMachine: null,
    },
    processor: { manufacturer: 'ARM', brand: 'Cortex-A72', cores: 4, physicalCores: 4, ghz: 1.8 },
    memory: { totalBytes: 4_005_650_432, modules: [] },
    disks: [
      { name: 'mmcblk0', model: null, kind: 'SSD', bus: null, bytes: 31_914_983_424, isRemovable: false },
    ],
    interfaces: [{ name: 'eth0', kind: 'wired', mbps: 1000 }],
    os: null,
  });
  assert.deepEqual(translate(lines), [
    { title: 'Board', text: 'Raspberry Pi Foundation 4 Model B' },
    { title: 'Processor', text: 'ARM Cortex-A72, 4 cores, 1.8 GHz' },
    { title: 'Memory', text: '3.7 GiB' },
    { title: 'Disk mmcblk0', text: 'SSD, 32 GB' },
    { title: 'Interface eth0', text: 'wired, 1000 Mbit/s' },
  ]);
  assert.deepEqual(translate(lines, GERMAN)[1], {
    title: 'Prozessor',
    text: 'ARM Cortex-A72, 4 Kerne, 1,8 GHz',
  });
  assert.deepEqual(hardwareLines(NO_HARDWARE), []);
});
