/** How a worker attaches to the tables, either new ones or those of a worker that died. */
import { isStaticBib, linkBib, removeBib } from './bib.ts';
import { createClients, networkBits } from './clients.ts';
import { LOGGED } from './mapping-log.ts';
import { countPorts } from './port-use.ts';
import { linkSession } from './sessions.ts';
import {
  BIB,
  BIB_KIND,
  CONTROL,
  MAX_STATIC_ENTRIES,
  RECORD_WORDS,
  SESSION,
  type SharedTables,
  type Tables,
  WHEEL_SLOTS,
  type MappingLog,
} from './tables.ts';
import { type PortPool, MAX_ADDRESSES } from '../settings/pool.ts';

/** The settings that the indices depend on. */
export interface IndexOptions {
  /** Makes `hasSessionWith` work. */
  readonly isAddressDependent: boolean;
  readonly clientPrefixBits: number;
  /** By slot, signed; 0 for unused slots. */
  readonly poolAddresses: Int32Array;
  readonly pools: readonly PortPool[];
  readonly portRestSeconds: number;
}

/**
 * Attaches to the tables: drops incomplete records of a worker that died, and records of addresses that are no longer in pool4,
 * and rebuilds the indices over the others.
 */
export function attachTables(
  shared: SharedTables,
  nowSeconds: number,
  options: IndexOptions,
  log?: MappingLog,
): Tables {
  const hashSize = 1 << (32 - Math.clz32(shared.maxSessions));
  const bibByMappedPort = new Int32Array((options.poolAddresses.length * 3) << 16);
  const tables: Tables = {
    ...shared,
    hashSeed: shared.control[CONTROL.HASH_SEED],
    hashMask: hashSize - 1,
    hashedPortMask: options.isAddressDependent ? 0 : 0xffff,
    maxBibEntries: shared.maxSessions + MAX_STATIC_ENTRIES,
    clients: createClients(shared.maxSessions + 1, hashSize, options.clientPrefixBits),
    networks: createClients(shared.maxSessions + 1, hashSize, networkBits(options.clientPrefixBits)),
    // Counted below, when the records are linked.
    ports: countPorts(shared.control, bibByMappedPort, [], 0, nowSeconds),
    bibHeads: new Int32Array(hashSize),
    sessionHeads: new Int32Array(hashSize),
    bibByMappedPort,
    wheel: new Int32Array(WHEEL_SLOTS),
    log,
    exhaustedAt: new Int32Array(3 * MAX_ADDRESSES).fill(-1),
    bibFree: 0,
    sessionFree: 0,
  };
  shared.control[CONTROL.SWEPT_UNTIL] = nowSeconds;
  shared.control[CONTROL.BIB_COUNT] = shared.control[CONTROL.SESSION_COUNT] = 0;
  dropOtherAddresses(shared, options.poolAddresses, log);
  relinkBib(tables);
  relinkSessions(tables, nowSeconds);
  for (let index = 1; index < shared.control[CONTROL.BIB_USED]; index++) {
    const at = index * RECORD_WORDS;
    const isUseless = tables.bib[at + BIB.KIND] !== 0 && tables.bib[at + BIB.SESSIONS] === 0;
    if (isUseless && !isStaticBib(tables, index)) removeBib(tables, index, nowSeconds);
  }
  const { pools, portRestSeconds } = options;
  tables.ports = countPorts(shared.control, bibByMappedPort, pools, portRestSeconds, nowSeconds);
  return tables;
}

/** Drops the entries of addresses that are no longer in the pool, or whose slot now belongs to another address. */
function dropOtherAddresses(shared: SharedTables, poolAddresses: Int32Array, log?: MappingLog): void {
  const { control, bib, sessions } = shared;
  const isGone = (index: number) => {
    const kind = bib[index * RECORD_WORDS + BIB.KIND];
    const slot = kind >> BIB_KIND.SLOT_SHIFT;
    return kind !== 0 && control[CONTROL.ADDRESSES + slot] !== (poolAddresses[slot] ?? 0);
  };
  for (let index = 1; log !== undefined && index < control[CONTROL.SESSIONS_USED]; index++) {
    const owner = sessions[index * RECORD_WORDS + SESSION.BIB];
    if (owner !== 0 && isGone(owner)) log.session(shared, index, LOGGED.sessionRemoved);
  }
  for (let index = 1; index < control[CONTROL.BIB_USED]; index++) {
    if (!isGone(index)) continue;
    log?.mapping(shared, index, LOGGED.mappingRemoved);
    bib[index * RECORD_WORDS + BIB.KIND] = 0;
  }
  control.fill(0, CONTROL.ADDRESSES, CONTROL.ADDRESSES + MAX_ADDRESSES);
  control.set(poolAddresses, CONTROL.ADDRESSES);
}

function relinkBib(tables: Tables): void {
  const { bib, control } = tables;
  for (let index = control[CONTROL.BIB_USED] - 1; index > 0; index--) {
    const at = index * RECORD_WORDS;
    if (bib[at + BIB.KIND] === 0) {
      bib[at + BIB.NEXT] = tables.bibFree;
      tables.bibFree = index;
    } else {
      bib[at + BIB.SESSIONS] = 0;
      linkBib(tables, index);
    }
  }
}

function relinkSessions(tables: Tables, nowSeconds: number): void {
  const { bib, sessions, control } = tables;
  for (let index = control[CONTROL.SESSIONS_USED] - 1; index > 0; index--) {
    const at = index * RECORD_WORDS;
    const owner = sessions[at + SESSION.BIB];
    if (owner === 0 || bib[owner * RECORD_WORDS + BIB.KIND] === 0) {
      sessions[at + SESSION.BIB] = 0;
      sessions[at + SESSION.NEXT] = tables.sessionFree;
      tables.sessionFree = index;
    } else {
      linkSession(tables, index, nowSeconds);
    }
  }
}
