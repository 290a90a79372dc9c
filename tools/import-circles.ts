/**
 * Fails when files of src/ or web/ import each other in a circle, types included. Dynamic imports with `import()` do not count.
 * `--list` also prints the known circles.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
/**
 * Folders whose circles still have to be removed, with the number of files in them. NAT64's steps and the translator import
 * each other, and so do its tables and the code that maintains them, until its state is separate from the steps.
 */
const KNOWN: Readonly<Record<string, number>> = { 'src/services/nat64/': 20 };

const files = ['src/**/*.ts', 'web/src/**/*.{ts,tsx}'].flatMap((pattern) => globSync(pattern, { cwd: ROOT }));
const isFile = new Set(files);
const imports = new Map(files.map((file) => [file, importsOf(file)]));

function importsOf(file: string): string[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  return [...source.matchAll(/^(?:import|export)\b[^;]*?from '(\.[^']+)';/gms)]
    .map(([, path]) => normalize(join(dirname(file), path)))
    .filter((path) => isFile.has(path));
}

/** Strongly connected components (Tarjan). */
const order = new Map<string, number>();
const lowest = new Map<string, number>();
const stack: string[] = [];
const circles: string[][] = [];
function visit(file: string): void {
  order.set(file, order.size);
  lowest.set(file, order.get(file)!);
  stack.push(file);
  for (const other of imports.get(file) ?? []) {
    if (!order.has(other)) visit(other);
    if (stack.includes(other)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(other)!));
  }
  if (lowest.get(file) !== order.get(file)) return;
  const circle = stack.splice(stack.indexOf(file));
  if (circle.length > 1) circles.push(circle);
}
for (const file of files) if (!order.has(file)) visit(file);

const roomOf = (circle: readonly string[]): string =>
  Object.keys(KNOWN).find((room) => circle.every((file) => file.startsWith(room))) ?? '';
let isWell = true;
for (const [room, inRoom] of Map.groupBy(circles, roomOf)) {
  const count = inRoom.flat().length;
  const limit = KNOWN[room] ?? 0;
  isWell &&= count <= limit;
  console.log(
    `${count <= limit ? '✔' : '✖'} import circles${room && ` in ${room}`}: ${count} files, ${limit} at most`,
  );
  if (count > limit || process.argv.includes('--list')) inRoom.forEach(print);
}
if (circles.length === 0) console.log('✔ import circles: none');
process.exitCode = isWell ? 0 : 1;

function print(circle: readonly string[]): void {
  for (const file of circle) {
    const inside = (imports.get(file) ?? []).filter((other) => circle.includes(other));
    console.log(`    ${file} -> ${inside.join(', ')}`);
  }
}
