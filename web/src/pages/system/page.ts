import { dictionary } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const text = dictionary(
  { title: 'System', keywords: 'backup restore password tokens totp sessions logs audit reboot reset' },
  { title: 'System', keywords: 'Sicherung Passwort Token TOTP Sitzungen Protokoll Neustart Zurücksetzen' },
);

export const page: PageRegistration = {
  id: 'system',
  paths: ['/system'],
  icon: 'system',
  title: () => text.value.title,
  keywords: () => text.value.keywords,
  group: 'manage',
  load: () => import('./index.tsx'),
};
