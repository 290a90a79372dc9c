import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';
import { dns64Icon } from './icon.ts';

const text = dictionary(
  {
    title: 'DNS64',
    keywords: 'resolver cache upstream queries',
    unit: 'queries/s',
  },
  {
    title: 'DNS64',
    keywords: 'Resolver Cache Upstream Anfragen',
    unit: 'Anfragen/s',
  },
);

export const page: PageRegistration = {
  id: 'dns64',
  paths: ['/dns64'],
  icon: dns64Icon,
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'dns64',
    direction: 'out',
    title: () => text.value.title,
    short: () => text.value.title,
    href: '/dns64',
    bytes: [],
    events: { counters: ['queries-udp', 'queries-tcp'], unit: () => text.value.unit },
  },
};
