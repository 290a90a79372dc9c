import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

export const page: PageRegistration = {
  id: 'explain',
  paths: ['/explain'],
  icon: 'explain',
  title: () => text('Explain'),
  keywords: () => text('assertions what would happen trace rule'),
  group: 'manage',
  load: () => import('./index.tsx'),
};
