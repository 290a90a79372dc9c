import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

export const page: PageRegistration = {
  id: 'dashboard',
  paths: ['/'],
  icon: 'dashboard',
  title: () => text('Dashboard'),
  keywords: () => text('overview home'),
  group: 'main',
  isPrimary: true,
  load: () => import('./index.tsx'),
};
