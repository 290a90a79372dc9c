import { config } from '../../core/config.ts';
import { text } from '../../core/locale.ts';
import { type ServiceParts, trafficChart } from '../../core/registry.ts';
import { connectionRow } from '../live/connection.ts';

export const parts: ServiceParts = {
  charts() {
    return [
      trafficChart(text('Proxy: throughput'), [
        ['proxyUpBytesPerSecond', text('towards the servers')],
        ['proxyDownBytesPerSecond', text('back')],
      ]),
      { joins: 'connections', series: [['proxyConnections', text('proxy')]] },
      { joins: 'accepted', series: [['proxyAcceptedPerSecond', text('proxy')]] },
    ];
  },
  timeline: [connectionRow],
  portOf: (listener) => config.value?.effective.proxy.listeners.find(({ name }) => name === listener)?.port,
};
