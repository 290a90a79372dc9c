import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

export const page: PageRegistration = {
  id: 'checks',
  paths: ['/checks'],
  icon: 'checks',
  title: () => text('Checks'),
  keywords: () => text('check my setup problems repair'),
  group: 'main',
  isPrimary: true,
  load: () => import('./index.tsx'),
};
