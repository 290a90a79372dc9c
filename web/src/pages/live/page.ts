import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'Live', keywords: 'timeline log events charts queries' },
  { title: 'Live', keywords: 'Zeitleiste Ereignisse Diagramme Anfragen' },
);

export const page: PageRegistration = {
  id: 'live',
  paths: ['/live'],
  icon: 'live',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'main',
  isPrimary: true,
  load: () => import('./index.tsx'),
};
