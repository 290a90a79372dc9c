import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

export const page: PageRegistration = {
  id: 'live',
  paths: ['/live'],
  icon: 'live',
  title: () => text('Live'),
  keywords: () => text('timeline log events queries'),
  views: () => ({ charts: text('Charts') }),
  group: 'main',
  isPrimary: true,
  load: () => import('./index.tsx'),
};
