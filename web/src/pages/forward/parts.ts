import { text } from '../../core/locale.ts';
import { type ServiceParts, trafficChart } from '../../core/registry.ts';
import { connectionRow } from '../live/connection.ts';

export const parts: ServiceParts = {
  charts() {
    return [
      trafficChart(text('SSH and ports: throughput'), [
        ['forwardUpBytesPerSecond', text('towards the servers')],
        ['forwardDownBytesPerSecond', text('back')],
      ]),
      { joins: 'connections', series: [['forwardConnections', text('SSH and ports')]] },
      { joins: 'accepted', series: [['forwardAcceptedPerSecond', text('SSH and ports')]] },
    ];
  },
  timeline: [connectionRow],
};
