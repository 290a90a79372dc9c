import { formatCount } from '../../core/format.ts';
import { text } from '../../core/locale.ts';
import { type ServiceParts, trafficChart } from '../../core/registry.ts';
import { mappingRow } from './timeline.ts';

export const parts: ServiceParts = {
  charts() {
    return [
      trafficChart(text('NAT64: throughput'), [
        ['nat64UpBytesPerSecond', text('out')],
        ['nat64DownBytesPerSecond', text('back in')],
      ]),
      {
        title: text('NAT64 sessions'),
        format: formatCount,
        series: [['nat64Sessions', text('now')]],
      },
      {
        title: text('NAT64 drops a second'),
        format: formatCount,
        series: [['nat64DropsPerSecond', text('now')]],
      },
    ];
  },
  timeline: [mappingRow],
};
