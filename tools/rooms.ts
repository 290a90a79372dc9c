/**
 * Checks which folders may import which: compares the table below with every import of every file, `import()` included. Fails
 * on an import that the table does not allow, on a file that is in no room, on a permission that no file uses, and when the
 * table in docs/architecture.md is different. `--write` writes it there.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';
import { type Import, importsOf, sourcesIn } from './imports.ts';

const ROOT = join(import.meta.dirname, '..');
const DOCUMENT = join(ROOT, 'docs/architecture.md');
const BEGIN = '<!-- made by tools/rooms.ts -->';
const END = '<!-- end of the table -->';

interface Room {
  readonly name: string;
  /** A file belongs to the first room that matches it. */
  readonly files: readonly string[];
  /** Allowed files and packages, in addition to the room itself. "node:*" is Node. */
  readonly imports: readonly string[];
  /** Files of which only types may be imported. */
  readonly types?: readonly string[];
  /** In this room each folder is a room of its own: files must not import from a neighbouring folder. */
  readonly isEachFolder?: true;
}

const TEXT = 'src/texts/text.ts';
/** The descriptions of the services. */
const SAID = 'src/services/*.ts';

export const ROOMS: readonly Room[] = [
  { name: 'texts', files: ['src/texts/**'], imports: [] },
  { name: 'wire', files: ['src/wire/**'], imports: ['dns-packet'] },
  { name: 'os', files: ['src/os/**'], imports: ['node:*', 'koffi', 'src/wire/**', TEXT] },
  { name: 'runtime', files: ['src/runtime/**'], imports: ['node:*', 'src/os/**', TEXT], types: ['typebox'] },
  {
    name: 'net',
    files: ['src/net/**'],
    imports: ['node:*', 'src/os/**', 'src/wire/**', 'src/runtime/**', TEXT],
  },
  {
    name: 'config',
    files: ['src/config/**'],
    imports: [
      'node:*',
      'src/wire/**',
      'src/os/**',
      'src/runtime/shape.ts',
      'src/services/{all,configured}.ts',
      'src/services/*/schema.ts',
      TEXT,
    ],
    types: ['src/runtime/{explain,log,storage}.ts', 'src/services/description.ts'],
  },
  {
    name: 'services/\\*.ts',
    files: [SAID],
    imports: ['src/wire/**', 'src/config/values.ts', 'src/services/*/describe.ts', TEXT],
    types: ['src/os/**', 'src/runtime/**', 'src/config/{schema,problem}.ts'],
  },
  {
    name: 'a service',
    files: ['src/services/*/**'],
    isEachFolder: true,
    imports: [
      'node:*',
      'src/wire/**',
      'src/net/**',
      'src/os/**',
      'src/runtime/**',
      SAID,
      'src/config/{values,problem,resolvers,schema-values,host-services}.ts',
      TEXT,
    ],
    types: ['src/config/schema.ts', 'dns-packet'],
  },
  {
    name: 'state',
    files: ['src/state/**'],
    imports: [
      'node:*',
      'age-encryption',
      'systeminformation',
      'src/wire/**',
      'src/os/**',
      'src/runtime/**',
      'src/config/check-ourselves.ts',
      SAID,
      TEXT,
    ],
    types: ['src/config/schema.ts'],
  },
  {
    name: 'admin/contract',
    files: ['src/admin/contract/**'],
    imports: ['src/config/json-schema.ts', 'src/runtime/**'],
  },
  {
    name: 'admin',
    files: ['src/admin/**'],
    imports: [
      'node:*',
      'fastify',
      '@fastify/*',
      '@peculiar/x509',
      'reflect-metadata',
      'cookie',
      'otpauth',
      'src/wire/**',
      'src/os/**',
      'src/runtime/**',
      'src/net/{client,listening,missing,shares}.ts',
      'src/config/**',
      'src/state/**',
      'src/admin/contract/**',
      SAID,
      'src/texts/{text,languages}.ts',
    ],
    types: ['src/net/connection-event.ts'],
  },
  {
    name: 'cli',
    files: ['src/cli/**'],
    imports: ['node:*', 'src/state/event-kinds.ts'],
    types: ['src/admin/contract/**'],
  },
  {
    name: 'app.ts and its parts',
    files: ['src/app.ts', 'src/app-services.ts', 'src/explainers.ts'],
    imports: ['node:*', 'src/os/**', 'src/runtime/**', 'src/state/**', 'src/admin/**', SAID],
    types: ['src/wire/**', 'src/config/**'],
  },
  {
    name: 'run.ts, main.ts, signals.ts',
    files: ['src/{run,main,signals}.ts'],
    imports: ['node:*', 'pino', 'src/app.ts', 'src/os/**', 'src/runtime/**', 'src/config/**', 'src/state/**'],
  },
  { name: 'web/texts', files: ['web/src/texts/**'], imports: [], types: ['src/texts/sentence.ts'] },
  {
    name: 'web/core/locale.ts',
    files: ['web/src/core/locale.ts'],
    imports: ['@preact/signals', 'web/src/texts/**', 'src/texts/{text,sentence}.ts'],
  },
  {
    name: 'web/core',
    files: ['web/src/core/**'],
    imports: ['preact/hooks', '@preact/signals', 'web/src/core/locale.ts'],
    types: [
      'preact',
      'src/config/schema.ts',
      'src/admin/contract/**',
      'src/net/connection-event.ts',
      'web/src/ui/**',
    ],
  },
  {
    name: 'web/ui',
    files: ['web/src/ui/**'],
    imports: ['preact/hooks', '@preact/signals', 'uplot', 'uplot/**', 'uqr', 'web/src/core/**'],
    types: ['preact'],
  },
  {
    name: 'web/frame',
    files: ['web/src/frame/**'],
    imports: ['preact/hooks', '@preact/signals', 'web/src/core/**', 'web/src/ui/**', 'web/src/pages/**'],
    types: ['preact'],
  },
  {
    name: 'web/pages',
    files: ['web/src/pages/**'],
    imports: ['preact/hooks', '@preact/signals', 'web/src/core/**', 'web/src/ui/**', 'web/src/frame/**'],
    types: ['preact', 'src/services/*/contract.ts'],
  },
  {
    name: 'web',
    files: ['web/src/**'],
    imports: [
      'preact',
      'preact/hooks',
      '@preact/signals',
      'web/src/core/**',
      'web/src/ui/**',
      'web/src/frame/**',
      'web/src/pages/**',
    ],
  },
  {
    name: 'firmware',
    files: ['firmware/**'],
    imports: ['node:*', 'src/config/{load,problem}.ts', 'src/os/**', 'src/wire/**'],
  },
  { name: 'lab', files: ['lab/**'], imports: ['node:*', 'dns-packet', 'tools/build-web.ts'] },
];

