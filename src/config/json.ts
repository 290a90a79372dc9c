/**
 * A JSON parser (RFC 8259) that knows the position of each value, for errors with line and column. It accepts what JSON.parse
 * accepts, with three exceptions: a name that occurs twice in one object (JSON.parse silently drops the first), values nested
 * deeper than MAX_DEPTH, and texts longer than MAX_CHARACTERS.
 */
import { type Text, either, english, say } from '../texts/text.ts';
import type { ConfigProblem } from './problem.ts';
import { pointerStep } from './problem.ts';

export const MAX_CHARACTERS = 1 << 20;
const MAX_DEPTH = 32;

/** Offsets into the text by JSON pointer: the start of each value. */
export type Positions = ReadonlyMap<string, number>;

export interface ParsedJson {
  readonly value: unknown;
  readonly positions: Positions;
}

/** The line and column of an offset, from 1. Columns count UTF-16 units, as editors do. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let i = text.indexOf('\n'); i !== -1 && i < offset; i = text.indexOf('\n', i + 1)) {
    line++;
    lineStart = i + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

class SyntaxProblem extends Error {
  readonly offset: number;
  readonly path: string;
  readonly expected: Text;
  constructor(offset: number, path: string, expected: Text) {
    super(english(expected));
    this.offset = offset;
    this.path = path;
    this.expected = expected;
  }
}

/** The value and its positions, or the first error in the text. */
export function parseJson(text: string): ParsedJson | { readonly problem: ConfigProblem } {
  if (text.length > MAX_CHARACTERS) {
    const expected = say('a text of at most {count} characters', { count: MAX_CHARACTERS });
    const message = say('{count} characters: expected {expected}', { count: text.length, expected });
    return { problem: { path: '', expected, message } };
  }
  try {
    return new Parser(text).parse();
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    const { path, offset, expected } = error;
    const found = offset < text.length ? JSON.stringify(nextToken(text, offset)) : say('the end of the text');
    const isComment = /^\/[/*]/.test(text.slice(offset, offset + 2));
    const message = isComment
      ? say('JSON syntax: found {found}, expected {expected} (JSON has no comments)', { found, expected })
      : say('JSON syntax: found {found}, expected {expected}', { found, expected });
    return { problem: { path, value: found, expected, message, ...lineAndColumn(text, offset) } };
  }
}

/** The text at the offset, for an error: a word, or one character. */
const nextToken = (text: string, offset: number): string =>
  /^(?:[\w.+-]{1,20}|.)/su.exec(text.slice(offset, offset + 20))?.[0].toWellFormed() ?? '';

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/** The end of a run of ordinary characters, or of an escape. */
const STRING_PART = /[ !#-[\]-\uffff]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const KEYWORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

class Parser {
  readonly #text: string;
  readonly #positions = new Map<string, number>();
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): ParsedJson {
    this.#skipSpace();
    const value = this.#value('', 0);
    this.#skipSpace();
    if (this.#offset < this.#text.length) this.#fail('', say('nothing after the document'));
    return { value, positions: this.#positions };
  }

  #fail(path: string, expected: Text, offset = this.#offset): never {
    throw new SyntaxProblem(offset, path, expected);
  }

  #skipSpace(): void {
    for (;;) {
      const character = this.#text[this.#offset];
      if (character !== ' ' && character !== '\n' && character !== '\r' && character !== '\t') return;
      this.#offset++;
    }
  }

  /** Skips the character if it comes next. */
  #take(character: string): boolean {
    if (this.#text[this.#offset] !== character) return false;
    this.#offset++;
    return true;
  }

  #value(path: string, depth: number): unknown {
    if (depth > MAX_DEPTH) this.#fail(path, say('at most {count} levels of nesting', { count: MAX_DEPTH }));
    this.#positions.set(path, this.#offset);
    if (this.#take('{')) return this.#object(path, depth);
    if (this.#take('[')) return this.#array(path, depth);
    if (this.#text[this.#offset] === '"') return this.#string(path);
    for (const [word, value] of KEYWORDS) {
      if (!this.#text.startsWith(word, this.#offset)) continue;
      this.#offset += word.length;
      return value;
    }
    NUMBER.lastIndex = this.#offset;
    const number = NUMBER.exec(this.#text)?.[0];
    if (number === undefined) {
      this.#fail(path, say('a value'));
    }
    this.#offset += number.length;
    return Number(number);
  }

  #object(path: string, depth: number): object {
    const object: Record<string, unknown> = {};
    this.#skipSpace();
    if (this.#take('}')) return object;
    for (;;) {
      const nameOffset = this.#offset;
      if (this.#text[nameOffset] !== '"') this.#fail(path, say('a name in double quotes'));
      const name = this.#string(path);
      if (Object.hasOwn(object, name))
        this.#fail(path, say('a name that occurs once in its object'), nameOffset);
      this.#skipSpace();
      if (!this.#take(':'))
        this.#fail(path, say('":" after the name {name}', { name: JSON.stringify(name) }));
      this.#skipSpace();
      const value = this.#value(path + pointerStep(name), depth + 1);
      // Define it instead of assigning: "__proto__" must be an ordinary name.
      Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
      this.#skipSpace();
      if (this.#take('}')) return object;
      this.#comma(path, '}');
    }
  }

  #array(path: string, depth: number): unknown[] {
    const array: unknown[] = [];
    this.#skipSpace();
    if (this.#take(']')) return array;
    for (;;) {
      array.push(this.#value(path + pointerStep(array.length), depth + 1));
      this.#skipSpace();
      if (this.#take(']')) return array;
      this.#comma(path, ']');
    }
  }

  #comma(path: string, end: string): void {
    const commaOffset = this.#offset;
    if (!this.#take(',')) this.#fail(path, either(['","', `"${end}"`]));
    this.#skipSpace();
    if (this.#text[this.#offset] === end)
      this.#fail(path, say('no "," before "{end}"', { end }), commaOffset);
  }

  #string(path: string): string {
    const start = this.#offset++;
    for (;;) {
      if (this.#take('"')) return JSON.parse(this.#text.slice(start, this.#offset)) as string;
      STRING_PART.lastIndex = this.#offset;
      const part = STRING_PART.exec(this.#text);
      if (part === null) {
        const atBackslash = this.#text[this.#offset] === '\\';
        this.#fail(
          path,
          atBackslash ? say('an escape such as \\n or \\u00e9') : say('a closing double quote'),
        );
      }
      this.#offset += part[0].length;
    }
  }
}
