/** Every text of the backend in German, by its English sentence. Loaded when the first German reader comes. */
import { checks } from './german/checks.ts';
import { explain } from './german/explain.ts';
import { probes } from './german/probes.ts';

export const GERMAN = { ...checks, ...probes, ...explain } as const;
export type German = typeof GERMAN;
