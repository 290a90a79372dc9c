/**
 * Reads the tables in the main thread while the worker changes them. The result is not a snapshot of one moment. Each record is
 * copied twice, and is used only if both copies show the same entry; a record that keeps changing is left out. Records are walked
 * by their number, which stays the same for their lifetime, and never by their chains. So every walk ends, and an entry that
 * exists during the whole walk is visited exactly once.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BibFilter, BibRow, Page, PageRequest, SessionFilter, SessionRow } from '../questions.ts';
import { formatIpv4, formatIpv6, mapIpv4 } from '../../../wire/ip-address.ts';
import { writeWords } from '../../../wire/ipv6.ts';
import { parseIpPrefix, prefixContains } from '../../../wire/ip-prefix.ts';
import { PROTOCOLS } from '../packet/packet.ts';
import type { Settings } from '../settings/settings.ts';
import {
  BIB,
  BIB_KIND,
  CONTROL,
  type HostEndpoint,
  RECORD_WORDS,
  SESSION,
  STATE_MASK,
  type SharedTables,
} from './tables.ts';
import { TCP_STATE } from './tcp-state.ts';
import { type PortPool, MAX_ADDRESSES } from '../settings/pool.ts';
import { compileAccessList, isAllowed } from '../settings/address-list.ts';

/** The tables and what is needed to understand them. */
export interface TablesView {
  readonly tables: SharedTables;
  readonly settings: Settings;
}

/** How many records one page may examine: a full table of the default size; this takes some tenths of a second on a small machine. */
const MAX_EXAMINED = 262_144;
/** After this many records a walk yields to other work of the thread: a millisecond or two. */
const RECORDS_PER_TURN = 8192;
const COPY_ATTEMPTS = 3;

const STATE_NAMES = new Map<number, string>(
  Object.entries(TCP_STATE).map(([name, state]) => [state, name.replaceAll('_', ' ')]),
);

/** A copied BIB entry. */
export interface Mapping extends HostEndpoint {
  /** Signed. */
  readonly mappedAddress: number;
  readonly mappedPort: number;
  readonly isStatic: boolean;
  readonly sessions: number;
}

// Readers use only these functions to interpret a BIB record.

/** TRANSPORT from the KIND of a BIB record, or -1 if the record is free. */
const protocolOfKind = (kind: number): number => (kind & BIB_KIND.TRANSPORT) - 1;

const isStaticKind = (kind: number): boolean => (kind & BIB_KIND.STATIC) !== 0;

/** The pool4 address that a BIB record was made for, signed. */
const addressOfKind = ({ control }: SharedTables, kind: number): number =>
  control[CONTROL.ADDRESSES + ((kind >>> BIB_KIND.SLOT_SHIFT) & (MAX_ADDRESSES - 1))];

/** The pools that new mappings are taken from; addresses signed. */
export const poolsOf = ({
  settings: { pools, poolAddresses },
}: TablesView): (Omit<PortPool, 'slot'> & { address: number })[] =>
  pools.map(({ slot, ...ports }) => ({ address: poolAddresses[slot], ...ports }));

/** The numbers of all used BIB records are below this. */
const bibEnd = ({ control, bib }: SharedTables): number =>
  Math.min(control[CONTROL.BIB_USED], bib.length / RECORD_WORDS);

const sessionsEnd = ({ control, sessions }: SharedTables): number =>
  Math.min(control[CONTROL.SESSIONS_USED], sessions.length / RECORD_WORDS);

/** The layout of a copy: the first words of the session, then its BIB record. */
const OF_BIB = 4;
const COPY_WORDS = OF_BIB + RECORD_WORDS;

/** Reads atomically, so that no read is merged with another or reordered. The writer uses plain stores: it ignores readers. */
function copyBib({ bib }: SharedTables, index: number, copy: Int32Array): void {
  const at = index * RECORD_WORDS;
  for (let word = 0; word < RECORD_WORDS; word++) copy[OF_BIB + word] = Atomics.load(bib, at + word);
}

/** False if the record is free, or refers to no BIB record. */
function copySession(tables: SharedTables, index: number, copy: Int32Array): boolean {
  const at = index * RECORD_WORDS;
  for (let word = 0; word < OF_BIB; word++) copy[word] = Atomics.load(tables.sessions, at + word);
  const owner = copy[SESSION.BIB];
  if (owner <= 0 || owner >= bibEnd(tables)) return false;
  copyBib(tables, owner, copy);
  return true;
}

