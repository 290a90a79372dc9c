import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';
import { nat64Icon } from './icon.ts';

export const page: PageRegistration = {
  id: 'nat64',
  paths: ['/nat64'],
  icon: nat64Icon,
  title: () => 'NAT64',
  keywords: () => text('pool ports translator'),
  views: () => ({ sessions: text('Sessions'), bib: text('Mappings (BIB)'), packet: text('A packet') }),
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'nat64',
    direction: 'out',
    title: () => 'NAT64',
    short: () => 'NAT64',
    href: '/nat64',
    bytes: ['bytes-6to4', 'bytes-4to6'],
  },
};
