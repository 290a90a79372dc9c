/**
 * Lists the sentences of server and page that each language lacks. A new sentence need not be translated at once: the English
 * one is shown meanwhile. With `--release` (as in `npm test`) a missing translation is an error. Always an error: a translation
 * that is no longer used, has other placeholders than its sentence, or occurs twice.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ADMIN_COUNTERS } from '../src/admin/counters.ts';
import { ConfigSchema } from '../src/config/schema.ts';
import { SERVICES } from '../src/services/all.ts';
import { LANGUAGES } from '../src/texts/languages.ts';
import type { Dictionary } from '../src/texts/sentence.ts';
import { LANGUAGES as PAGE_LANGUAGES } from '../web/src/texts/languages.ts';
import { testAdmin } from '../test/unit/admin/fixture.ts';
import { type Catalogue, compare, doubled, readCatalogue } from './catalogue.ts';

const ROOT = join(import.meta.dirname, '..');
const isRelease = process.argv.includes('--release');
let isWell = true;

/** Messages from Fastify itself, which the server passes on. */
const OF_FASTIFY = [
  'Request body is too large',
  'Unsupported Media Type',
  "Body cannot be empty when content-type is set to 'application/json'",
  "Body is not valid JSON but content-type is set to 'application/json'",
];

const filesOf = (pattern: string) =>
  globSync(pattern, { cwd: ROOT })
    .filter((file) => !/^src\/texts\/\w+\/|^web\/src\/texts\//.test(file))
    .sort();

const server = await readCatalogue(filesOf('src/**/*.ts'));
// A string with a sentence may come from a table, or be a message of another program.
await report('server', 'src/texts', LANGUAGES, server, await tableSentences(), [
  ...server.strings,
  ...OF_FASTIFY,
]);
const page = await readCatalogue(filesOf('web/src/**/*.{ts,tsx}'));
await report('page', 'web/src/texts', PAGE_LANGUAGES, page);
process.exitCode = isWell ? 0 : 1;

/**
 * Compares every language of `folder` with the sentences in use. `tables`: sentences that no call contains and that languages
 * should have; `others`: those that they may have.
 */
async function report(
  part: string,
  folder: string,
  languages: object,
  { said, unreadable }: Catalogue,
  tables: readonly string[] = [],
  others: readonly string[] = [],
): Promise<void> {
  const wanted = new Set([...said.keys(), ...tables]);
  const used = new Set([...wanted, ...others]);
  list('say() without a literal sentence in', unreadable, true);
  for (const language of Object.keys(languages)) {
    const files = globSync(`${folder}/${language}/*.ts`, { cwd: ROOT });
    const topics = await Promise.all(files.filter((file) => !file.endsWith('/all.ts')).map(dictionaryIn));
    const all = await dictionaryIn(`${folder}/${language}/all.ts`);
    const { missing, unused, wrong } = compare(wanted, used, all);
    const isWhole = missing.length === 0;
    console.log(
      `${isWhole ? '✔' : isRelease ? '✖' : '!'} ${nameOf(language)}, ${part}: ${wanted.size - missing.length} of ${wanted.size} sentences`,
    );
    list(
      'missing',
      missing.map((sentence) => `${JSON.stringify(sentence)} (${said.get(sentence) ?? 'a table'})`),
      isRelease,
    );
    list('nobody says', unused.map(quoted), true);
    list('names other values', wrong.map(quoted), true);
    list('twice', doubled(topics).map(quoted), true);
    const left = topics.flatMap(Object.keys).filter((sentence) => !Object.hasOwn(all, sentence));
    list('in a file that all.ts leaves out', left.map(quoted), true);
  }
}

function list(title: string, lines: readonly string[], isFault: boolean): void {
  for (const line of lines) console.log(`    ${title}: ${line}`);
  if (isFault && lines.length > 0) isWell = false;
}

async function dictionaryIn(file: string): Promise<Dictionary> {
  const exported = Object.values((await import(join(ROOT, file))) as Record<string, Dictionary>);
  return Object.assign({}, ...exported) as Dictionary;
}

function nameOf(language: string): string {
  return new Intl.DisplayNames('en', { type: 'language' }).of(language) ?? language;
}

function quoted(sentence: string): string {
  return JSON.stringify(sentence);
}

/** The explanations of counters, the `expected` texts of the schemas of configuration and API, and the actions in the audit log. */
async function tableSentences(): Promise<string[]> {
  const undo: (() => unknown)[] = [];
  const context = { after: (action: () => unknown) => void undo.push(action) };
  const { app } = await testAdmin(context as unknown as TestContext);
  const routes = [...app.routeTable];
  for (const action of undo.reverse()) await action();
  const tables = [ADMIN_COUNTERS, ...SERVICES.map(({ counters }) => counters)];
  return [
    ...tables.flatMap((table) => Object.values(table)),
    ...[ConfigSchema, ...routes.map(({ schema }) => schema)].flatMap(expectedIn).filter(hasWords),
    ...routes.flatMap(({ isAudited, schema }) => (isAudited ? [schema.summary ?? ''] : [])),
  ];
}

/** Every `expected` of a schema. */
function expectedIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { expected } = node as { expected?: unknown };
  return [...(typeof expected === 'string' ? [expected] : []), ...Object.values(node).flatMap(expectedIn)];
}

/** A list of words, or a figure, is the same in every language. */
function hasWords(expected: string): boolean {
  return !/^[0-9]+$|^one of [\w, ]+, or several with commas$|^debug,/.test(expected);
}