/** Whether two copies show the same session (or BIB record). The words not compared may change with each packet. */
const isSame = (a: Int32Array, b: Int32Array): boolean =>
  a[SESSION.BIB] === b[SESSION.BIB] &&
  a[SESSION.REMOTE_ADDRESS] === b[SESSION.REMOTE_ADDRESS] &&
  a[SESSION.REMOTE_PORT_AND_STATE] >>> 16 === b[SESSION.REMOTE_PORT_AND_STATE] >>> 16 &&
  a[OF_BIB + BIB.KIND] === b[OF_BIB + BIB.KIND] &&
  a[OF_BIB + BIB.PORTS] === b[OF_BIB + BIB.PORTS] &&
  a[OF_BIB] === b[OF_BIB] &&
  a[OF_BIB + 1] === b[OF_BIB + 1] &&
  a[OF_BIB + 2] === b[OF_BIB + 2] &&
  a[OF_BIB + 3] === b[OF_BIB + 3];

const first = new Int32Array(COPY_WORDS);
const second = new Int32Array(COPY_WORDS);

type Matcher = (copy: Int32Array) => boolean;
const isAny: Matcher = () => true;

/** A copy of the session if it matches, valid until the next call; undefined if it does not match or keeps changing. */
function readSession(tables: SharedTables, index: number, matches = isAny): Int32Array | undefined {
  for (let attempt = 0; attempt < COPY_ATTEMPTS; attempt++) {
    if (!copySession(tables, index, first) || !isEntry(first) || !matches(first)) return undefined;
    if (copySession(tables, index, second) && isSame(first, second)) return second;
  }
  return undefined;
}

/** The same for a BIB entry. */
function readBib(tables: SharedTables, index: number, matches = isAny): Int32Array | undefined {
  first.fill(0, 0, OF_BIB);
  second.fill(0, 0, OF_BIB);
  for (let attempt = 0; attempt < COPY_ATTEMPTS; attempt++) {
    copyBib(tables, index, first);
    if (!isEntry(first) || !matches(first)) return undefined;
    copyBib(tables, index, second);
    if (isSame(first, second)) return second;
  }
  return undefined;
}

const isEntry: Matcher = (copy) => protocolOfKind(copy[OF_BIB + BIB.KIND]) !== -1;

function mappingOf({ tables }: TablesView, copy: Int32Array): Mapping {
  const kind = copy[OF_BIB + BIB.KIND];
  const ports = copy[OF_BIB + BIB.PORTS];
  return {
    host: copy.slice(OF_BIB, OF_BIB + 4),
    hostPort: ports >>> 16,
    protocol: protocolOfKind(kind),
    mappedAddress: addressOfKind(tables, kind),
    mappedPort: ports & 0xffff,
    isStatic: isStaticKind(kind),
    sessions: Math.max(0, copy[OF_BIB + BIB.SESSIONS]),
  };
}

function bibRow(mapping: Mapping): BibRow {
  return {
    protocol: PROTOCOLS[mapping.protocol],
    client: formatHost(mapping.host),
    clientPort: mapping.hostPort,
    poolAddress: formatIpv4(mapping.mappedAddress),
    poolPort: mapping.mappedPort,
    isStatic: mapping.isStatic,
    sessions: mapping.sessions,
  };
}

function sessionRow(view: TablesView, copy: Int32Array, nowSeconds: number): SessionRow {
  const { sessions: _sessions, isStatic: _isStatic, ...mapping } = bibRow(mappingOf(view, copy));
  const portAndState = copy[SESSION.REMOTE_PORT_AND_STATE];
  return {
    ...mapping,
    remote: formatIpv4(copy[SESSION.REMOTE_ADDRESS]),
    remotePort: portAndState >>> 16,
    state: STATE_NAMES.get(portAndState & STATE_MASK) ?? null,
    endsInSeconds: Math.max(0, copy[SESSION.EXPIRES_AT] - nowSeconds),
  };
}

/** The text form of an IPv6 address in four words. */
export function formatHost(words: Int32Array): string {
  const view = new DataView(new ArrayBuffer(16));
  writeWords(view, 0, words);
  return formatIpv6(new Uint8Array(view.buffer));
}

function parsePrefix(text: string) {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) throw new Error(`"${text}" is no address or prefix`);
  return prefix;
}

