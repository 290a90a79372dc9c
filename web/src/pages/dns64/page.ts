import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';
import { dns64Icon } from './icon.ts';

export const page: PageRegistration = {
  id: 'dns64',
  paths: ['/dns64'],
  icon: dns64Icon,
  title: () => text('DNS64'),
  keywords: () => text('resolver cache upstream queries'),
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'dns64',
    direction: 'out',
    title: () => text('DNS64'),
    short: () => text('DNS64'),
    href: '/dns64',
    bytes: [],
    events: { counters: ['queries-udp', 'queries-tcp'], unit: () => text('queries/s') },
  },
};
