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
  charts() {
    const words = text.value;
    return [
      {
        title: words.traffic,
        format: formatBitRate,
        isTraffic: true,
        series: [
          ['forwardUpBytesPerSecond', words.up],
          ['forwardDownBytesPerSecond', words.down],
        ],
      },
      { joins: 'connections', series: [['forwardConnections', words.series]] },
      { joins: 'accepted', series: [['forwardAcceptedPerSecond', words.series]] },
    ];
  },
  timeline: [connectionRow],
};
