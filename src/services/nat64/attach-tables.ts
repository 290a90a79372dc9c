/** How a worker takes over the tables, from nobody or from a worker that died. */
import { linkBib, removeBib } from './bib.ts';
import { linkSession } from './sessions.ts';
import {
  BIB,
  CONTROL,
  RECORD_WORDS,
  SESSION,
  type SharedTables,
  type Tables,
  WHEEL_SLOTS,
} from './tables.ts';

/**
 * Attaches to the tables: drops records that a dying worker left half done, and links the others anew. With
 * `findsByAddress`, `hasSessionWith` works.
 */
export function attachTables(shared: SharedTables, nowSeconds: number, findsByAddress = false): Tables {
  const hashSize = 1 << (32 - Math.clz32(shared.maxSessions));
  const tables: Tables = {
    ...shared,
    hashSeed: shared.control[CONTROL.HASH_SEED],
    hashMask: hashSize - 1,
    hashedPortMask: findsByAddress ? 0 : 0xffff,
    bibHeads: new Int32Array(hashSize),
    sessionHeads: new Int32Array(hashSize),
    bibByMappedPort: new Int32Array(3 << 16),
    wheel: new Int32Array(WHEEL_SLOTS),
    mappedPortsInUse: new Int32Array(3),
    bibFree: 0,
    sessionFree: 0,
  };
  shared.control[CONTROL.SWEPT_UNTIL] = nowSeconds;
  shared.control[CONTROL.BIB_COUNT] = shared.control[CONTROL.SESSION_COUNT] = 0;
  relinkBib(tables);
  relinkSessions(tables, nowSeconds);
  for (let index = 1; index < shared.control[CONTROL.BIB_USED]; index++) {
    const at = index * RECORD_WORDS;
    if (tables.bib[at + BIB.KIND] !== 0 && tables.bib[at + BIB.SESSIONS] === 0) removeBib(tables, index);
  }
  return tables;
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
