import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  {
    title: 'Proxy',
    keywords: 'http https sni listeners',
  },
  {
    title: 'Proxy',
    keywords: 'http https sni Listener',
  },
);

const icon = { path: 'M3 12h12M11 7l5 5-5 5M20 4v16' };

export const page: PageRegistration = {
  id: 'proxy',
  paths: ['/proxy'],
  icon,
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'proxy',
    direction: 'in',
    title: () => text.value.title,
    short: () => text.value.title,
    href: '/proxy',
    bytes: ['bytes-up', 'bytes-down'],
  },
};
