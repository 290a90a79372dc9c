/**
 * Texts that are shown to people in their own language. A text is data: an English sentence with the names of its values in
 * braces, and the values. The English sentences in the sources are the catalogue. Each other language is a folder beside it
 * (languages.ts). Where a language lacks a sentence, the English one is shown. `tools/languages.ts` finds every sentence of
 * `say`, and lists what each language lacks.
 */
import { type Dictionary, type Literal, type ValuesOf, fill, formatFigure } from './sentence.ts';

export type { Dictionary } from './sentence.ts';

export interface Text {
  /** The English sentence, which is also the key of the dictionary. So a stored text stays readable for ever. */
  readonly say: string;
  readonly values?: Readonly<Record<string, Value>>;
}

/** A text inside a text is translated to the same language. A string is a name, or the output of another program. */
export type Value = string | number | Text;

/** A sentence, which must be a literal, with exactly the values that it names. */
export function say<const Sentence extends string>(
  sentence: Literal<Sentence>,
  ...[values]: ValuesOf<Sentence, Value>
): Text {
  return values === undefined ? { say: sentence } : { say: sentence, values };
}

/**
 * A sentence of a table (counters, the schema), which languages translate too; or the words of another program, which are shown
 * as they are.
 */
export const asIs = (sentence: string): Text => ({ say: sentence });

/** A time in ISO 8601 in a form for people: "2026-11-30 12:11 UTC"; below, the same with seconds. */
export const minuteOf = (at: string): string => `${at.slice(0, 16).replace('T', ' ')} UTC`;
export const secondOf = (at: string): string => `${at.slice(0, 19).replace('T', ' ')} UTC`;

/** Several values one after the other; `separator` is punctuation, the same in every language. */
export const listOf = (items: readonly Value[], separator = ', '): Text => ({
  say: items.map((_, i) => `{${i}}`).join(separator),
  values: Object.fromEntries(items.entries()),
});

/** Whole sentences one after the other; those that are undefined are left out. */
export function sentences(...texts: readonly (Text | undefined)[]): Text {
  const said = texts.filter((text) => text !== undefined);
  return said.length === 1 ? said[0] : listOf(said, ' ');
}

/** Alternatives: "a", "a or b", "a or b or c". */
export const either = ([head, ...tail]: readonly Value[]): Text =>
  tail.reduce<Text>((first, second) => say('{first} or {second}', { first, second }), listOf([head]));

/** Removes texts that read the same as another one. */
export const unique = (texts: readonly Text[]): Text[] => [
  ...new Map(texts.map((text) => [english(text), text] as const)).values(),
];

/** An error that can be shown in every language. */
export class TextError extends Error {
  readonly text: Text;
  constructor(text: Text, options?: ErrorOptions) {
    super(english(text), options);
    this.text = text;
  }
}

/**
 * Why something failed: the text of an error of ours, or the message of another error, with its cause unless the message
 * already contains that.
 */
export function reasonOf(error: unknown): Text {
  if (error instanceof TextError) return error.text;
  if (!(error instanceof Error)) return asIs(String(error));
  const { message, cause } = error;
  if (cause === undefined) return asIs(message);
  const reason = reasonOf(cause);
  return message.includes(english(reason)) ? asIs(message) : listOf([message, reason], ': ');
}

/** For parsers of files that we wrote ourselves: `what` names the part that is invalid. */
export function notAsWritten(what: string): never {
  throw new TextError(say('"{what}" is not what was written there', { what }));
}

function translateText({ say: sentence, values = {} }: Text, words: Dictionary | undefined): string {
  const translation = words !== undefined && Object.hasOwn(words, sentence) ? words[sentence] : sentence;
  return fill(translation, values, (value) =>
    typeof value === 'object' ? translateText(value, words) : formatFigure(value, words === undefined),
  );
}

/** For logs, errors and the command line. */
export const english = (text: Text | string): string =>
  typeof text === 'string' ? text : translateText(text, undefined);

/** An answer in which every text has been translated. */
export type Translated<T> = T extends Text
  ? string
  : T extends readonly (infer Item)[]
    ? Translated<Item>[]
    : T extends object
      ? { [Key in keyof T]: Translated<T[Key]> }
      : T;

/** The shape of an answer before translation: the fields `Key`, at any depth, are texts. */
export type Untranslated<T, Key extends string> = T extends readonly (infer Item)[]
  ? readonly Untranslated<Item, Key>[]
  : T extends object
    ? { readonly [Name in keyof T]: Name extends Key ? TextFor<T[Name]> : Untranslated<T[Name], Key> }
    : T;
type TextFor<T> = T extends string ? Text : T;

const isText = (value: object): value is Text => typeof (value as Text).say === 'string';

/** Plain data with every text in it translated with the dictionary; English without one. */
export function translate<T>(value: T, words?: Dictionary): Translated<T> {
  return translateDeep(value, words) as Translated<T>;
}

function translateDeep(value: unknown, words: Dictionary | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => translateDeep(item, words));
  if (isText(value)) return translateText(value, words);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, translateDeep(item, words)]));
}
