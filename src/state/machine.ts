/** Figures of the machine, from /proc and /sys. Cheap enough to read each second; starts no process. */
import { readFileSync, type StatsFs, statfsSync, statSync } from 'node:fs';
import { availableParallelism, hostname, loadavg, release, uptime } from 'node:os';
import { dirname } from 'node:path';

export interface Throttled {
  readonly isUnderVoltage: boolean;
  readonly isThrottled: boolean;
  readonly wasUnderVoltage: boolean;
  readonly wasThrottled: boolean;
}

export interface MemoryFigures {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

export interface Machine {
  readonly hostname: string;
  /** The name of the board in the device tree. */
  readonly model: string | null;
  readonly kernel: string;
  readonly cores: number;
  uptimeSeconds(): number;
  /** Busy time of all cores together since the last call, in percent; null at the first call. */
  cpuPercent(): number | null;
  loadOneMinute(): number;
  memory(): MemoryFigures;
  temperatureCelsius(): number | null;
  disk(path: string): { totalBytes: number; freeBytes: number };
  throttled(): Throttled | null;
  /** Whether systemd-timesyncd has set the clock; null where it does not run. */
  isClockSynchronized(): boolean | null;
}

/** Reads the machine; `root` is a prefix for every path, for tests. */
export function openMachine(root = ''): Machine {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(root + path, 'latin1');
    } catch {
      return undefined;
    }
  };
  let before: CpuTimes | undefined;
  const model = read('/proc/device-tree/model');

  return {
    hostname: hostname(),
    model: model === undefined ? null : model.replace(/\0/g, '').trim(),
    kernel: release(),
    cores: availableParallelism(),
    uptimeSeconds: uptime,
    cpuPercent() {
      const now = parseCpuTimes(read('/proc/stat') ?? '');
      const percent = before === undefined || now === undefined ? null : busyPercent(before, now);
      before = now;
      return percent;
    },
    loadOneMinute: () => loadavg()[0],
    memory: () => parseMemory(read('/proc/meminfo') ?? ''),
    temperatureCelsius() {
      const milli = Number(read('/sys/class/thermal/thermal_zone0/temp') ?? Number.NaN);
      return Number.isFinite(milli) ? milli / 1000 : null;
    },
    disk(path) {
      const { bsize, blocks, bavail } = statfsOf(path);
      return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
    },
    throttled: () => parseThrottled(read('/sys/devices/platform/soc/soc:firmware/get_throttled')),
    isClockSynchronized() {
      if (statOf(`${root}/run/systemd/timesync`) === undefined) return null;
      return statOf(`${root}/run/systemd/timesync/synchronized`) !== undefined;
    },
  };
}

/** If the path is missing or not accessible, uses its parent, where the path would be created. */
function statfsOf(path: string): StatsFs {
  try {
    return statfsSync(path);
  } catch (error) {
    const parent = dirname(path);
    if (parent === path) throw error;
    return statfsOf(parent);
  }
}

const statOf = (path: string) => statSync(path, { throwIfNoEntry: false });

interface CpuTimes {
  readonly busy: number;
  readonly total: number;
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal, in clock ticks (proc_stat(5)). */
export function parseCpuTimes(stat: string): CpuTimes | undefined {
  const match = /^cpu +([0-9 ]+)/.exec(stat);
  if (match === null) return undefined;
  const ticks = match[1].trim().split(' ').slice(0, 8).map(Number);
  const total = ticks.reduce((sum, each) => sum + each, 0);
  return { busy: total - ticks[3] - (ticks[4] ?? 0), total };
}

function busyPercent(before: CpuTimes, now: CpuTimes): number | null {
  const total = now.total - before.total;
  return total <= 0 ? null : Math.max(0, Math.min(100, ((now.busy - before.busy) / total) * 100));
}

/** /proc/meminfo; zero for missing fields. */
export function parseMemory(meminfo: string): MemoryFigures {
  const kilobytes = (name: string) =>
    Number(new RegExp(`^${name}: +([0-9]+) kB$`, 'm').exec(meminfo)?.[1] ?? 0);
  return { totalBytes: kilobytes('MemTotal') * 1024, availableBytes: kilobytes('MemAvailable') * 1024 };
}

/** The bits of the firmware's "get_throttled" (raspberrypi.com, vcgencmd): 0 and 2 now, 16 and 18 since the start. */
export function parseThrottled(text: string | undefined): Throttled | null {
  if (text === undefined || !/^[0-9a-f]+\s*$/i.test(text)) return null;
  const bits = Number.parseInt(text, 16);
  const has = (bit: number) => (bits & (1 << bit)) !== 0;
  return { isUnderVoltage: has(0), isThrottled: has(2), wasUnderVoltage: has(16), wasThrottled: has(18) };
}
