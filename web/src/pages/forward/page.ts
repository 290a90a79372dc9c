import { text } from '../../core/locale.ts';
import type { PageRegistration } from '../../core/registry.ts';

const icon = { path: 'M4 5h16v14H4zM7 9l3 3-3 3M12 15h5' };

export const page: PageRegistration = {
  id: 'forward',
  paths: ['/forward'],
  icon,
  title: () => text('SSH and ports'),
  keywords: () => text('forwarder'),
  group: 'services',
  load: () => import('./index.tsx'),
  service: {
    name: 'forward',
    direction: 'in',
    title: () => text('SSH and ports'),
    short: () => 'SSH',
    href: '/forward',
    bytes: ['bytes-up', 'bytes-down'],
  },
};
