import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

export const page: PageRegistration = {
  id: 'configuration',
  paths: ['/configuration'],
  icon: 'configuration',
  title: () => text('Configuration'),
  keywords: () => text('editor revisions revert'),
  views: () => ({ history: text('History'), json: text('JSON') }),
  group: 'manage',
  load: () => import('./index.tsx'),
};
