import { formatBitRate } from '../../core/format.ts';
import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';
import { connectionRow } from '../live/connection.ts';

const text = dictionary(
  {
    title: 'SSH and ports',
    keywords: 'forwarder',
    traffic: 'SSH and ports: throughput',
    up: 'towards the servers',
    down: 'back',
  },
  {
    title: 'SSH und Ports',
    keywords: 'Weiterleitung',
    traffic: 'SSH und Ports: Durchsatz',
    up: 'zu den Servern',
    down: 'zurück',
  },
);

const icon = { path: 'M4 5h16v14H4zM7 9l3 3-3 3M12 15h5' };

export const page: PageRegistration = {
  id: 'forward',
  paths: ['/forward'],
  icon,
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'forward',
    direction: 'in',
    title: () => text.value.title,
    short: () => 'SSH',
    href: '/forward',
    bytes: ['bytes-up', 'bytes-down'],
    charts: [
      {
        title: () => text.value.traffic,
        format: formatBitRate,
        isTraffic: true,
        series: [
          ['forwardUpBytesPerSecond', () => text.value.up],
          ['forwardDownBytesPerSecond', () => text.value.down],
        ],
      },
      { joins: 'connections', series: [['forwardConnections', () => text.value.title]] },
      { joins: 'accepted', series: [['forwardAcceptedPerSecond', () => text.value.title]] },
    ],
    timeline: [connectionRow],
  },
};
