import { formatBitRate } from '../../core/format.ts';
import { dictionary } from '../../core/locale.ts';
import type { ServiceParts } from '../../core/registry.ts';
import { connectionRow } from '../live/connection.ts';

const text = dictionary(
  {
    traffic: 'SSH and ports: throughput',
    up: 'towards the servers',
    down: 'back',
    series: 'SSH and ports',
  },
  {
    traffic: 'SSH und Ports: Durchsatz',
    up: 'zu den Servern',
    down: 'zurück',
    series: 'SSH und Ports',
  },
);

export const parts: ServiceParts = {
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
    { joins: 'connections', series: [['forwardConnections', () => text.value.series]] },
    { joins: 'accepted', series: [['forwardAcceptedPerSecond', () => text.value.series]] },
  ],
  timeline: [connectionRow],
};
