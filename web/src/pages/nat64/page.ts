import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';
import { nat64Icon } from './icon.ts';

const text = dictionary(
  {
    title: 'NAT64',
    keywords: 'pool ports translator',
    views: { sessions: 'Sessions', bib: 'Mappings (BIB)', packet: 'A packet' },
  },
  {
    title: 'NAT64',
    keywords: 'Pool Ports Übersetzer',
    views: { sessions: 'Sitzungen', bib: 'Zuordnungen (BIB)', packet: 'Ein Paket' },
  },
);

export const page: PageRegistration = {
  id: 'nat64',
  paths: ['/nat64'],
  icon: nat64Icon,
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  views: () => text.value.views,
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
