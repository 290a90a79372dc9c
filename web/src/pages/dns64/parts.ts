import { formatCount } from '../../core/format.ts';
import { dictionary } from '../../core/locale.ts';
import type { ServiceParts } from '../../core/registry.ts';
import { queryRow } from './timeline.ts';

const text = dictionary(
  {
    queries: 'DNS queries a second',
    all: 'all',
    cached: 'from the cache',
    figures: {
      cacheEntries: 'Answers in the cache',
      hitPercent: 'From the cache, %',
      inFlight: 'Queries under way',
      tcpConnections: 'TCP connections of clients',
    },
  },
  {
    queries: 'DNS-Anfragen je Sekunde',
    all: 'alle',
    cached: 'aus dem Cache',
    figures: {
      cacheEntries: 'Antworten im Cache',
      hitPercent: 'Aus dem Cache, %',
      inFlight: 'Anfragen unterwegs',
      tcpConnections: 'TCP-Verbindungen von Clients',
    },
  },
);

export const parts: ServiceParts = {
  figures: () => text.value.figures,
  charts: [
    {
      title: () => text.value.queries,
      format: formatCount,
      series: [
        ['dnsQueriesPerSecond', () => text.value.all],
        ['dnsCachedPerSecond', () => text.value.cached],
      ],
    },
  ],
  timeline: [queryRow],
};
