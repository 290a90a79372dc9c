import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'Explain', keywords: 'assertions what would happen trace rule' },
  { title: 'Erklären', keywords: 'Zusicherungen was würde geschehen Regel' },
);

export const page: PageRegistration = {
  id: 'explain',
  paths: ['/explain'],
  icon: 'explain',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'manage',
  load: () => import('./index.tsx'),
};
