/**
 * The memory of the translator: BIB and sessions as records of eight words in flat arrays, found through chained hash
 * tables. The arrays are shared memory that the main thread owns, so the sessions survive the death of the worker. A new
 * worker rebuilds everything that can be derived from the records.
 *
 * Record 0 is never used: index 0 means "none". Records above `used` and their memory have never been touched.
 */
import { randomWord } from '../../../os/random.ts';
import type { PortPool } from '../settings/pool.ts';

export { mix } from '../../../runtime/hash.ts';

export type Words = Int32Array<SharedArrayBuffer>;

export const RECORD_WORDS = 8;

/** Words of a BIB record. IPv6 side: address and port of the host. IPv4 side: the port, and in KIND the slot of the address. */
export const BIB = {
  HOST: 0,
  /** host port << 16 | mapped port */
  PORTS: 4,
  /** BIB_KIND; 0 if the record is free */
  KIND: 5,
  SESSIONS: 6,
  NEXT: 7,
} as const;

/** KIND contains 1 + TRANSPORT, a flag for static entries, and above them the slot of the pool4 address. */
export const BIB_KIND = { TRANSPORT: 3, STATIC: 4, SLOT_SHIFT: 8 } as const;

/** The limit of static BIB entries, in addition to the entries that sessions use. */
export const MAX_STATIC_ENTRIES = 1024;

/** The index of a port of an address in `bibByMappedPort`. */
export const portIndex = (slot: number, protocol: number, port: number): number =>
  ((slot * 3 + protocol) << 16) + port;

/** Words of a session record. */
export const SESSION = {
  /** Its BIB entry; 0 if the record is free. */
  BIB: 0,
  REMOTE_ADDRESS: 1,
  /** remote port << 16 | position of the prefix << 8 | TCP state */
  REMOTE_PORT_AND_STATE: 2,
  /** The last second of its lifetime. */
  EXPIRES_AT: 3,
  NEXT: 4,
  /** The second at which the wheel checks it; at most EXPIRES_AT. */
  CHECK_AT: 5,
  WHEEL_NEXT: 6,
  /** The previous session in its slot of the wheel; 0 for the first. */
  WHEEL_PREVIOUS: 7,
} as const;

/** In REMOTE_PORT_AND_STATE. */
export const STATE_MASK = 0xff;
export const PREFIX_MASK = 0xff00;
export const PREFIX_SHIFT = 8;

/** Words of `control`; any thread may read the counts. */
export const CONTROL = {
  HASH_SEED: 0,
  BIB_USED: 1,
  SESSIONS_USED: 2,
  SWEPT_UNTIL: 3,
  BIB_COUNT: 4,
  SESSION_COUNT: 5,
  /** The pool4 address that the entries of each slot were made for. */
  ADDRESSES: 6,
  /** By TRANSPORT: ports of the pools that are in use, and ports that rest. */
  PORTS_USED: 22,
  PORTS_RESTING: 25,
  STORED_SYNS: 28,
} as const;
const CONTROL_WORDS = 29;

/** One slot per second; more than the longest lifetime. */
export const WHEEL_SLOTS = 8192;

/** The shared memory. It is passed to the worker in its `init()`. */
export interface SharedTables {
  readonly control: Words;
  readonly bib: Words;
  readonly sessions: Words;
  readonly maxSessions: number;
}

/** The IPv6 side of a BIB entry: a port of a host. Packets, static entries and snapshots have it too. */
export interface HostEndpoint {
  /** TRANSPORT */
  readonly protocol: number;
  /** Four words. */
  readonly host: Int32Array;
  readonly hostPort: number;
}

/** Records of prefixes of one length, in a hash table. */
export interface Clients {
  readonly records: Int32Array;
  readonly heads: Int32Array;
  /** The part of an address that identifies a client. */
  readonly mask: Int32Array;
  used: number;
  free: number;
}

/** How many ports of the pools are in use, and how many rest (port-use.ts). */
export interface PortUse {
  readonly pools: readonly PortPool[];
  readonly restSeconds: number;
  /** By TRANSPORT: the number of all ports of the pools. */
  readonly sizes: readonly number[];
  /** By TRANSPORT. `used` and `resting` are words of the shared memory: any thread may read them. */
  readonly used: Words;
  readonly resting: Words;
  /** By TRANSPORT and second: the number of ports freed in that second. */
  readonly released: Int32Array;
  second: number;
}

/** The translator's side of the mapping log (mapping-log.ts). */
export interface MappingLog {
  /** Call once per turn: sets the time for the records, in milliseconds since 1970. */
  tick(nowMs: number): void;
  /** A mapping begins or ends. Static mappings exist all the time, so they are not logged. */
  mapping(tables: SharedTables, bib: number, kind: number): void;
  session(tables: SharedTables, session: number, kind: number): void;
}

/** The tables as a worker uses them. */
export interface Tables extends SharedTables {
  readonly hashSeed: number;
  readonly hashMask: number;
  /** 0xffff; 0 if sessions must be found by address alone: then the remote port is not part of the hash. */
  readonly hashedPortMask: number;
  /** First BIB record of each hash chain. */
  readonly bibHeads: Int32Array;
  readonly sessionHeads: Int32Array;
  /** Enough for one entry per session, and for the static entries. */
  readonly maxBibEntries: number;
  readonly clients: Clients;
  readonly networks: Clients;
  ports: PortUse;
  /** By `portIndex`: the BIB record, 0, or the complement of the second at which the port was freed. */
  readonly bibByMappedPort: Int32Array;
  /** First session of each second of the timer wheel. */
  readonly wheel: Int32Array;
  /** By TRANSPORT * MAX_ADDRESSES + slot: the second in which no port was free. */
  readonly exhaustedAt: Int32Array;
  /** Logs the beginning and end of mappings and sessions; undefined if they are not logged. */
  readonly log: MappingLog | undefined;
  bibFree: number;
  sessionFree: number;
}

/** The clock of the tables: seconds since the process started. It is the same in every thread, and never goes back. */
export const tableClockSeconds = (): number => Math.floor(process.uptime());

const words = (count: number): Words => new Int32Array(new SharedArrayBuffer(count * 4));

/** Makes empty tables for up to `maxSessions` sessions; memory is only taken as records are used. */
export function createSharedTables(maxSessions: number): SharedTables {
  const control = words(CONTROL_WORDS);
  control[CONTROL.HASH_SEED] = randomWord();
  control[CONTROL.BIB_USED] = control[CONTROL.SESSIONS_USED] = 1;
  const bibWords = (maxSessions + MAX_STATIC_ENTRIES + 1) * RECORD_WORDS;
  return { control, bib: words(bibWords), sessions: words((maxSessions + 1) * RECORD_WORDS), maxSessions };
}

/** Takes a record out of its hash chain; `next` is the word of a record that links the chain. */
export function unchain(
  records: Int32Array,
  heads: Int32Array,
  hash: number,
  index: number,
  next: number,
  recordWords: number = RECORD_WORDS,
): void {
  const after = records[index * recordWords + next];
  let before = heads[hash];
  if (before === index) {
    heads[hash] = after;
    return;
  }
  while (records[before * recordWords + next] !== index) before = records[before * recordWords + next];
  records[before * recordWords + next] = after;
}
