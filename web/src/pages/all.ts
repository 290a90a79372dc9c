/** Every page. To add a service: its folder, and a line here. The order is that of the navigation and the picture. */
import type { PageRegistration } from '../core/registry.ts';
import { page as checks } from './checks/page.ts';
import { page as configuration } from './configuration/page.ts';
import { page as dashboard } from './dashboard/page.ts';
import { page as dns64 } from './dns64/page.ts';
import { page as explain } from './explain/page.ts';
import { page as forward } from './forward/page.ts';
import { page as live } from './live/page.ts';
import { page as nat64 } from './nat64/page.ts';
import { page as proxy } from './proxy/page.ts';
import { page as servers } from './servers/page.ts';
import { page as system } from './system/page.ts';

export const PAGES: readonly PageRegistration[] = [
  dashboard,
  servers,
  checks,
  live,
  proxy,
  forward,
  dns64,
  nat64,
  explain,
  configuration,
  system,
];
