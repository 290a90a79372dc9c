/** Servers as CSV with a header, as people export it from a table. Every bad line is reported, and the others are kept. Pure. */
import { asIs, say } from '../texts/text.ts';
import { type Candidate, type Candidates, type LineProblem, problemAt } from './host-candidates.ts';
import { nearestName } from './validate.ts';

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
export function csvSeparator(text: string): string | undefined {
  const first = text.split(/\r\n|\n|\r/).find((line) => line.trim() !== '') ?? '';
  return SEPARATORS.find((separator) => {
    const columns = first.split(separator).map((cell) => COLUMNS[columnKey(cell.replaceAll('"', ''))]);
    return columns.includes('name') && columns.includes('address');
  });
}

/** RFC 4180, with any of three separators. Lists in a cell are separated by spaces, ";" or ",". */
export function readCsv(text: string, separator: string): Candidates {
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
