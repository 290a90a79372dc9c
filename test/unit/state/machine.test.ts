import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openMachine, parseThrottled } from '../../../src/state/machine.ts';

/** A machine with only these files. */
function machineOf(t: TestContext, files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'tombolo-machine-'));
  t.after(() => rmSync(root, { recursive: true }));
  const write = (path: string, content: string) => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  for (const [path, content] of Object.entries(files)) write(path, content);
  return { machine: openMachine(root), write };
}

test('a Raspberry Pi', (t) => {
  const { machine, write } = machineOf(t, {
    'proc/device-tree/model': 'Raspberry Pi 4 Model B Rev 1.5\0',
    'proc/stat': 'cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 1 1 1\n',
    'proc/meminfo': 'MemTotal:        3884996 kB\nMemFree:          123456 kB\nMemAvailable:    3000000 kB\n',
    'sys/class/thermal/thermal_zone0/temp': '48312\n',
    'sys/devices/platform/soc/soc:firmware/get_throttled': '50005\n',
    'run/systemd/timesync/synchronized': '',
  });
  assert.equal(machine.model, 'Raspberry Pi 4 Model B Rev 1.5');
  assert.deepEqual(machine.memory(), { totalBytes: 3884996 * 1024, availableBytes: 3_072_000_000 });
  assert.equal(machine.temperatureCelsius(), 48.312);
  assert.deepEqual(machine.throttled(), {
    isUnderVoltage: true,
    isThrottled: true,
    wasUnderVoltage: true,
    wasThrottled: true,
  });
  assert.equal(machine.isClockSynchronized(), true);
  assert.equal(machine.cpuPercent(), null, 'nothing to compare with yet');
  write('proc/stat', 'cpu  150 0 75 825 100 0 0 0 0 0\n');
  assert.equal(machine.cpuPercent(), 50);
  assert.equal(machine.cpuPercent(), null, 'no time has passed');
});

test('for a missing directory, the disk on which it would be', (t) => {
  const { machine, write } = machineOf(t, {});
  write('here/file', '');
  const disk = machine.disk(tmpdir());
  assert.ok(disk.totalBytes > 0);
  assert.equal(machine.disk(join(tmpdir(), 'nowhere/at/all')).totalBytes, disk.totalBytes);
});

test('a machine with few facts', (t) => {
  const { machine } = machineOf(t, { 'run/systemd/timesync/other': '' });
  assert.equal(machine.model, null);
  assert.equal(machine.temperatureCelsius(), null);
  assert.equal(machine.throttled(), null);
  assert.equal(machine.cpuPercent(), null);
  assert.equal(machine.isClockSynchronized(), false);
  assert.deepEqual(machine.memory(), { totalBytes: 0, availableBytes: 0 });
});

test('bits of get_throttled', () => {
  const flags = (text: string) =>
    Object.values(parseThrottled(text) ?? {})
      .map(Number)
      .join('');
  assert.equal(flags('0'), '0000');
  assert.equal(flags('1'), '1000');
  assert.equal(flags('4'), '0100');
  assert.equal(flags('10000'), '0010');
  assert.equal(flags('40000\n'), '0001');
  assert.equal(parseThrottled('error'), null);
});
