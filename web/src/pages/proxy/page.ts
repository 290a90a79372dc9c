import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const icon = { path: 'M3 12h12M11 7l5 5-5 5M20 4v16' };

export const page: PageRegistration = {
  id: 'proxy',
  paths: ['/proxy'],
  icon,
  title: () => text('Proxy'),
  keywords: () => text('http https sni listeners'),
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'proxy',
    direction: 'in',
    title: () => text('Proxy'),
    short: () => text('Proxy'),
    href: '/proxy',
    bytes: ['bytes-up', 'bytes-down'],
  },
};
