import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'Live', keywords: 'timeline log events queries', views: { charts: 'Charts' } },
  { title: 'Live', keywords: 'Zeitleiste Ereignisse Anfragen', views: { charts: 'Diagramme' } },
);

export const page: PageRegistration = {
  id: 'live',
  paths: ['/live'],
  icon: 'live',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  views: () => text.value.views,
  group: 'main',
  isPrimary: true,
  load: () => import('./index.tsx'),
};
