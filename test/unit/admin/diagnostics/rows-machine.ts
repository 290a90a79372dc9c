/** The machine itself: see check-rows.ts. */
import { fakeMachine } from './machine.ts';
import { type Row, without } from './check-rows.ts';

export const MACHINE_ROWS: readonly Row[] = [
  { title: 'clock is correct', check: 'clock', state: 'ok', what: /off by 12 ms at most/ },
  {
    title: 'clock runs free',
    check: 'clock',
    machine: { clock: () => ({ isSynchronised: false }) },
    state: 'warn',
    remedy: /UDP port 123/,
  },
  {
    title: 'clock is hidden',
    check: 'clock',
    machine: { clock: () => ({ isSynchronised: undefined }) },
    state: 'unknown',
  },
  {
    title: 'clock was never set',
    check: 'clock',
    deps: { now: new Date(0) },
    state: 'fail',
    what: /1970-01-01/,
  },
  { title: 'space is left', check: 'disk', state: 'ok', what: /18\.6 GiB of 29\.8 GiB/ },
  ...(
    [
      ['little space', { freeBytes: 300 * 2 ** 20 }, 'warn', /300 MiB/],
      ['no space', { freeBytes: 10 * 2 ** 20 }, 'fail', /10 MiB/],
      ['no files', { freeFiles: 100 }, 'warn', /100 more files/],
      ['read-only', { isWritable: false }, 'fail', /read-only/],
    ] as const
  ).map(
    ([title, more, state, what]): Row => ({
      title,
      check: 'disk',
      machine: { disk: async () => ({ ...(await fakeMachine().disk('')), ...more }) },
      state,
      what,
    }),
  ),
  { title: 'an SD card', check: 'disk-wear', state: 'unknown', what: /as SD cards never do/ },
  {
    title: 'a file system with errors',
    check: 'disk-wear',
    files: { '/sys/fs/ext4/mmcblk0p4/errors_count': '3' },
    state: 'fail',
    what: /mmcblk0p4 has seen 3 errors/,
    remedy: /backup/,
  },
  ...(
    [
      ['a young eMMC', '0x01 0x02', 'ok', /10 to 20 %/],
      ['an old eMMC', '0x08 0x03', 'warn', /70 to 80 %/],
      ['a worn-out eMMC', '0x02 0x0b', 'fail', /used up/],
      ['an eMMC without wear data', '0x00 0x00', 'unknown', /does not tell/],
    ] as const
  ).map(
    ([title, text, state, what]): Row => ({
      title,
      check: 'disk-wear',
      files: { '/sys/block/mmcblk0/device/life_time': text },
      state,
      what,
    }),
  ),
  { title: 'cool', check: 'temperature', state: 'ok', what: /48 °C/ },
  {
    title: 'warm',
    check: 'temperature',
    files: { '/sys/class/thermal/thermal_zone0/temp': '76000' },
    state: 'warn',
    remedy: /air/,
  },
  {
    title: 'hot',
    check: 'temperature',
    files: { '/sys/class/thermal/thermal_zone0/temp': '84000' },
    state: 'fail',
  },
  { title: 'no sensor', check: 'temperature', files: {}, state: 'unknown' },
  { title: 'power is fine', check: 'power', state: 'ok' },
  ...(
    [
      ['under-voltage now', '50001', 'fail'],
      ['under-voltage before', '50000', 'warn'],
      ['only hot', '20002', 'ok'],
    ] as const
  ).map(
    ([title, text, state]): Row => ({
      title,
      check: 'power',
      files: { '/sys/devices/platform/soc/soc:firmware/get_throttled': text },
      state,
    }),
  ),
  {
    title: 'under-voltage reported by hwmon',
    check: 'power',
    files: { '/sys/class/hwmon/hwmon1/name': 'rpi_volt', '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '1' },
    state: 'fail',
  },
  {
    title: 'not a Raspberry Pi',
    check: 'power',
    files: without('/sys/devices/platform/soc/soc:firmware/get_throttled'),
    state: 'unknown',
  },
];
