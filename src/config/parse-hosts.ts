/**
 * Reads servers from text that a user pastes: lines "name address hostname...", CSV with a header, or JSON. Every invalid line
 * is reported by its number, and the others are still accepted. Pure.
 */
import { parseIpv6 } from '../wire/ip-address.ts';
import { checkHost } from './check.ts';
import { type Text, asIs, listOf, say } from '../texts/text.ts';
import { isObject } from './json-schema.ts';
import { lineAndColumn, parseJson } from './json.ts';
import { fillHostDefaults } from './load.ts';
import { type ConfigProblem, pointerStep, quoteValue } from './problem.ts';
import { type Config, HostSchema } from './schema.ts';
import { MAX_PROBLEMS, nearestName, validate } from './validate.ts';

export interface LineProblem {
  /** From 1. */
  readonly line: number;
  /** The offending text, quoted and shortened. */
  readonly value: string | Text;
  readonly expected: Text;
  readonly message: Text;
}

export interface ParsedHosts {
  readonly format: 'lines' | 'csv' | 'json';
  /** As in a document: missing fields have their defaults. */
  readonly hosts: readonly { readonly line: number; readonly host: HostDocument }[];
  /** At most MAX_PROBLEMS. */
  readonly problems: readonly LineProblem[];
}

export type HostDocument = { readonly name: string } & Readonly<Record<string, unknown>>;

/** An entry before validation. */
interface Candidate {
  readonly value: unknown;
  readonly line: number;
  /** The line of the value at a JSON pointer into `value`. */
  readonly lineOf: (path: string) => number;
}

interface Candidates {
  readonly format: ParsedHosts['format'];
  readonly candidates: readonly Candidate[];
  readonly problems: readonly LineProblem[];
}

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

function problemAt(line: number, text: string | Text, expected: Text, sentence?: Text): LineProblem {
  const value = typeof text === 'string' ? quoteValue(text) : text;
  const message =
    sentence === undefined
      ? say('{value} is not {expected}', { value, expected })
      : say('{value} {sentence}; expected {expected}', { value, sentence, expected });
  return { line, value, expected, message };
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

/** Names of columns, as people write them; case, spaces, "-" and "_" are ignored. */
const COLUMNS: Readonly<Record<string, Column>> = {
  name: 'name',
  server: 'name',
  address: 'address',
  ipv6: 'address',
  ip: 'address',
  hostnames: 'hostnames',
  hostname: 'hostnames',
  names: 'hostnames',
  services: 'services',
  listeners: 'services',
  clientaddress: 'clientAddress',
  ssh: 'ssh',
  sshport: 'ssh',
};
type Column = 'name' | 'address' | 'hostnames' | 'services' | 'clientAddress' | 'ssh';

const columnKey = (text: string): string => text.toLowerCase().replace(/[\s_-]/g, '');
const SEPARATORS = [',', ';', '\t'];

/** The separator of a text whose first line is a header with "name" and "address"; undefined when it is not CSV. */
function csvSeparator(text: string): string | undefined {
  const first = text.split(/\r\n|\n|\r/).find((line) => line.trim() !== '') ?? '';
  return SEPARATORS.find((separator) => {
    const columns = first.split(separator).map((cell) => COLUMNS[columnKey(cell.replaceAll('"', ''))]);
    return columns.includes('name') && columns.includes('address');
  });
}

/** RFC 4180, with any of three separators. Lists in a cell are separated by spaces, ";" or ",". */
function readCsv(text: string, separator: string): Candidates {
  const [header, ...rows] = csvRows(text, separator);
  const problems: LineProblem[] = [];
  const columns = header.cells.map((cell): Column | undefined => {
    const key = columnKey(cell);
    if (Object.hasOwn(COLUMNS, key)) return COLUMNS[key];
    const known = ['name', 'address', 'hostnames', 'services', 'clientAddress', 'ssh'];
    const nearest = nearestName(cell, known);
    const expected =
      nearest === undefined ? say('one of {names}', { names: known.join(', ') }) : asIs(`"${nearest}"`);
    problems.push(problemAt(header.line, cell, expected, say('is not the name of a column')));
    return undefined;
  });
  const candidates: Candidate[] = [];
  for (const { line, cells, isOpen, goesOn } of rows) {
    if (isOpen) {
      problems.push(problemAt(line, cells.at(-1) ?? '', say('a closing double quote'), say('has no end')));
    } else if (goesOn !== undefined) {
      problems.push(
        problemAt(
          line,
          goesOn,
          say('"{separator}" or the end of the line', { separator }),
          say('follows a closing double quote'),
        ),
      );
    } else if (cells.length > columns.length) {
      problems.push(
        problemAt(
          line,
          cells[columns.length],
          say('{count} cells', { count: columns.length }),
          say('is one cell too many'),
        ),
      );
    } else {
      candidates.push({ value: entryOfRow(columns, cells), line, lineOf: () => line });
    }
  }
  return { format: 'csv', candidates, problems };
}

function entryOfRow(columns: readonly (Column | undefined)[], cells: readonly string[]): object {
  const entry: Record<string, unknown> = {};
  for (const [index, cell] of cells.entries()) {
    const column = columns[index];
    const text = cell.trim();
    if (column === undefined || text === '') continue;
    if (column === 'hostnames' || column === 'services') {
      const list = text.split(/[\s,;]+/).filter((word) => word !== '');
      if (list.length > 0) entry[column] = list;
    } else if (column === 'ssh') entry[column] = sshOf(text);
    else entry[column] = text;
  }
  return entry;
}

/** A port, "no", or a value that the schema will refuse. */
function sshOf(text: string): unknown {
  if (/^(?:no|false|none|-)$/i.test(text)) return false;
  if (/^(?:yes|true|auto)$/i.test(text)) return {};
  return { port: /^[0-9]{1,5}$/.test(text) ? Number(text) : text };
}

interface CsvRow {
  /** The line where it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
  /** The text ended inside double quotes. */
  readonly isOpen: boolean;
  /** What stands between a closing double quote and the next separator. */
  readonly goesOn: string | undefined;
}

/** The rows that are not empty. */
function csvRows(text: string, separator: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  /** Since a closing double quote of the cell. */
  let behind: string | undefined;
  let goesOn: string | undefined;
  let line = 1;
  let rowLine = 1;
  const endCell = () => {
    cells.push(cell);
    if (behind !== undefined && behind.trim() !== '') goesOn ??= behind.trim();
    cell = '';
    behind = undefined;
  };
  const endRow = (isOpen: boolean) => {
    endCell();
    if (cells.some((each) => each.trim() !== '')) rows.push({ line: rowLine, cells, isOpen, goesOn });
    cells = [];
    goesOn = undefined;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    const isLineEnd = character === '\n' || (character === '\r' && text[at + 1] !== '\n');
    if (isLineEnd) line++;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += character;
        at++;
      } else {
        isQuoted = false;
        behind = '';
      }
    } else if (character === separator) {
      endCell();
    } else if (isLineEnd) {
      endRow(false);
      rowLine = line;
    } else if (behind !== undefined) {
      behind += character;
    } else if (character === '"' && cell.trim() === '') {
      cell = '';
      isQuoted = true;
    } else cell += character;
  }
  endRow(isQuoted);
  return rows;
}
