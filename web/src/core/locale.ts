/** Languages: each folder has its own typed dictionary, so a text cannot be missing in one of them. */
import { computed, type ReadonlySignal, signal } from '@preact/signals';

export type Locale = 'en' | 'de';
export const LOCALES: Readonly<Record<Locale, string>> = { en: 'English', de: 'Deutsch' };

const KEY = 'tombolo-locale';
const YEAR_SECONDS = 31_536_000;

const initial = (): Locale => {
  const wanted = [localStorage.getItem(KEY), ...navigator.languages].map((tag) => tag?.slice(0, 2));
  return wanted.find((tag): tag is Locale => tag === 'en' || tag === 'de') ?? 'en';
};

/** Tells the appliance in which language to answer: an EventSource sends no header of our choice. */
const tellAppliance = (language: Locale): void => {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not there on plain HTTP.
  document.cookie = `tombolo_language=${language};path=/;samesite=strict;max-age=${YEAR_SECONDS}`;
};

export const locale = signal<Locale>(initial());
tellAppliance(locale.value);

export function setLocale(next: Locale): void {
  localStorage.setItem(KEY, next);
  tellAppliance(next);
  locale.value = next;
  document.documentElement.lang = next;
}

/** What a translation must look like: the same keys, the same parameters. */
export type Translation<T> = T extends string
  ? string
  : T extends (...args: infer Args) => string
    ? (...args: Args) => string
    : { readonly [Key in keyof T]: Translation<T[Key]> };

/** The texts in the language of now; reading `.value` in a component draws it again when the language changes. */
export function dictionary<const T extends object>(
  en: T,
  de: Translation<T>,
): ReadonlySignal<Translation<T>> {
  return computed(() => (locale.value === 'de' ? de : (en as unknown as Translation<T>)));
}
