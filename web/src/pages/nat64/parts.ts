import { formatBitRate, formatCount } from '../../core/format.ts';
import { dictionary } from '../../core/locale.ts';
import type { ServiceParts } from '../../core/registry.ts';
import { mappingRow } from './timeline.ts';

const text = dictionary(
  {
    traffic: 'NAT64: throughput',
    out: 'out',
    back: 'back in',
    sessions: 'NAT64 sessions',
    drops: 'NAT64 drops a second',
    now: 'now',
  },
  {
    traffic: 'NAT64: Durchsatz',
    out: 'hinaus',
    back: 'zurück hinein',
    sessions: 'NAT64-Sitzungen',
    drops: 'NAT64: Verworfenes je Sekunde',
    now: 'jetzt',
  },
);

export const parts: ServiceParts = {
  charts() {
    const words = text.value;
    return [
      {
        title: words.traffic,
        format: formatBitRate,
        isTraffic: true,
        series: [
          ['nat64UpBytesPerSecond', words.out],
          ['nat64DownBytesPerSecond', words.back],
        ],
      },
      {
        title: words.sessions,
        format: formatCount,
        series: [['nat64Sessions', words.now]],
      },
      {
        title: words.drops,
        format: formatCount,
        series: [['nat64DropsPerSecond', words.now]],
      },
    ];
  },
  timeline: [mappingRow],
};
