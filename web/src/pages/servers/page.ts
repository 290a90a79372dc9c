import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'Servers', keywords: 'hosts names ssh add server' },
  { title: 'Server', keywords: 'Hosts Namen SSH hinzufügen' },
);

export const page: PageRegistration = {
  id: 'servers',
  paths: ['/servers', '/servers/:name', '/add-server'],
  icon: 'servers',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'main',
  isPrimary: true,
  load: () => import('./index.tsx'),
};