/** The filter as a function that tests a copy. */
function bibMatcher({ protocol, client, poolPort }: BibFilter): Matcher {
  const wanted = protocol === undefined ? -1 : PROTOCOLS.indexOf(protocol);
  const hosts = client === undefined ? undefined : compileAccessList([parsePrefix(client)]);
  return (copy) => {
    if (wanted !== -1 && protocolOfKind(copy[OF_BIB + BIB.KIND]) !== wanted) return false;
    if (poolPort !== undefined && (copy[OF_BIB + BIB.PORTS] & 0xffff) !== poolPort) return false;
    if (hosts === undefined) return true;
    return isAllowed(hosts, copy, OF_BIB);
  };
}

function sessionMatcher({ remote, ...filter }: SessionFilter): Matcher {
  const matchesBib = bibMatcher(filter);
  if (remote === undefined) return matchesBib;
  const prefix = parsePrefix(remote);
  return (copy) => matchesBib(copy) && prefixContains(prefix, mapIpv4(copy[SESSION.REMOTE_ADDRESS]));
}

/** A page of the sessions that match. */
export function listSessions(
  view: TablesView,
  filter: SessionFilter,
  page: PageRequest,
  nowSeconds: number,
): Promise<Page<SessionRow>> {
  const matches = sessionMatcher(filter);
  return pageOf(sessionsEnd(view.tables), page, (index) => {
    const copy = readSession(view.tables, index, matches);
    return copy && sessionRow(view, copy, nowSeconds);
  });
}

/** A page of the BIB entries that match. */
export function listBib(view: TablesView, filter: BibFilter, page: PageRequest): Promise<Page<BibRow>> {
  const matches = bibMatcher(filter);
  return pageOf(bibEnd(view.tables), page, (index) => {
    const copy = readBib(view.tables, index, matches);
    return copy && bibRow(mappingOf(view, copy));
  });
}

/** Collects rows from the cursor on, until there are enough rows or enough records have been examined. */
async function pageOf<Row>(
  end: number,
  { cursor, limit }: PageRequest,
  rowAt: (index: number) => Row | undefined,
): Promise<Page<Row>> {
  const rows: Row[] = [];
  const start = Math.max(1, cursor);
  const next = await walk(start, Math.min(end, start + MAX_EXAMINED), (index) => {
    const row = rowAt(index);
    if (row !== undefined) rows.push(row);
    return rows.length < limit;
  });
  return { rows, nextCursor: next < end ? next : null };
}

/**
 * Walks a table from the record `start`, in pieces, because the main thread has other work. Ends early if `visit` returns
 * false; resolves with the number of the record after the last one visited.
 */
async function walk(start: number, end: number, visit: (index: number) => boolean): Promise<number> {
  let index = start;
  while (index < end) {
    if (!visit(index++)) break;
    if (index % RECORDS_PER_TURN === 0) await nextTurn();
  }
  return index;
}

/** Calls `visit` for every BIB entry, until it returns false. */
export async function walkBib(view: TablesView, visit: (mapping: Mapping) => boolean): Promise<void> {
  await walk(1, bibEnd(view.tables), (index) => {
    const copy = readBib(view.tables, index);
    return copy === undefined || visit(mappingOf(view, copy));
  });
}

/** A session of a mapping with this remote end (signed address; any port if none is given), or undefined. */
export async function findSessionRow(
  view: TablesView,
  mapping: HostEndpoint,
  remoteAddress: number,
  remotePort: number | undefined,
  nowSeconds: number,
): Promise<SessionRow | undefined> {
  let found: SessionRow | undefined;
  const matches: Matcher = (copy) => {
    if (copy[SESSION.REMOTE_ADDRESS] !== remoteAddress) return false;
    const port = copy[SESSION.REMOTE_PORT_AND_STATE] >>> 16;
    return (remotePort ?? port) === port && isMappingOf(mappingOf(view, copy), mapping);
  };
  await walk(1, sessionsEnd(view.tables), (index) => {
    const copy = readSession(view.tables, index, matches);
    if (copy !== undefined) found = sessionRow(view, copy, nowSeconds);
    return copy === undefined;
  });
  return found;
}

const isMappingOf = (a: HostEndpoint, b: HostEndpoint): boolean =>
  a.protocol === b.protocol && a.hostPort === b.hostPort && isSameHost(a.host, b.host);

/** Whether two addresses are equal: the four words of `a`, and those of `b` from `at` on. */
export const isSameHost = (a: Int32Array, b: Int32Array, at = 0): boolean =>
  a[3] === b[at + 3] && a[2] === b[at + 2] && a[1] === b[at + 1] && a[0] === b[at];
