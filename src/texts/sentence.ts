/**
 * An English sentence with the names of its values in braces, and how the values are filled in. The server and the page share
 * this file.
 */

/** The names in braces. */
export type ValueNames<Sentence> = Sentence extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends '' ? never : Name) | ValueNames<Rest>
  : never;

/** The values of a sentence: exactly those that it names. */
export type ValuesOf<Sentence, Value> = [ValueNames<Sentence>] extends [never]
  ? []
  : [values: Readonly<Record<ValueNames<Sentence>, Value>>];

/** A string literal: a sentence that is put together elsewhere cannot be found by the tool, and so cannot be translated. */
export type Literal<Sentence extends string> = string extends Sentence ? 'a string literal' : Sentence;

/** The sentences of a language, by the English sentence. */
export type Dictionary = Readonly<Record<string, string>>;

const PLACEHOLDER = /\{([a-zA-Z0-9]+)\}/g;

/** The names in braces, each once, in alphabetical order. */
export const valueNamesIn = (sentence: string): string[] =>
  [...new Set([...sentence.matchAll(PLACEHOLDER)].map(([, name]) => name))].sort();

/** The sentence with its values; a name without a value stays as it is. */
export const fill = <Value>(
  sentence: string,
  values: Readonly<Record<string, Value>>,
  formatValue: (value: Value) => string,
): string =>
  sentence.replace(PLACEHOLDER, (placeholder, name: string) =>
    Object.hasOwn(values, name) ? formatValue(values[name]) : placeholder,
  );

/** Decimal numbers have a comma in every language but English. */
export const formatFigure = (value: string | number, isEnglish: boolean): string =>
  typeof value === 'number' && !isEnglish ? String(value).replace('.', ',') : String(value);
