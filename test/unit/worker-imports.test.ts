/**
 * The modules that worker threads load: each module costs every thread time and memory (docs/architecture.md, "Where this differs
 * from the first design").
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';

const ROOT = join(import.meta.dirname, '../../src');
/** An import of values; imports of types only do not exist at run time. */
const VALUE_IMPORT =
  /^(?:import|export)\s+(?!type\b)(?:\{(?<names>[^}]*)\}|[^;'{]*?)\s*from '(?<from>[^']+)';/gms;

function valueImports(file: string): string[] {
  return [...readFileSync(join(ROOT, file), 'utf8').matchAll(VALUE_IMPORT)]
    .filter(({ groups }) => !groups?.['names']?.split(',').every((name) => /^\s*(?:type\s|$)/.test(name)))
    .map(({ groups }) => groups!['from']!)
    .map((from) => (from.startsWith('.') ? normalize(join(dirname(file), from)) : from));
}

function loadedBy(entry: string): Set<string> {
  const loaded = new Set<string>([entry]);
  for (const file of loaded) {
    if (file.endsWith('.ts')) for (const other of valueImports(file)) loaded.add(other);
  }
  return loaded;
}

const workers = globSync('services/*/**/worker.ts', { cwd: ROOT });

describe('the modules that a worker thread loads', () => {
  for (const worker of workers) {
    it(worker, () => {
      const loaded = loadedBy(worker);
      assert.ok(loaded.has('os/libc.ts'), 'the imports could not be followed');
      const heavy = ['node:crypto', 'node:http', 'node:https', 'node:child_process', 'node:net'];
      assert.deepEqual(
        heavy.filter((name) => loaded.has(name)),
        [],
      );
    });
  }
  it('every service with a thread is covered', () => assert.ok(workers.length >= 4));
});

it('nobody imports values of node:http, which loads undici, too', () => {
  const files = globSync('**/*.ts', { cwd: ROOT });
  assert.deepEqual(
    files.filter((file) => valueImports(file).includes('node:http')),
    [],
  );
});
