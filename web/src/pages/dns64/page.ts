import { formatCount } from '../../core/format.ts';
import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';
import { dns64Icon } from './icon.ts';
import { queryRow } from './timeline.ts';

const text = dictionary(
  {
    title: 'DNS64',
    keywords: 'resolver cache upstream queries',
    unit: 'queries/s',
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
    title: 'DNS64',
    keywords: 'Resolver Cache Upstream Anfragen',
    unit: 'Anfragen/s',
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

export const page: PageRegistration = {
  id: 'dns64',
  paths: ['/dns64'],
  icon: dns64Icon,
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'dns64',
    direction: 'out',
    title: () => text.value.title,
    short: () => text.value.title,
    href: '/dns64',
    bytes: [],
    events: { counters: ['queries-udp', 'queries-tcp'], unit: () => text.value.unit },
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
  },
};
