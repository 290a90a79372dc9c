/** What the kernel's programs have counted, per CPU and direction. */
import { readFileSync } from 'node:fs';
import { mapOperation } from '../../../os/bpf.ts';
import { int32, pinned } from '../../../os/libc.ts';
import { TALLIES, TALLY_BYTES } from './fast-path-record.ts';

export interface Tallies {
  /** Reports what was counted since the last call; the first call reports everything. */
  reportNew(each: (name: (typeof TALLIES)[number][number], added: number) => void): void;
}

export function createTallies(map: number): Tallies {
  const bytes = pinned(possibleCpus() * TALLY_BYTES);
  const view = new DataView(bytes.buffer);
  const directions = TALLIES.map((names, direction) => ({
    names,
    read: mapOperation('lookup', map, int32(direction), bytes),
    counted: new Float64Array(names.length),
  }));
  return {
    reportNew(each) {
      for (const { names, read, counted } of directions) {
        if (!read()) continue;
        for (const [i, name] of names.entries()) {
          let total = 0;
          for (let at = i * 8; at < bytes.length; at += TALLY_BYTES)
            total += Number(view.getBigUint64(at, true));
          const added = total - counted[i];
          counted[i] = total;
          each(name, added);
        }
      }
    },
  };
}

/** How many values a per-CPU map has: one for each CPU that the machine could ever have. */
function possibleCpus(): number {
  const text = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim();
  return Number(text.split(/[-,]/).at(-1)) + 1;
}
