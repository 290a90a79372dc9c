/** The languages of the page beside English: a folder and a line each, loaded when somebody wants it. */
import type { Dictionary } from '../../../src/texts/sentence.ts';

export const LANGUAGES = {
  de: async (): Promise<Dictionary> => (await import('./de/all.ts')).GERMAN,
} as const;
