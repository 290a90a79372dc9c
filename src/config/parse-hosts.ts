/**
 * Reads servers from text that a user pastes: lines "name address hostname...", CSV with a header, or JSON. Every invalid line
 * is reported by its number, and the others are still accepted. Pure.
 */
import { parseIpv6 } from '../wire/ip-address.ts';
import { checkHost } from './check.ts';
import { type Text, listOf, say } from '../texts/text.ts';
import { type Candidate, type Candidates, type LineProblem, problemAt } from './host-candidates.ts';
import { csvSeparator, readCsv } from './hosts-csv.ts';
import { isObject } from './json-schema.ts';
import { lineAndColumn, parseJson } from './json.ts';
import { fillHostDefaults } from './load.ts';
import { type ConfigProblem, pointerStep, quoteValue } from './problem.ts';
import { type Config, HostSchema } from './schema.ts';
import { MAX_PROBLEMS, validate } from './validate.ts';

export interface ParsedHosts {
  readonly format: Candidates['format'];
  /** As in a document: missing fields have their defaults. */
  readonly hosts: readonly { readonly line: number; readonly host: HostDocument }[];
  /** At most MAX_PROBLEMS. */
  readonly problems: readonly LineProblem[];
}

export type HostDocument = { readonly name: string } & Readonly<Record<string, unknown>>;

/** The servers in a text, and the problems of the other lines. `config` provides the services and prefixes that exist. */
export function parseHosts(text: string, config: Config): ParsedHosts {
  const clean = text.replace(/^\uFEFF/, '');
  const { format, candidates, problems } = readCandidates(clean);
  const found: LineProblem[] = [...problems];
  const hosts: { line: number; host: HostDocument }[] = [];
  const names = new Map<string, number>();
  const hostnames = new Map<string, number>();
  for (const { value, line, lineOf } of candidates) {
    if (found.length >= MAX_PROBLEMS) break;
    const own = problemsOf(value, config).map((problem) => onLine(problem, lineOf(problem.path)));
    if (own.length === 0) {
      const host = value as HostDocument;
      own.push(...repeated(host, line, names, hostnames));
      if (own.length === 0) hosts.push({ line, host });
    }
    found.push(...own);
  }
  found.sort((a, b) => a.line - b.line);
  return { format, hosts, problems: found.slice(0, MAX_PROBLEMS) };
}

function problemsOf(value: unknown, config: Config): ConfigProblem[] {
  const problems = validate(HostSchema, value);
  return problems.length > 0 ? problems : checkHost(config, fillHostDefaults(value), '');
}

const onLine = ({ path, value, expected, message }: ConfigProblem, line: number): LineProblem => ({
  line,
  value: value ?? '',
  expected,
  message: path === '' ? message : listOf([path.slice(1), message], ': '),
});

/** Names and host names of earlier lines. */
function repeated(
  { name, hostnames: own }: HostDocument,
  line: number,
  names: Map<string, number>,
  hostnames: Map<string, number>,
): LineProblem[] {
  const problems: LineProblem[] = [];
  const note = (seen: Map<string, number>, text: string, expected: Text) => {
    const key = text.toLowerCase();
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, line);
      return;
    }
    const value = quoteValue(text);
    problems.push({
      line,
      value,
      expected,
      message: say('{value} is already in line {first}; expected {expected}', { value, first, expected }),
    });
  };
  note(names, name, say('a name that no other server has'));
  for (const hostname of (own ?? []) as string[])
    note(hostnames, hostname, say('a host name that leads to one server'));
  return problems;
}

function readCandidates(text: string): Candidates {
  const start = text.trimStart();
  if (start.startsWith('[') || start.startsWith('{')) return readJson(text);
  const separator = csvSeparator(text);
  return separator === undefined ? readLines(text) : readCsv(text, separator);
}

/** A list of servers, or a configuration that contains one. */
function readJson(text: string): Candidates {
  const format = 'json';
  const parsed = parseJson(text);
  if ('problem' in parsed) {
    const { line = 1, value = '', expected, message } = parsed.problem;
    return { format, candidates: [], problems: [{ line, value, expected, message }] };
  }
  const { value, positions } = parsed;
  const isConfiguration = isObject(value) && Array.isArray(value['hosts']);
  const [list, base] = isConfiguration ? [value['hosts'], '/hosts'] : [value, ''];
  const lineAt = (path: string): number => {
    // A missing value is reported at the object that should contain it.
    const offset = positions.get(path) ?? positions.get(path.slice(0, path.lastIndexOf('/'))) ?? 0;
    return lineAndColumn(text, offset).line;
  };
  if (!Array.isArray(list)) {
    const expected = say('a list of servers, or a configuration with "hosts"');
    return { format, candidates: [], problems: [problemAt(lineAt(base), say('an object'), expected)] };
  }
  const candidates = list.map((entry: unknown, index): Candidate => {
    const at = base + pointerStep(index);
    return { value: entry, line: lineAt(at), lineOf: (path) => lineAt(at + path) };
  });
  return { format, candidates, problems: [] };
}

const NOTHING = /^\s*(?:#.*)?$/;
const LINE_EXPECTED = say('a line such as "web1 2001:db8:1::10 www.example.com"');

/** "name address hostname...", or the order of /etc/hosts: "address name hostname..."; "#" starts a comment. */
function readLines(text: string): Candidates {
  const candidates: Candidate[] = [];
  const problems: LineProblem[] = [];
  for (const [index, content] of text.split(/\r\n|\n|\r/).entries()) {
    if (NOTHING.test(content)) continue;
    const line = index + 1;
    const words = content
      .replace(/(?:^|\s)#.*$/, '')
      .split(/[\s,;]+/)
      .filter((word) => word !== '');
    if (words.length < 2) {
      problems.push(problemAt(line, content.trim(), LINE_EXPECTED));
      continue;
    }
    const isAddressFirst = parseIpv6(words[0]) !== undefined;
    const [name, address] = isAddressFirst ? [words[1], words[0]] : words;
    candidates.push({
      value: entryOf({ name, address, hostnames: words.slice(2) }),
      line,
      lineOf: () => line,
    });
  }
  return { format: 'lines', candidates, problems };
}

/** Without missing values. */
const entryOf = ({ hostnames, ...rest }: { hostnames: readonly string[] } & Record<string, unknown>) => ({
  ...rest,
  ...(hostnames.length === 0 ? {} : { hostnames }),
});
