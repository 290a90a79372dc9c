import { config } from '../../core/config.ts';
import { formatBitRate } from '../../core/format.ts';
import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';
import { connectionRow } from '../live/connection.ts';

const text = dictionary(
  {
    title: 'Proxy',
    keywords: 'http https sni listeners',
    traffic: 'Proxy: throughput',
    up: 'towards the servers',
    down: 'back',
    series: 'proxy',
  },
  {
    title: 'Proxy',
    keywords: 'http https sni Listener',
    traffic: 'Proxy: Durchsatz',
    up: 'zu den Servern',
    down: 'zurück',
    series: 'Proxy',
  },
);

const icon = { path: 'M3 12h12M11 7l5 5-5 5M20 4v16' };

export const page: PageRegistration = {
  id: 'proxy',
  paths: ['/proxy'],
  icon,
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'proxy',
    direction: 'in',
    title: () => text.value.title,
    short: () => text.value.title,
    href: '/proxy',
    bytes: ['bytes-up', 'bytes-down'],
    charts: [
      {
        title: () => text.value.traffic,
        format: formatBitRate,
        isTraffic: true,
        series: [
          ['proxyUpBytesPerSecond', () => text.value.up],
          ['proxyDownBytesPerSecond', () => text.value.down],
        ],
      },
      { joins: 'connections', series: [['proxyConnections', () => text.value.series]] },
      { joins: 'accepted', series: [['proxyAcceptedPerSecond', () => text.value.series]] },
    ],
    timeline: [connectionRow],
    portOf: (listener) => config.value?.effective.proxy.listeners.find(({ name }) => name === listener)?.port,
  },
};
