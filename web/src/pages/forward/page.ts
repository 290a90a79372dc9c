import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  {
    title: 'SSH and ports',
    keywords: 'forwarder',
  },
  {
    title: 'SSH und Ports',
    keywords: 'Weiterleitung',
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
  },
};
