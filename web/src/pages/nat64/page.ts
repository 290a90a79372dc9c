import { formatBitRate, formatCount } from '../../core/format.ts';
import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';
import { nat64Icon } from './icon.ts';
import { mappingRow } from './timeline.ts';

const text = dictionary(
  {
    title: 'NAT64',
    keywords: 'pool ports translator',
    views: { sessions: 'Sessions', bib: 'Mappings (BIB)', packet: 'A packet' },
    traffic: 'NAT64: throughput',
    out: 'out',
    back: 'back in',
    sessions: 'NAT64 sessions',
    drops: 'NAT64 drops a second',
    now: 'now',
    figures: {
      sessions: 'Sessions',
      bibEntries: 'Mappings (BIB)',
      pool4Address: 'IPv4 address (pool4)',
      fastPath: 'Fast path in the kernel',
    },
  },
  {
    title: 'NAT64',
    keywords: 'Pool Ports Übersetzer',
    views: { sessions: 'Sitzungen', bib: 'Zuordnungen (BIB)', packet: 'Ein Paket' },
    traffic: 'NAT64: Durchsatz',
    out: 'hinaus',
    back: 'zurück hinein',
    sessions: 'NAT64-Sitzungen',
    drops: 'NAT64: Verworfenes je Sekunde',
    now: 'jetzt',
    figures: {
      sessions: 'Sitzungen',
      bibEntries: 'Zuordnungen (BIB)',
      pool4Address: 'IPv4-Adresse (pool4)',
      fastPath: 'Abkürzung im Kernel',
    },
  },
);

export const page: PageRegistration = {
  id: 'nat64',
  paths: ['/nat64'],
  icon: nat64Icon,
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  views: () => text.value.views,
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'nat64',
    direction: 'out',
    title: () => text.value.title,
    short: () => text.value.title,
    href: '/nat64',
    bytes: ['bytes-6to4', 'bytes-4to6'],
    figures: () => text.value.figures,
    charts: [
      {
        title: () => text.value.traffic,
        format: formatBitRate,
        isTraffic: true,
        series: [
          ['nat64UpBytesPerSecond', () => text.value.out],
          ['nat64DownBytesPerSecond', () => text.value.back],
        ],
      },
      {
        title: () => text.value.sessions,
        format: formatCount,
        series: [['nat64Sessions', () => text.value.now]],
      },
      {
        title: () => text.value.drops,
        format: formatCount,
        series: [['nat64DropsPerSecond', () => text.value.now]],
      },
    ],
    timeline: [mappingRow],
  },
};
