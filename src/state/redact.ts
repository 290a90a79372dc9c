/** Removes secrets from data that is given away: known secrets, and text that looks like one. */
import { join } from 'node:path';
import { readRegularFile } from '../os/read-file.ts';

export const REMOVED = '(removed)';

const SECRET_FIELD = /pass(word|phrase)?|secret|token|hash|private|credential|cookie|devicekey/i;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const BEARER = /\b(Bearer|Basic) +[^\s"\\]+/gi;
/** A shorter value could be any word, and replacing it everywhere would reveal it. */
const SHORTEST_SECRET = 8;

/** A copy without the values of fields that have names of secrets, at every depth. */
export function redactFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactFields);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      SECRET_FIELD.test(name) && typeof field === 'string' ? REMOVED : redactFields(field),
    ]),
  );
}

/** The text without these secrets, private keys, and HTTP credentials. */
export function redactText(text: string, secrets: readonly string[]): string {
  // The longest first, because one may contain another.
  const ordered = secrets
    .filter(({ length }) => length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);
  return ordered
    .reduce((rest, secret) => rest.replaceAll(secret, REMOVED).replaceAll(jsonText(secret), REMOVED), text)
    .replace(PRIVATE_KEY, REMOVED)
    .replace(BEARER, `$1 ${REMOVED}`);
}

/** As it is written inside a JSON string. */
const jsonText = (text: string): string => JSON.stringify(text).slice(1, -1);

/** The secrets in the state directory: they must never appear in anything that leaves the appliance. */
export async function knownSecrets(stateDirectory: string): Promise<string[]> {
  const textOf = (name: string) => readRegularFile(join(stateDirectory, name)).then(String, () => '');
  const certificate = await textOf('admin-certificate.pem');
  const keyLines = certificate.match(PRIVATE_KEY)?.flatMap((pem) => pem.split('\n')) ?? [];
  return [
    (await textOf('admin-token')).trim(),
    ...stringsOf(parse(await textOf('auth.json')), false),
    ...keyLines.filter((line) => !line.startsWith('-----')),
  ];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The texts in fields that have names of secrets. */
function stringsOf(value: unknown, isSecret: boolean): string[] {
  if (typeof value === 'string') return isSecret ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => stringsOf(item, isSecret));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => stringsOf(field, SECRET_FIELD.test(name)));
}
