/**
 * Raspberry Pi Imager's rpi-preseed.toml: only the few settings that the appliance uses. This parser reads tables, strings,
 * booleans, integers and arrays of strings, a part of TOML 1.0, and skips everything else.
 */
import { parseSshPublicKey, type SshPublicKey } from '../src/wire/ssh-public-key.ts';

export interface Preseed {
  /** A label, lower case. */
  readonly hostname?: string;
  /** Who may log in; undefined when SSH was not requested. */
  readonly authorizedKeys?: readonly SshPublicKey[];
  /** Settings that could not be used, in words. */
  readonly problems: readonly string[];
}

type Value = string | boolean | number | string[];

const HOSTNAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Parses a preseed file; never throws. */
export function parsePreseed(text: string): Preseed {
  const values = parseToml(text);
  const problems: string[] = [];
  let hostname: string | undefined;
  const name = values.get('system.hostname');
  if (name !== undefined) {
    const candidate = String(name).toLowerCase();
    if (HOSTNAME.test(candidate)) hostname = candidate;
    else
      problems.push(
        `system.hostname: ${JSON.stringify(name)} is not a label of letters, digits and hyphens, at most 63`,
      );
  }
  let authorizedKeys: SshPublicKey[] | undefined;
  const keys = values.get('ssh.authorized_keys');
  if (Array.isArray(keys) && values.get('ssh.enabled') !== false) {
    const good = keys.map(parseSshPublicKey).filter((key) => typeof key !== 'string');
    if (good.length < keys.length)
      problems.push('ssh.authorized_keys: not every line is an OpenSSH public key');
    if (good.length > 0) authorizedKeys = good;
  } else if (values.get('ssh.enabled') === true) {
    problems.push('ssh: the appliance takes keys only, and there is none in ssh.authorized_keys');
  }
  return { ...(hostname && { hostname }), ...(authorizedKeys && { authorizedKeys }), problems };
}

/** Values by dotted path ("ssh.enabled"); if a path occurs twice, the first value is used. */
export function parseToml(text: string): Map<string, Value> {
  const values = new Map<string, Value>();
  let table = '';
  // Join arrays that span several lines before they are parsed.
  for (const line of joinArrays(text.split(/\r?\n/))) {
    const header = /^\s*\[\s*([A-Za-z0-9_.-]+)\s*\]\s*(#.*)?$/.exec(line);
    if (header !== null) {
      table = `${header[1]}.`;
      continue;
    }
    const assignment = /^\s*([A-Za-z0-9_.-]+)\s*=\s*(.*)$/.exec(line);
    if (assignment === null) continue;
    const value = parseValue(assignment[2]);
    const path = table + assignment[1];
    if (value !== undefined && !values.has(path)) values.set(path, value);
  }
  return values;
}

const STRING = /^\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*/;

function parseValue(text: string): Value | undefined {
  if (text.startsWith('[')) return parseArray(text);
  const string = STRING.exec(text);
  if (string !== null) return unquote(string);
  const word = /^([^\s#]*)\s*(#.*)?$/.exec(text)?.[1];
  if (word === 'true' || word === 'false') return word === 'true';
  return word !== undefined && /^[+-]?\d{1,15}$/.test(word) ? Number(word) : undefined;
}

function parseArray(text: string): string[] | undefined {
  const items: string[] = [];
  let rest = text.slice(1);
  for (;;) {
    rest = rest.trimStart();
    if (rest.startsWith(']')) return items;
    const string = STRING.exec(rest);
    if (string === null) return undefined;
    items.push(unquote(string));
    rest = rest.slice(string[0].length);
    if (rest.startsWith(',')) rest = rest.slice(1);
    else if (!rest.startsWith(']')) return undefined;
  }
}

const unquote = ([, basic, literal]: RegExpExecArray): string =>
  literal ??
  basic.replace(/\\(.)/g, (_, escaped: string) => ({ n: '\n', t: '\t', r: '\r' })[escaped] ?? escaped);

function* joinArrays(lines: readonly string[]): Generator<string> {
  let pending = '';
  for (const line of lines) {
    pending = pending === '' ? withoutComment(line) : `${pending} ${withoutComment(line)}`;
    if (/^[^#"'[]*=\s*\[/.test(pending) && !closesArray(pending)) continue;
    yield pending;
    pending = '';
  }
  if (pending !== '') yield pending;
}

/** Whether the text has a "]" outside of strings. */
const closesArray = (text: string): boolean =>
  text
    .slice(text.indexOf('=') + 1)
    .replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, '')
    .includes(']');

/** Remove comments before lines are joined, because a comment ends with its line. */
const withoutComment = (line: string): string =>
  line.replace(/^((?:[^#"']|"(?:[^"\\]|\\.)*"|'[^']*')*)#.*$/, '$1');
