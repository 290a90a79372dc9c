/** The figures of the history: the growth of the services' counters since the last sample, and the machine's state. */
import { type HostTraffic, sumHosts } from '../runtime/host-traffic.ts';
import type { ServiceReport } from '../runtime/report.ts';
import { MACHINE_SERIES, type MachineSeries, SERVICE_SERIES } from './history-series.ts';
import type { Machine } from './machine.ts';
import { processFigures } from './process.ts';

/** Returns a function that takes a sample. Rates cover the time since its last call; NaN at the first call. */
export function createSampler(
  reports: () => readonly ServiceReport[],
  machine: Machine,
): (nowMs: number) => number[] {
  let beforeMs = 0;
  let cpuSeconds = Number.NaN;
  const totals = new Map<string, number>();

  /** Growth per second. A total that is smaller than before was reset meanwhile. */
  function growth(name: string, total: number | undefined, seconds: number): number {
    const before = totals.get(name);
    if (total === undefined) totals.delete(name);
    else totals.set(name, total);
    if (total === undefined || before === undefined || seconds <= 0) return Number.NaN;
    return (total >= before ? total - before : total) / seconds;
  }

  return (nowMs) => {
    const seconds = (nowMs - beforeMs) / 1000;
    beforeMs = nowMs;
    const services = new Map(reports().map((report) => [report.name, report]));
    const own = processFigures();
    const cpuBefore = cpuSeconds;
    cpuSeconds = own.cpuSeconds;
    const { totalBytes, availableBytes } = machine.memory();
    const ofMachine: Readonly<Record<MachineSeries, number | null>> = {
      cpuPercent: machine.cpuPercent(),
      processCpuPercent: seconds > 0 ? ((own.cpuSeconds - cpuBefore) / seconds) * 100 : null,
      memoryUsedBytes: totalBytes - availableBytes,
      processRssBytes: own.rssBytes,
      temperatureCelsius: machine.temperatureCelsius(),
    };
    const ofServices = SERVICE_SERIES.map(({ name, service, source }) => {
      const report = services.get(service);
      if ('figure' in source) {
        const figure = report?.status.figures[source.figure];
        return typeof figure === 'number' ? figure : Number.NaN;
      }
      const counted = Object.entries(report?.counters ?? {}).filter(([counter]) => source.rateOf(counter));
      const total = counted.length === 0 ? undefined : counted.reduce((sum, [, value]) => sum + value, 0);
      return growth(name, total, seconds);
    });
    const names = Object.keys(MACHINE_SERIES) as MachineSeries[];
    return [...ofServices, ...names.map((name) => ofMachine[name] ?? Number.NaN)];
  };
}

/** Returns a function that samples each server with traffic since its last call: figures in the order of HOST_SERIES. */
export function createHostSampler(
  reports: () => readonly ServiceReport[],
): (nowMs: number) => Map<string, readonly number[]> {
  let beforeMs = Number.NaN;
  let before = new Map<string, HostTraffic>();
  return (nowMs) => {
    const seconds = (nowMs - beforeMs) / 1000;
    const totals = sumHosts(reports());
    const figures = new Map<string, readonly number[]>();
    for (const [name, traffic] of totals) {
      const known = before.get(name);
      // A total that is smaller than before was reset meanwhile; a new server started at zero.
      const rate = (counter: keyof HostTraffic): number => {
        const from = known?.[counter] ?? 0;
        const grown = traffic[counter] >= from ? traffic[counter] - from : traffic[counter];
        return seconds > 0 ? grown / seconds : 0;
      };
      const all = [rate('bytes-up'), rate('bytes-down'), rate('accepted'), traffic.connections];
      if (all.some((figure) => figure !== 0)) figures.set(name, all);
    }
    beforeMs = nowMs;
    before = totals;
    return figures;
  };
}
