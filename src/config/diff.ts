/**
 * The differences between two configurations, in terms that people use. List entries are matched by their name, or otherwise by
 * their identifying fields, so that a new first entry does not change all the others. Pure.
 */
import { isObject } from './json-schema.ts';
import { pointerStep } from './problem.ts';

export interface Difference {
  readonly kind: 'added' | 'removed' | 'changed' | 'moved';
  /** JSON pointer into the new document; for something removed, into the old one. */
  readonly path: string;
  /** The same for users: `hosts[web1].address`. */
  readonly label: string;
  /** Absent when added; for something moved, its old position in the list, from 0. */
  readonly from?: unknown;
  /** Absent when removed. */
  readonly to?: unknown;
}

interface Place {
  /** In the new document. */
  readonly path: string;
  /** In the old one. */
  readonly oldPath: string;
  readonly label: string;
}

/** The differences of two JSON values, in the order of the new one; empty when they are equal. */
export function diffDocuments(from: unknown, to: unknown): Difference[] {
  const found: Difference[] = [];
  compare(from, to, { path: '', oldPath: '', label: '' }, found);
  return found;
}

function compare(from: unknown, to: unknown, place: Place, found: Difference[]): void {
  if (isObject(from) && isObject(to)) compareObjects(from, to, place, found);
  else if (Array.isArray(from) && Array.isArray(to)) compareLists(from, to, place, found);
  else if (from !== to) found.push({ kind: 'changed', path: place.path, label: place.label, from, to });
}

const propertyOf = ({ path, oldPath, label }: Place, name: string): Place => ({
  path: path + pointerStep(name),
  oldPath: oldPath + pointerStep(name),
  label: label === '' ? name : `${label}.${name}`,
});

function compareObjects(
  from: Record<string, unknown>,
  to: Record<string, unknown>,
  place: Place,
  found: Difference[],
): void {
  for (const [name, value] of Object.entries(to)) {
    const at = propertyOf(place, name);
    if (Object.hasOwn(from, name)) compare(from[name], value, at, found);
    else found.push({ kind: 'added', path: at.path, label: at.label, to: value });
  }
  for (const [name, value] of Object.entries(from)) {
    if (Object.hasOwn(to, name)) continue;
    const { oldPath: path, label } = propertyOf(place, name);
    found.push({ kind: 'removed', path, label, from: value });
  }
}

const nameOf = (entry: unknown): string | undefined =>
  isObject(entry) && typeof entry['name'] === 'string' ? entry['name'] : undefined;

/** The identity of an entry. A repeated one has a number appended, so that keys are unique. */
function keysOf(list: readonly unknown[]): string[] {
  const seen = new Map<string, number>();
  return list.map((entry) => {
    const name = nameOf(entry);
    const key = name === undefined ? `= ${JSON.stringify(entry)}` : `name ${name}`;
    const count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    return `${count} ${key}`;
  });
}

function compareLists(
  from: readonly unknown[],
  to: readonly unknown[],
  place: Place,
  found: Difference[],
): void {
  const labelOf = (list: readonly unknown[], index: number): string =>
    `${place.label}[${nameOf(list[index]) ?? index}]`;
  const fromKeys = keysOf(from);
  const oldIndexes = new Map(fromKeys.map((key, index) => [key, index]));
  /** The old index of each new entry. */
  const matches: (number | undefined)[] = keysOf(to).map((key) => oldIndexes.get(key));
  pairRest(from, to, matches);
  const kept = longestIncreasing(matches);
  for (const [index, entry] of to.entries()) {
    const old = matches[index];
    const path = place.path + pointerStep(index);
    const label = labelOf(to, index);
    if (old === undefined) {
      found.push({ kind: 'added', path, label, to: entry });
      continue;
    }
    if (!kept.has(index)) found.push({ kind: 'moved', path, label, from: old, to: index });
    compare(from[old], entry, { path, oldPath: place.oldPath + pointerStep(old), label }, found);
  }
  const matched = new Set(matches);
  for (const [index, entry] of from.entries()) {
    if (matched.has(index)) continue;
    found.push({
      kind: 'removed',
      path: place.oldPath + pointerStep(index),
      label: labelOf(from, index),
      from: entry,
    });
  }
}

/** An unnamed new entry at the position of a removed one is treated as that one, changed. */
function pairRest(from: readonly unknown[], to: readonly unknown[], matches: (number | undefined)[]): void {
  const taken = new Set(matches);
  for (const [index, entry] of to.entries()) {
    const isFree = matches[index] === undefined && index < from.length && !taken.has(index);
    if (isFree && nameOf(entry) === undefined && nameOf(from[index]) === undefined) matches[index] = index;
  }
}

/** Positions of the longest run of matches in the same order (patience sorting); the others have moved. */
function longestIncreasing(matches: readonly (number | undefined)[]): Set<number> {
  /** Positions: the last match of the best run of each length. */
  const ends: number[] = [];
  const before = new Map<number, number | undefined>();
  for (const [position, value] of matches.entries()) {
    if (value === undefined) continue;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((matches[ends[middle]] as number) < value) low = middle + 1;
      else high = middle;
    }
    before.set(position, ends[low - 1]);
    ends[low] = position;
  }
  const run = new Set<number>();
  for (let position = ends.at(-1); position !== undefined; position = before.get(position)) run.add(position);
  return run;
}
