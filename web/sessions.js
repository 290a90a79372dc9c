/** Sessions or BIB entries as a list with filters, a page at a time. */
import { ApiProblem, request } from './api.js';
import {
  byId,
  control,
  formatDuration,
  formatNumber,
  make,
  makeTable,
  markFields,
  queryOf,
  setText,
} from './dom.js';

/** @import { Nat64BibAnswer, Nat64SessionsAnswer } from '../src/admin/contract.ts' */
/** @typedef {Nat64SessionsAnswer['rows'][number]} Session */
/** @typedef {Nat64BibAnswer['rows'][number]} BibEntry */

const PAGE_ROWS = 25;

const form = control('nat64-filter', HTMLFormElement);
const list = control('nat64-list', HTMLSelectElement);
const remote = control('nat64-remote', HTMLInputElement);
const more = control('nat64-more', HTMLButtonElement);

/** What is shown: the answers to one query so far. */
let query = new URLSearchParams();
/** @type {(Session | BibEntry)[]} */
let rows = [];
/** @type {number | null} */
let nextCursor = null;
let pages = 0;
/** Somebody asked for something, and has not got it yet. */
let isAwaited = false;
/** Of the latest request: answers to earlier ones come too late. */
let latest = 0;

/** Loads the first page again, unless somebody reads further on. Throws ApiProblem. */
export async function refreshRows() {
  if (pages <= 1 && !isAwaited) await load(0);
}

/** Shows the page that begins at a cursor; empty ones, of records that did not match, are passed over. */
async function load(/** @type {number} */ cursor) {
  const turn = ++latest;
  const isBib = query.get('list') === 'bib';
  const asked = new URLSearchParams(query);
  asked.delete('list');
  asked.set('limit', String(PAGE_ROWS));
  /** @type {number | null} */
  let next = cursor;
  /** @type {(Session | BibEntry)[]} */
  let found = [];
  while (next !== null && found.length === 0) {
    asked.set('cursor', String(next));
    /** @type {Nat64SessionsAnswer | Nat64BibAnswer} */
    const answer = await request(`/nat64/${isBib ? 'bib' : 'sessions'}?${asked}`);
    if (turn !== latest) return;
    found = answer.rows;
    next = answer.nextCursor;
  }
  rows = cursor === 0 ? found : [...rows, ...found];
  pages = cursor === 0 ? 1 : pages + 1;
  nextCursor = next;
  show(isBib);
}

function show(/** @type {boolean} */ isBib) {
  const what = isBib ? 'BIB entries' : 'sessions';
  more.hidden = nextCursor === null;
  setText(byId('nat64-rows-state'), stateText(what));
  if (rows.length === 0) {
    const isFiltered = [...query.keys()].some((name) => name !== 'list');
    const text = isFiltered
      ? `No ${what} like that. Empty a field to see more.`
      : `No ${what} yet. They come when a server sends to an IPv4 address, by a name through DNS64 or by an address in the NAT64 prefix.`;
    byId('nat64-rows').replaceChildren(make('p', { class: 'hint' }, text));
    return;
  }
  const table = isBib
    ? makeTable(['Protocol', 'Client', 'Has', 'Sessions'], rows.map(bibCells))
    : makeTable(['Protocol', 'Client', 'As', 'Other end', 'State', 'Ends in'], rows.map(sessionCells));
  byId('nat64-rows').replaceChildren(table);
}

function stateText(/** @type {string} */ what) {
  if (rows.length === 0) return '';
  const count = `${formatNumber(rows.length)} ${what}${nextCursor === null ? '' : ', and more'}.`;
  return pages > 1 ? `${count} "Show" loads them anew.` : count;
}

const end = (/** @type {string} */ address, /** @type {number} */ port) =>
  make('span', { class: 'address' }, `${address}#${port}`);

/** @param {Session | BibEntry} row */
const mappingCells = ({ protocol, client, clientPort, poolAddress, poolPort }) => [
  protocol.toUpperCase(),
  end(client, clientPort),
  end(poolAddress, poolPort),
];

/** @param {Session | BibEntry} row */
function bibCells(row) {
  if (!('sessions' in row)) return [];
  const sessions = formatNumber(row.sessions);
  return [...mappingCells(row), row.isStatic ? `${sessions}, static` : sessions];
}

/** @param {Session | BibEntry} row */
function sessionCells(row) {
  if (!('remote' in row)) return [];
  return [
    ...mappingCells(row),
    row.protocol === 'icmp'
      ? make('span', { class: 'address' }, row.remote)
      : end(row.remote, row.remotePort),
    row.state ?? '-',
    formatDuration(row.endsInSeconds),
  ];
}

/** Runs a load, and says under the form what is wrong. */
async function attempt(/** @type {() => Promise<void>} */ action) {
  const problem = byId('nat64-filter-problem');
  isAwaited = true;
  try {
    await action();
    setText(problem, '');
    markFields(form, []);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    setText(problem, error.problems[0]?.message ?? error.message);
    markFields(form, error.problems);
  } finally {
    isAwaited = false;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const before = query;
  void attempt(async () => {
    query = queryOf(form);
    try {
      await load(0);
    } catch (error) {
      query = before;
      throw error;
    }
  });
});

// BIB entries have no other end.
list.addEventListener('change', () => {
  remote.disabled = list.value === 'bib';
});

more.addEventListener('click', () => {
  if (nextCursor !== null) void attempt(() => load(nextCursor ?? 0));
});
