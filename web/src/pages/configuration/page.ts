import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'Configuration', keywords: 'json editor history revisions revert' },
  { title: 'Konfiguration', keywords: 'JSON Editor Verlauf Revisionen' },
);

export const page: PageRegistration = {
  id: 'configuration',
  paths: ['/configuration'],
  icon: 'configuration',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'manage',
  load: () => import('./index.tsx'),
};
