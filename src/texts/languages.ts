/**
 * The languages besides English. English needs no dictionary, and is shown where a language lacks a sentence. A language is a
 * folder here and a line below. It is loaded for its first reader, so otherwise it costs no memory.
 */
import type { Dictionary } from './sentence.ts';

export const LANGUAGES = {
  de: async (): Promise<Dictionary> => (await import('./de/all.ts')).GERMAN,
} as const;

export type Language = 'en' | keyof typeof LANGUAGES;
export const isLanguage = (tag: string): tag is Language => tag === 'en' || Object.hasOwn(LANGUAGES, tag);
