import { config } from '../../core/config.ts';
import { formatBitRate } from '../../core/format.ts';
import { dictionary } from '../../core/locale.ts';
import type { ServiceParts } from '../../core/registry.ts';
import { connectionRow } from '../live/connection.ts';

const text = dictionary(
  {
    traffic: 'Proxy: throughput',
    up: 'towards the servers',
    down: 'back',
    series: 'proxy',
  },
  {
    traffic: 'Proxy: Durchsatz',
    up: 'zu den Servern',
    down: 'zurück',
    series: 'Proxy',
  },
);

export const parts: ServiceParts = {
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
};
