/** Figures of the process itself, for the status page. */

export interface ProcessFigures {
  readonly rssBytes: number;
  /** User and system time of all threads since the start. */
  readonly cpuSeconds: number;
  readonly uptimeSeconds: number;
}

/** A snapshot of this process. */
export function processFigures(): ProcessFigures {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  return {
    rssBytes: process.memoryUsage.rss(),
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    uptimeSeconds: process.uptime(),
  };
}
