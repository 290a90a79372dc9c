/** Finds the sentences in the sources by their syntax trees, and compares them with the translations. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseAst, transformWithEsbuild } from 'vite';
import { type Dictionary, valueNamesIn } from '../src/texts/sentence.ts';

const ROOT = join(import.meta.dirname, '..');

/** Functions whose first argument is a sentence, and the files that export them. */
const SPEAKERS: ReadonlySet<unknown> = new Set(['say', 'text']);
const HOMES: ReadonlySet<string> = new Set(['src/texts/text.ts', 'web/src/core/locale.ts']);

export interface Catalogue {
  /** The sentences in use, with the first file that contains each. */
  readonly said: Map<string, string>;
  /** Every string: the sentences of a table are among them. */
  readonly strings: Set<string>;
  /** Calls of `say` whose sentence is not a literal, so that it cannot be found. */
  readonly unreadable: string[];
}

export interface Comparison {
  readonly missing: string[];
  /** Translations of sentences that are no longer used. */
  readonly unused: string[];
  /** Translations with other placeholders than their sentence. */
  readonly wrong: string[];
}

interface Node {
  readonly type: string;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** Everything that the files (paths from the root of the project) say. */
export async function readCatalogue(files: readonly string[]): Promise<Catalogue> {
  const catalogue: Catalogue = { said: new Map(), strings: new Set(), unreadable: [] };
  for (const file of files) await addSource(catalogue, file, readFileSync(join(ROOT, file), 'utf8'));
  return catalogue;
}

/** Adds the sentences of one file. */
export async function addSource(catalogue: Catalogue, file: string, source: string): Promise<void> {
  const { code } = await transformWithEsbuild(source, file, { jsx: 'automatic', sourcemap: false });
  const tree = parseAst(code) as unknown as Node;
  const names = HOMES.has(file) ? SPEAKERS : speakersOf(tree, dirname(file));
  visit(tree, (node) => {
    for (const literal of literalsOf(node) ?? []) catalogue.strings.add(literal);
    if (node.type !== 'CallExpression') return;
    const { callee, arguments: given } = node as unknown as { callee: Node; arguments: Node[] };
    if (callee.type !== 'Identifier' || !names.has(callee['name']) || given.length === 0) return;
    const sentences = literalsOf(given[0]);
    for (const sentence of sentences ?? [])
      if (!catalogue.said.has(sentence)) catalogue.said.set(sentence, file);
    // The page also passes table entries to `text`; those are made by `say`.
    if (sentences === undefined && callee['name'] === 'say' && !HOMES.has(file))
      catalogue.unreadable.push(file);
  });
}

/** Which of the functions the file imports: other functions may have the same names. */
function speakersOf(tree: Node, folder: string): ReadonlySet<unknown> {
  const names = new Set<unknown>();
  for (const statement of tree['body'] as Node[]) {
    if (statement.type !== 'ImportDeclaration') continue;
    if (!HOMES.has(join(folder, String((statement['source'] as Node)['value'])))) continue;
    for (const { local } of statement['specifiers'] as { local: Node }[])
      if (SPEAKERS.has(local['name'])) names.add(local['name']);
  }
  return names;
}

/** The strings that an expression can have; undefined when it can have other values. */
function literalsOf(node: Node): string[] | undefined {
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? [node['value']] : undefined;
  if (node.type === 'TemplateLiteral') {
    const [only, more] = node['quasis'] as { value: { cooked: string } }[];
    return more === undefined ? [only.value.cooked] : undefined;
  }
  if (node.type !== 'ConditionalExpression') return undefined;
  const [first, second] = [node['consequent'], node['alternate']].map((each) => literalsOf(each as Node));
  return first === undefined || second === undefined ? undefined : [...first, ...second];
}

function visit(node: Node, see: (node: Node) => void): void {
  see(node);
  for (const field of Object.values(node).flat()) if (isNode(field)) visit(field, see);
}

/** `wanted`: the sentences that a language should have; `used`: those that it may have. */
export function compare(
  wanted: Iterable<string>,
  used: ReadonlySet<string>,
  dictionary: Dictionary,
): Comparison {
  const translations = Object.entries(dictionary);
  return {
    missing: [...new Set(wanted)].filter((sentence) => !Object.hasOwn(dictionary, sentence)),
    unused: translations.map(([sentence]) => sentence).filter((sentence) => !used.has(sentence)),
    wrong: translations
      .filter(
        ([sentence, translation]) => String(valueNamesIn(sentence)) !== String(valueNamesIn(translation)),
      )
      .map(([sentence]) => sentence),
  };
}

/** Sentences that occur in two files of a language. */
export function doubled(dictionaries: readonly Dictionary[]): string[] {
  const sentences = dictionaries.flatMap(Object.keys);
  return sentences.filter((sentence, i) => sentences.indexOf(sentence) < i);
}
