import { formatCount } from '../../core/format.ts';
import { dictionary } from '../../core/locale.ts';
import type { ServiceParts } from '../../core/registry.ts';
import { queryRow } from './timeline.ts';

const text = dictionary(
  {
    queries: 'DNS queries a second',
    all: 'all',
    cached: 'from the cache',
  },
  {
    queries: 'DNS-Anfragen je Sekunde',
    all: 'alle',
    cached: 'aus dem Cache',
  },
);

export const parts: ServiceParts = {
  charts() {
    const words = text.value;
    return [
      {
        title: words.queries,
        format: formatCount,
        series: [
          ['dnsQueriesPerSecond', words.all],
          ['dnsCachedPerSecond', words.cached],
        ],
      },
    ];
  },
  timeline: [queryRow],
};
