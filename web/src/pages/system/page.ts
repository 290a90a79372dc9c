import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  {
    title: 'System',
    keywords: 'totp reboot reset support',
    views: {
      backup: 'Backup and restore',
      access: 'Password, second factor, sessions, API tokens',
      logs: 'Log',
      audit: 'Audit',
    },
  },
  {
    title: 'System',
    keywords: 'TOTP Neustart Zurücksetzen Support',
    views: {
      backup: 'Sicherung',
      access: 'Passwort, zweiter Faktor, Sitzungen, API-Token',
      logs: 'Protokoll',
      audit: 'Nachweis',
    },
  },
);

export const page: PageRegistration = {
  id: 'system',
  paths: ['/system'],
  icon: 'system',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  views: () => text.value.views,
  group: 'manage',
  load: () => import('./index.tsx'),
};
