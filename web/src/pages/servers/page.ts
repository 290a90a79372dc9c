import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

export const page: PageRegistration = {
  id: 'servers',
  paths: ['/servers', '/servers/:name', '/add-server'],
  icon: 'servers',
  title: () => text('Servers'),
  keywords: () => text('hosts names ssh add server'),
  group: 'main',
  isPrimary: true,
  load: () => import('./index.tsx'),
};
