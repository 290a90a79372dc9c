import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'Dashboard', keywords: 'overview home' },
  { title: 'Übersicht', keywords: 'Dashboard Start' },
);

export const page: PageRegistration = {
  id: 'dashboard',
  paths: ['/'],
  icon: 'dashboard',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'main',
  isPrimary: true,
  load: () => import('./index.tsx'),
};
