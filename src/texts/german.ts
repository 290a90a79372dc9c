/** Every text of the backend in German, by its English sentence. Loaded when the first German reader comes. */
import { checks } from './german/checks.ts';
import { config } from './german/config.ts';
import { counters } from './german/counters.ts';
import { errors } from './german/errors.ts';
import { explain } from './german/explain.ts';
import { hardware } from './german/hardware.ts';
import { probes } from './german/probes.ts';
import { schema } from './german/schema.ts';
import { services } from './german/services.ts';
import { storage } from './german/storage.ts';

export const GERMAN = {
  ...checks,
  ...probes,
  ...explain,
  ...hardware,
  ...config,
  ...schema,
  ...errors,
  ...services,
  ...storage,
  ...counters,
} as const;
export type German = typeof GERMAN;
