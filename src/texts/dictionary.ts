/** What a part of the dictionary must look like. */

/** The names in braces. */
export type ValueNames<Sentence> = Sentence extends `${string}{${infer Name}}${infer Rest}`
  ? (Name extends '' ? never : Name) | ValueNames<Rest>
  : never;

type SameNames<A, B> = [ValueNames<A>] extends [ValueNames<B>]
  ? [ValueNames<B>] extends [ValueNames<A>]
    ? true
    : false
  : false;

/** English sentences with their German; the compiler refuses one that names other values than its key. */
export const germanOf = <const T extends Readonly<Record<string, string>>>(
  texts: T & {
    readonly [Key in keyof T]: SameNames<Key, T[Key]> extends true
      ? string
      : 'names other values than the English';
  },
): T => texts;
