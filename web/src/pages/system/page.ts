import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

export const page: PageRegistration = {
  id: 'system',
  paths: ['/system'],
  icon: 'system',
  title: () => text('System'),
  keywords: () => text('totp reboot reset support'),
  views: () => ({
    backup: text('Backup and restore'),
    access: text('Password, second factor, sessions, API tokens'),
    logs: text('Log'),
    audit: text('Audit'),
  }),
  group: 'manage',
  load: () => import('./index.tsx'),
};
