import { formatCount } from '../../core/format.ts';
import { text } from '../../core/locale.ts';
import type { ServiceParts } from '../../core/registry.ts';
import { queryRow } from './timeline.ts';

export const parts: ServiceParts = {
  charts() {
    return [
      {
        title: text('DNS queries a second'),
        format: formatCount,
        series: [
          ['dnsQueriesPerSecond', text('all')],
          ['dnsCachedPerSecond', text('from the cache')],
        ],
      },
    ];
  },
  timeline: [queryRow],
};
