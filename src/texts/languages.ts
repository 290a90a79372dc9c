/**
 * The languages beside English, which needs no dictionary and is told where a language lacks a sentence. A language is a
 * folder here and a line below; it is loaded when its first reader comes: it costs nobody else memory.
 */
import type { Dictionary } from './sentence.ts';

export const LANGUAGES = {
  de: async (): Promise<Dictionary> => (await import('./de/all.ts')).GERMAN,
} as const;

export type Language = 'en' | keyof typeof LANGUAGES;
export const isLanguage = (tag: string): tag is Language => tag === 'en' || Object.hasOwn(LANGUAGES, tag);