const roomOf = (file: string): Room | undefined =>
  ROOMS.find(({ files }) => files.some((pattern) => matchesGlob(file, pattern)));

/** Rooms by folder: src/services/NAME is the room of a service. */
const folderOf = (file: string): string => file.split('/').slice(0, 3).join('/');

const isInside = ({ isEachFolder }: Room, { from, to }: Import): boolean =>
  isEachFolder === true ? folderOf(from) === folderOf(to) : roomOf(from) === roomOf(to);

const names = (pattern: string, to: string): boolean =>
  pattern === 'node:*' ? to.startsWith('node:') : matchesGlob(to, pattern);

const files = sourcesIn('src', 'web/src', 'lab', 'firmware');
const faults: string[] = [];
const used = new Set<string>();
for (const file of files) {
  const room = roomOf(file);
  if (room === undefined) {
    faults.push(`${file} is in no room`);
    continue;
  }
  for (const each of importsOf(file)) {
    if (isInside(room, each)) continue;
    const { imports, types = [] } = room;
    const allowed = [...imports, ...(each.isType ? types : [])].find((pattern) => names(pattern, each.to));
    if (allowed === undefined)
      faults.push(`${file} (${room.name}) may not import ${each.isType ? 'types of ' : ''}${each.to}`);
    else used.add(`${room.name}: ${allowed}`);
  }
}
for (const { name, imports, types = [] } of ROOMS)
  for (const pattern of [...imports, ...types])
    if (!used.has(`${name}: ${pattern}`))
      faults.push(`${name} does not import ${pattern}: nobody needs that`);

const text = readFileSync(DOCUMENT, 'utf8');
const [before, rest = ''] = text.split(`${BEGIN}\n`);
const after = rest.slice(rest.indexOf(END));
const right = `${before}${BEGIN}\n\n${table()}\n${after}`;
if (process.argv.includes('--write')) writeFileSync(DOCUMENT, right);
else if (text !== right)
  faults.push('docs/architecture.md has another table: sh tools/node.sh tools/rooms.ts --write');

for (const fault of faults) console.log(`    ${fault}`);
console.log(
  `${faults.length === 0 ? '✔' : '✖'} rooms: ${files.length} files, ${faults.length} imports that are not as the table has them`,
);
process.exitCode = faults.length === 0 ? 0 : 1;

/** As Markdown, with aligned columns. */
function table(): string {
  const rows = ROOMS.map(({ name, imports, types = [] }) => [
    name,
    imports.map(inWords).join(', ') || 'nothing',
    types.map(inWords).join(', '),
  ]);
  const all = [['room', 'imports', 'and types of'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column].length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const [head, ...body] = all;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line), ''].join('\n');
}

function inWords(pattern: string): string {
  if (pattern === 'node:*') return 'Node';
  const short = pattern.replace(/^(?:src|web\/src)\//, '').replace(/\/\*\*$/, '');
  const name = pattern.startsWith('web/src/') ? `web/${short}` : short;
  return /^[a-z/]+$/.test(name) ? name : `\`${name}\``;
}
