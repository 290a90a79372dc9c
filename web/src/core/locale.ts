/**
 * Languages. The English sentences are in the code where they are shown. Other languages are in ../texts/, a folder each, and
 * are loaded when needed. A sentence without a translation is shown in English.
 */
import { batch, signal } from '@preact/signals';
import {
  type Dictionary,
  type Literal,
  type ValuesOf,
  fill,
  formatFigure,
} from '../../../src/texts/sentence.ts';
import type { Text } from '../../../src/texts/text.ts';
import { keyOf } from '../texts/key.ts';
import { LANGUAGES } from '../texts/languages.ts';

export { type Text, say } from '../../../src/texts/text.ts';

export type Locale = 'en' | keyof typeof LANGUAGES;
export const LOCALES: Readonly<Record<Locale, string>> = { en: 'English', de: 'Deutsch' };

const KEY = 'tombolo-locale';
const YEAR_SECONDS = 31_536_000;

const isLocale = (tag: string | undefined): tag is Locale => tag !== undefined && Object.hasOwn(LOCALES, tag);

const wanted = (): Locale =>
  [localStorage.getItem(KEY), ...navigator.languages].map((tag) => tag?.slice(0, 2)).find(isLocale) ?? 'en';

/** Tells the appliance in which language to respond: an EventSource cannot send our own headers. */
const sendLocale = (language: Locale): void => {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not there on plain HTTP.
  document.cookie = `tombolo_language=${language};path=/;samesite=strict;max-age=${YEAR_SECONDS}`;
};

/** The language shown now. */
export const locale = signal<Locale>('en');
const words = signal<Dictionary>({});
let asked: Locale = 'en';

/** Switches to a language when it is loaded; until then the current one stays. */
async function show(next: Locale): Promise<void> {
  asked = next;
  sendLocale(next);
  try {
    const loaded = next === 'en' ? {} : await LANGUAGES[next]();
    // Another language was selected meanwhile.
    if (asked !== next) return;
    document.documentElement.lang = next;
    batch(() => {
      words.value = loaded;
      locale.value = next;
    });
  } catch (error) {
    if (asked === next) sendLocale(locale.value);
    throw error;
  }
}

/** Runs before the first rendering. If a language cannot be loaded, English is used. */
export const startLocale = (): Promise<void> => show(wanted()).catch(() => {});

export async function setLocale(next: Locale): Promise<void> {
  await show(next);
  localStorage.setItem(KEY, next);
}

type Value = string | number | Text;

function translate({ say: sentence, values = {} }: Text): string {
  return fill(words.value[keyOf(sentence)] ?? sentence, values as Readonly<Record<string, Value>>, (value) =>
    typeof value === 'object' ? translate(value) : formatFigure(value, locale.value === 'en'),
  );
}

/**
 * Translates a sentence, or one from a table (`say`), into the current language. A component that calls it is rendered again
 * when the language changes.
 */
export function text<const Sentence extends string>(
  sentence: Literal<Sentence> | Text,
  ...[values]: ValuesOf<Sentence, Value>
): string {
  return translate(typeof sentence === 'object' ? sentence : { say: sentence, values: values ?? {} });
}

/** A table's entry for a name; the name itself if there is none. */
export const textOf = (table: Readonly<Record<string, Text>>, name: string): string =>
  Object.hasOwn(table, name) ? translate(table[name]) : name;
