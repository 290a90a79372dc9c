/**
 * Compares a document with a schema and describes each difference for users. It visits objects, lists and unions; `fits`
 * decides whether a single value matches. A missing property is not a problem if it has a default.
 */
import { type SchemaNode, fits, isObject } from './json-schema.ts';
import type { ConfigProblem } from './problem.ts';
import { missing, pointerStep, quoteValue } from './problem.ts';
import { type Text, asIs, say } from '../texts/text.ts';

/** More than a person reads. Also keeps a megabyte of invalid input from producing a hundred megabytes of problems. */
export const MAX_PROBLEMS = 100;

/** The first MAX_PROBLEMS problems of the document, in schema order. Empty when it is valid after its defaults are filled in. */
export function validate(schema: SchemaNode, value: unknown): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  walk(schema, value, '', problems);
  return problems.slice(0, MAX_PROBLEMS);
}

function walk(schema: SchemaNode, value: unknown, path: string, problems: ConfigProblem[]): void {
  if (problems.length >= MAX_PROBLEMS) return;
  // For a union, the branch with the same shape as the value gives a better message than "matches no branch".
  const shaped = isObject(value) ? branchLike(schema.anyOf, value) : undefined;
  const properties = (shaped ?? schema).properties;
  if (properties !== undefined && isObject(value)) {
    walkObject(shaped ?? schema, properties, value, path, problems);
    return;
  }
  if (!fits(schema, value)) problems.push(mismatch(schema, value, path));
  const { items } = schema;
  if (items === undefined || !Array.isArray(value)) return;
  for (const [i, item] of value.entries()) walk(items, item, path + pointerStep(i), problems);
}

/** The object branch whose constant properties ("kind") match the object; if there is none, the first object branch. */
function branchLike(
  branches: readonly SchemaNode[] | undefined,
  value: Record<string, unknown>,
): SchemaNode | undefined {
  const candidates = branches?.filter((branch) => branch.properties !== undefined) ?? [];
  const agrees = ({ properties }: SchemaNode) =>
    Object.entries(properties!).every(
      ([name, property]) => property.const === undefined || property.const === value[name],
    );
  return candidates.find(agrees) ?? candidates[0];
}

/** In the schema's own words. */
const expectedOf = (schema: SchemaNode): Text => asIs(schema.expected ?? '');

function mismatch(schema: SchemaNode, value: unknown, path: string): ConfigProblem {
  const expected = expectedOf(schema);
  if (schema.writeOnly === true) return { path, expected, message: say('is not {expected}', { expected }) };
  const quoted = quoteValue(value);
  return {
    path,
    value: quoted,
    expected,
    message: say('{value} is not {expected}', { value: quoted, expected }),
  };
}

function walkObject(
  schema: SchemaNode,
  properties: Readonly<Record<string, SchemaNode>>,
  object: Record<string, unknown>,
  path: string,
  problems: ConfigProblem[],
): void {
  for (const [name, property] of Object.entries(properties)) {
    const propertyPath = path + pointerStep(name);
    if (Object.hasOwn(object, name)) {
      walk(property, object[name], propertyPath, problems);
    } else if (property.default === undefined && schema.required?.includes(name) === true) {
      problems.push(missing(propertyPath, expectedOf(property)));
    }
  }
  const known = Object.keys(properties);
  for (const name of Object.keys(object)) {
    if (problems.length >= MAX_PROBLEMS) return;
    if (!Object.hasOwn(properties, name)) problems.push(unknownField(name, known, path));
  }
}

function unknownField(name: string, known: readonly string[], path: string): ConfigProblem {
  const nearest = nearestName(name, known);
  const quoted = quoteValue(name);
  const names = known.join(', ');
  const expected = nearest === undefined ? say('one of {names}', { names }) : asIs(`"${nearest}"`);
  return {
    path: path + pointerStep(name),
    value: quoted,
    expected,
    message:
      nearest === undefined
        ? say('unknown field {name}; known here: {names}', { name: quoted, names })
        : say('unknown field {name}; did you mean "{nearest}"?', { name: quoted, nearest }),
  };
}

/** The known name that needs the fewest edits, if these are few for its length. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (name.length > 64) return undefined;
  let nearest: string | undefined;
  let fewest = Infinity;
  for (const candidate of known) {
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest && edits <= Math.max(1, candidate.length / 3)) [nearest, fewest] = [candidate, edits];
  }
  return nearest;
}

/** Levenshtein distance: insertions, deletions and replacements of one character. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replace = previous[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      row.push(Math.min(replace, previous[j] + 1, row[j - 1] + 1));
    }
    previous = row;
  }
  return previous[to.length];
}
