import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  {
    title: 'Configuration',
    keywords: 'editor revisions revert',
    views: { history: 'History', json: 'JSON' },
  },
  { title: 'Konfiguration', keywords: 'Editor Revisionen', views: { history: 'Verlauf', json: 'JSON' } },
);

export const page: PageRegistration = {
  id: 'configuration',
  paths: ['/configuration'],
  icon: 'configuration',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  views: () => text.value.views,
  group: 'manage',
  load: () => import('./index.tsx'),
};
