import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'Proxy', keywords: 'http https sni listeners' },
  { title: 'Proxy', keywords: 'http https sni Listener' },
);

export const page: PageRegistration = {
  id: 'proxy',
  paths: ['/proxy'],
  icon: 'proxy',
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
