/** The series of the history: name and unit. The order is that of a sample's figures. */
export const HISTORY_SERIES = {
  proxyUpBytesPerSecond: 'bytes/s',
  proxyDownBytesPerSecond: 'bytes/s',
  forwardUpBytesPerSecond: 'bytes/s',
  forwardDownBytesPerSecond: 'bytes/s',
  nat64UpBytesPerSecond: 'bytes/s',
  nat64DownBytesPerSecond: 'bytes/s',
  proxyConnections: 'connections',
  forwardConnections: 'connections',
  proxyAcceptedPerSecond: '1/s',
  forwardAcceptedPerSecond: '1/s',
  dnsQueriesPerSecond: '1/s',
  dnsCachedPerSecond: '1/s',
  nat64Sessions: 'sessions',
  nat64DropsPerSecond: '1/s',
  cpuPercent: '%',
  processCpuPercent: '%',
  memoryUsedBytes: 'bytes',
  processRssBytes: 'bytes',
  temperatureCelsius: '°C',
} as const;
export type HistorySeries = keyof typeof HISTORY_SERIES;

/** The series of each server, asked for with its name. */
export const HOST_SERIES = {
  hostUpBytesPerSecond: 'bytes/s',
  hostDownBytesPerSecond: 'bytes/s',
  hostAcceptedPerSecond: '1/s',
  hostConnections: 'connections',
} as const;
export type HostSeries = keyof typeof HOST_SERIES;
