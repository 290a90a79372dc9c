/**
 * The memory of the translator: BIB and sessions as records of eight words in flat arrays, found through chained hash
 * tables. The arrays are shared memory that the main thread owns, so the sessions survive the death of the worker;
 * whoever attaches rebuilds all that can be derived from the records.
 *
 * Record 0 is never used: index 0 means "none". Records above `used` have never been touched, nor has their memory.
 */
import { randomWord } from '../../../os/random.ts';
import type { PortPool } from '../settings/pool.ts';

export { mix } from '../../../runtime/hash.ts';

export type Words = Int32Array<SharedArrayBuffer>;

export const RECORD_WORDS = 8;

/** Words of a BIB record. IPv6 side: host address and port; IPv4 side: port, and in KIND the slot of its address. */
export const BIB = {
  HOST: 0,
  /** host port << 16 | mapped port */
  PORTS: 4,
  /** BIB_KIND; 0 when the record is free */
  KIND: 5,
  SESSIONS: 6,
  NEXT: 7,
} as const;

/** In KIND: 1 + TRANSPORT, whether the entry is static, and above them the slot of its pool4 address. */
export const BIB_KIND = { TRANSPORT: 3, STATIC: 4, SLOT_SHIFT: 8 } as const;

/** Static BIB entries at most, beside those that sessions have. */
export const MAX_STATIC_ENTRIES = 1024;

/** Where the port of an address is in `bibByMappedPort`. */
export const portIndex = (slot: number, protocol: number, port: number): number =>
  ((slot * 3 + protocol) << 16) + port;

/** Words of a session record. */
export const SESSION = {
  /** Its BIB entry; 0 when the record is free. */
  BIB: 0,
  REMOTE_ADDRESS: 1,
  /** remote port << 16 | position of the prefix << 8 | TCP state */
  REMOTE_PORT_AND_STATE: 2,
  /** The last second of its life. */
  EXPIRES_AT: 3,
  NEXT: 4,
  /** The second at which the wheel looks at it; at most EXPIRES_AT. */
  CHECK_AT: 5,
  WHEEL_NEXT: 6,
  /** 0 for the first of its slot. */
  WHEEL_PREVIOUS: 7,
} as const;

/** In REMOTE_PORT_AND_STATE. */
export const STATE_MASK = 0xff;
export const PREFIX_MASK = 0xff00;
export const PREFIX_SHIFT = 8;

/** Words of `control`; anybody may read the counts. */
export const CONTROL = {
  HASH_SEED: 0,
  BIB_USED: 1,
  SESSIONS_USED: 2,
  SWEPT_UNTIL: 3,
  BIB_COUNT: 4,
  SESSION_COUNT: 5,
  /** The pool4 address that the entries of each slot were made for. */
  ADDRESSES: 6,
  /** By TRANSPORT: ports of the pools that mappings have, and that rest. */
  PORTS_USED: 22,
  PORTS_RESTING: 25,
  STORED_SYNS: 28,
} as const;
const CONTROL_WORDS = 29;

/** One second each; more than the longest lifetime. */
export const WHEEL_SLOTS = 8192;

/** The shared memory: what `init()` of the worker carries. */
export interface SharedTables {
  readonly control: Words;
  readonly bib: Words;
  readonly sessions: Words;
  readonly maxSessions: number;
}

/** The IPv6 side of a BIB entry, as a packet, a static entry or a snapshot has it: a port of a host. */
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
  /** What of an address tells them apart. */
  readonly mask: Int32Array;
  used: number;
  free: number;
}

/** How many ports of the pools are in use, and how many rest (port-use.ts). */
export interface PortUse {
  readonly pools: readonly PortPool[];
  readonly restSeconds: number;
  /** By TRANSPORT: all ports of the pools. */
  readonly sizes: readonly number[];
  /** By TRANSPORT. Both are words of the shared memory: anybody may read them. */
  readonly used: Words;
  readonly resting: Words;
  /** By TRANSPORT and second: ports given back then. */
  readonly released: Int32Array;
  second: number;
}

/** The thread's side of the mapping log (mapping-log.ts). */
export interface MappingLog {
  /** Once a turn: the time that records carry, in milliseconds since 1970. */
  tick(nowMs: number): void;
  /** A mapping begins or ends. Static ones always are, so they are not logged. */
  mapping(tables: SharedTables, bib: number, kind: number): void;
  session(tables: SharedTables, session: number, kind: number): void;
}

/** The tables as a worker uses them. */
export interface Tables extends SharedTables {
  readonly hashSeed: number;
  readonly hashMask: number;
  /** 0xffff; 0 when sessions must be found by address alone, and so share a chain whatever their remote port. */
  readonly hashedPortMask: number;
  /** First BIB record of each hash chain. */
  readonly bibHeads: Int32Array;
  readonly sessionHeads: Int32Array;
  /** Every session may have one of its own; static ones have none. */
  readonly maxBibEntries: number;
  readonly clients: Clients;
  readonly networks: Clients;
  ports: PortUse;
  /** BIB record by portIndex; 0, or the complement of the second at which the port was given back. */
  readonly bibByMappedPort: Int32Array;
  /** First session of each second of the timer wheel. */
  readonly wheel: Int32Array;
  /** By TRANSPORT * MAX_ADDRESSES + slot: the second in which no port was free. */
  readonly exhaustedAt: Int32Array;
  /** Told of what begins and ends; undefined where nobody wants to know. */
  readonly log: MappingLog | undefined;
  bibFree: number;
  sessionFree: number;
}

/** The clock of the tables: seconds since the process began. The same in every thread, and it never goes back. */
export const tableClockSeconds = (): number => Math.floor(process.uptime());

const words = (count: number): Words => new Int32Array(new SharedArrayBuffer(count * 4));

/** Empty tables for that many sessions; memory is taken as records are used. */
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
