/** The series of the history: name and unit. The order is that of a sample's figures. */
import { SERVICES } from '../services/all.ts';

/** Of the machine and the process. */
export const MACHINE_SERIES = {
  cpuPercent: '%',
  processCpuPercent: '%',
  memoryUsedBytes: 'bytes',
  processRssBytes: 'bytes',
  temperatureCelsius: '°C',
} as const;
export type MachineSeries = keyof typeof MACHINE_SERIES;

/** Computed from a service's report. */
export const SERVICE_SERIES = SERVICES.flatMap(({ name: service, series = {} }) =>
  Object.entries(series).map(([name, source]) => ({ name, service, source })),
);

export const HISTORY_SERIES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(SERVICE_SERIES.map(({ name, source }) => [name, source.unit])),
  ...MACHINE_SERIES,
};

/** The series of each server, requested by its name. */
export const HOST_SERIES = {
  hostUpBytesPerSecond: 'bytes/s',
  hostDownBytesPerSecond: 'bytes/s',
  hostAcceptedPerSecond: '1/s',
  hostConnections: 'connections',
} as const;
export type HostSeries = keyof typeof HOST_SERIES;
