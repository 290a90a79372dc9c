import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'NAT64', keywords: 'sessions bib pool ports translator' },
  { title: 'NAT64', keywords: 'Sitzungen BIB Pool Ports Übersetzer' },
);

export const page: PageRegistration = {
  id: 'nat64',
  paths: ['/nat64'],
  icon: 'nat64',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'nat64',
    direction: 'out',
    title: () => text.value.title,
    short: () => text.value.title,
    href: '/nat64',
    bytes: ['bytes-6to4', 'bytes-4to6'],
  },
};
