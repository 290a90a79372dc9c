/** The German texts of the server. */
import type { Dictionary } from '../sentence.ts';
import { checks } from './checks.ts';
import { config } from './config.ts';
import { counters } from './counters.ts';
import { errors } from './errors.ts';
import { explain } from './explain.ts';
import { hardware } from './hardware.ts';
import { names } from './names.ts';
import { probes } from './probes.ts';
import { schema } from './schema.ts';
import { services } from './services.ts';
import { storage } from './storage.ts';

export const GERMAN: Dictionary = {
  ...checks,
  ...probes,
  ...names,
  ...explain,
  ...hardware,
  ...config,
  ...schema,
  ...errors,
  ...services,
  ...storage,
  ...counters,
};
