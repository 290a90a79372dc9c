import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'SSH and ports', keywords: 'forwarder' },
  { title: 'SSH und Ports', keywords: 'Weiterleitung' },
);

export const page: PageRegistration = {
  id: 'forward',
  paths: ['/forward'],
  icon: 'forward',
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
