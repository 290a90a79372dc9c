/**
 * Metrics for Prometheus, in its text format 0.0.4. Every counter of every service has a name derived from the service's
 * counter table, and the table's sentence as HELP.
 */
import type { AddressHealthFound } from '../runtime/address-health.ts';
import { HOST_COUNTERS, type HostTraffic, hostCounterTable, sumHosts } from '../runtime/host-traffic.ts';
import type { ServiceReport } from '../runtime/report.ts';
import { SERVICES } from '../services/all.ts';
import type { Machine } from './machine.ts';
import type { ProcessFigures } from './process.ts';

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

/** By service: the numeric figures of its status that are worth a graph; others are left out. */
const GAUGES = new Map(SERVICES.map(({ name, gauges = {} }) => [name, gauges]));

const snake = (text: string): string =>
  text
    .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_|_$/g, '');

/** "bytes-up" of proxy becomes tombolo_proxy_up_bytes_total, with the unit before "total", as Prometheus requires. */
export function counterMetric(service: string, counter: string): string {
  const words = counter.split('-').filter((word) => word !== 'bytes');
  const unit = words.length < counter.split('-').length ? ['bytes'] : [];
  return snake(['tombolo', service, ...words, ...unit, 'total'].join('_'));
}

export interface MetricsSources {
  readonly reports: readonly ServiceReport[];
  readonly process: ProcessFigures;
  readonly machine: Machine;
  readonly version: string;
  readonly startedAt: Date;
}

/** All families, always in the same order. */
function families({ reports, process, machine, version, startedAt }: MetricsSources): Family[] {
  const perService = (value: (report: ServiceReport) => number) =>
    reports.map((report) => ({ labels: { service: report.name }, value: value(report) }));
  const one = (value: number) => [{ value }];
  const memory = machine.memory();
  const temperature = machine.temperatureCelsius();
  const gauge = (name: string, help: string, samples: Family['samples']): Family => ({
    name,
    type: 'gauge',
    help,
    samples,
  });
  return [
    gauge('tombolo_build_info', 'The version that runs; always 1', [{ labels: { version }, value: 1 }]),
    gauge(
      'tombolo_service_up',
      'Whether the service does all it was asked to: 1, or 0 when it is degraded, failed or switched off; NaN before it was measured',
      perService(({ status: { state } }) => (state === 'unknown' ? Number.NaN : Number(state === 'running'))),
    ),
    {
      name: 'tombolo_service_restarts_total',
      type: 'counter',
      help: 'How often the worker thread of the service was started again',
      samples: perService(({ status }) => status.restarts),
    },
    ...reports.flatMap(({ name, counterTable, counters, status }) => [
      ...Object.entries(counterTable).map(
        ([counter, help]): Family => ({
          name: counterMetric(name, counter),
          type: 'counter',
          help,
          samples: one(counters[counter] ?? 0),
        }),
      ),
      ...Object.entries(status.figures).flatMap(([figure, value]) =>
        typeof value === 'number' && figure in (GAUGES.get(name) ?? {})
          ? [gauge(snake(`tombolo_${name}_${snake(figure)}`), GAUGES.get(name)?.[figure] ?? '', one(value))]
          : [],
      ),
    ]),
    ...hostFamilies(sumHosts(reports)),
    ...healthFamilies(reports),
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'User and system time of all threads',
      samples: one(process.cpuSeconds),
    },
    gauge('process_resident_memory_bytes', 'Memory of the process', one(process.rssBytes)),
    gauge(
      'process_start_time_seconds',
      'When the process started, since 1970',
      one(startedAt.getTime() / 1000),
    ),
    gauge('tombolo_memory_total_bytes', 'Memory of the machine', one(memory.totalBytes)),
    gauge(
      'tombolo_memory_available_bytes',
      'Memory that programs may still get without swapping',
      one(memory.availableBytes),
    ),
    ...(temperature === null
      ? []
      : [gauge('tombolo_temperature_celsius', 'Temperature of the processor', one(temperature))]),
  ];
}

/** Traffic by server; nothing without servers. */
function hostFamilies(hosts: ReadonlyMap<string, HostTraffic>): Family[] {
  if (hosts.size === 0) return [];
  return HOST_COUNTERS.map((counter) => {
    const isGauge = counter === 'connections';
    return {
      name: isGauge ? 'tombolo_host_connections' : counterMetric('host', counter),
      type: isGauge ? 'gauge' : 'counter',
      help: hostCounterTable[counter],
      samples: Array.from(hosts, ([host, traffic]) => ({ labels: { host }, value: traffic[counter] })),
    };
  });
}

/** Health checks of addresses; nothing without them. */
function healthFamilies(reports: readonly ServiceReport[]): Family[] {
  const found = reports.flatMap(({ health = {} }) =>
    Object.entries(health).flatMap(([host, all]) => all.map((each) => ({ host, ...each }))),
  );
  if (found.length === 0) return [];
  const samples = (value: (each: AddressHealthFound) => number) =>
    found.map(({ host, ...each }) => ({
      labels: { host, listener: each.service, address: each.address },
      value: value(each),
    }));
  return [
    {
      name: 'tombolo_host_address_up',
      type: 'gauge',
      help: 'Whether an address of a server passes its health checks: 1 or 0; NaN before it was measured',
      samples: samples(({ state }) => (state === 'unknown' ? Number.NaN : Number(state === 'ok'))),
    },
    {
      name: 'tombolo_host_address_falls_total',
      type: 'counter',
      help: 'How often an address of a server began to fail its health checks',
      samples: samples(({ falls }) => falls),
    },
  ];
}

const escapeHelp = (text: string) => text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
const escapeLabel = (text: string) => escapeHelp(text).replace(/"/g, '\\"');

/** The whole document. */
export function renderMetrics(sources: MetricsSources): string {
  const lines = families(sources).flatMap(({ name, type, help, samples }) => [
    `# HELP ${name} ${escapeHelp(help)}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ labels, value }) => {
      const pairs = Object.entries(labels ?? {}).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
      return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
    }),
  ]);
  return `${lines.join('\n')}\n`;
}
