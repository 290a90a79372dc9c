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
