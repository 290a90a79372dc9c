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
  charts() {
    const words = text.value;
    return [
      {
        title: words.traffic,
        format: formatBitRate,
        isTraffic: true,
        series: [
          ['proxyUpBytesPerSecond', words.up],
          ['proxyDownBytesPerSecond', words.down],
        ],
      },
      { joins: 'connections', series: [['proxyConnections', words.series]] },
      { joins: 'accepted', series: [['proxyAcceptedPerSecond', words.series]] },
    ];
  },
  timeline: [connectionRow],
  portOf: (listener) => config.value?.effective.proxy.listeners.find(({ name }) => name === listener)?.port,
};
