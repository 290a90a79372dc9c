/** German, of all that the page says. */
import type { Dictionary } from '../../../../src/texts/sentence.ts';
import { checks } from './checks.ts';
import { configuration } from './configuration.ts';
import { dashboard } from './dashboard.ts';
import { dns64 } from './dns64.ts';
import { explain } from './explain.ts';
import { firstRun } from './first-run.ts';
import { forward } from './forward.ts';
import { frame } from './frame.ts';
import { limits } from './limits.ts';
import { live } from './live.ts';
import { nat64 } from './nat64.ts';
import { proxy } from './proxy.ts';
import { servers } from './servers.ts';
import { shared } from './shared.ts';
import { system } from './system.ts';

export const GERMAN: Dictionary = {
  ...checks,
  ...configuration,
  ...dashboard,
  ...dns64,
  ...explain,
  ...firstRun,
  ...forward,
  ...frame,
  ...limits,
  ...live,
  ...nat64,
  ...proxy,
  ...servers,
  ...shared,
  ...system,
};
