/**
 * Counters that cross threads. A service names its counters once, in one `as const` table (name -> what it counts). Metrics and
 * UI labels derive from that table. Each thread writes its own block, so no atomics are needed (one writer). Any thread may
 * read.
 */

/** Counter names ("drop-ttl-tcp", ...) with the sentence that explains each. */
export type CounterTable = Readonly<Record<string, string>>;

/** One thread's block of counters. */
export interface Counters<Table extends CounterTable> {
  /** The shared memory behind it: hand it to a worker, which attaches with `createCounters(table, buffer)`. */
  readonly buffer: SharedArrayBuffer;
  /** One double per counter, in the table's order. Hot loops write `values[index.name]++`. */
  readonly values: Float64Array<SharedArrayBuffer>;
  /** Position of each counter in `values`. */
  readonly index: { readonly [Name in keyof Table]: number };
}

/** Attaches to a block made by another thread, or makes a new one with every counter at 0. */
export function createCounters<Table extends CounterTable>(
  table: Table,
  buffer = new SharedArrayBuffer(Object.keys(table).length * 8),
): Counters<Table> {
  const index = Object.fromEntries(Object.keys(table).map((name, position) => [name, position]));
  return { buffer, values: new Float64Array(buffer), index: index as Counters<Table>['index'] };
}

/** The counters' values by name, summed over the blocks of several threads. */
export function readCounters<Table extends CounterTable>(
  ...blocks: readonly Counters<Table>[]
): { [Name in keyof Table]: number } {
  const [first] = blocks;
  if (first === undefined) throw new Error('readCounters: no block given');
  const sums = Object.entries(first.index).map(([name, position]) => [
    name,
    blocks.reduce((sum, block) => sum + block.values[position as number], 0),
  ]);
  return Object.fromEntries(sums) as { [Name in keyof Table]: number };
}
