import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'Checks', keywords: 'check my setup problems repair' },
  { title: 'Prüfungen', keywords: 'Einrichtung prüfen Probleme' },
);

export const page: PageRegistration = {
  id: 'checks',
  paths: ['/checks'],
  icon: 'checks',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'main',
  isPrimary: true,
  load: () => import('./index.tsx'),
};
