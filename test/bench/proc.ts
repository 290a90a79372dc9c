/** CPU time and memory of a process, and the counters of a namespace, read from /proc. */
import { readFileSync, readdirSync } from 'node:fs';

/** The processes whose parent is `pid`. */
export function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    // The command name is in parentheses and may contain any character, so fields are counted after the last parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // has ended meanwhile
  }
}

/**
 * CPU time in nanoseconds of the threads of a process, user and kernel, including the softirq work that ran in their context.
 * From schedstat, because stat counts in ticks of 10 ms. When a thread ends, its share is no longer included.
 */
export function cpuNs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]),
  );
  return threads.reduce((sum, ns) => sum + ns, 0);
}

/** Resident memory of a process in bytes, added up by the kernel page by page (VmRSS lags behind by some pages per CPU). */
export function residentBytes(pid: number): number {
  const rss = /^Rss:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'));
  if (rss === null) throw new Error(`/proc/${pid}/smaps_rollup: no Rss`);
  return Number(rss[1]) * 1024;
}

/**
 * UDP datagrams, of both families, that have reached a socket in the network namespace of a process: those that were read, and
 * those that were dropped because the queue was full.
 */
export function arrivedDatagrams(pid: number): number {
  const lines = readFileSync(`/proc/${pid}/net/snmp`, 'latin1').match(/^Udp: .*$/gm);
  const udp6 = readFileSync(`/proc/${pid}/net/snmp6`, 'latin1');
  if (lines?.length !== 2) throw new Error(`/proc/${pid}/net/snmp: no Udp lines`);
  const [names, values] = lines.map((line) => line.split(' '));
  const of4 = (name: string) => Number(values[names.indexOf(name)]);
  const of6 = (name: string) => Number(new RegExp(`^Udp6${name}\\s+([0-9]+)$`, 'm').exec(udp6)?.[1]);
  return ['InDatagrams', 'RcvbufErrors'].reduce((sum, name) => sum + of4(name) + of6(name), 0);
}
