/** The session tables (RFC 6146 section 3.2): the remote ends of each BIB entry, and when each session expires. */
import { isStaticBib, removeBib } from './bib.ts';
import { countClientSessions } from './clients.ts';
import { LOGGED } from './mapping-log.ts';
import { BIB, CONTROL, RECORD_WORDS, SESSION, type Tables, mix, unchain } from './tables.ts';
import { linkWheel, unlinkWheel } from './timer-wheel.ts';

const hashOfSession = (tables: Tables, owner: number, remoteAddress: number, remotePort: number): number =>
  mix(mix(mix(tables.hashSeed, remoteAddress), owner), remotePort & tables.hashedPortMask) & tables.hashMask;

/** The session of a BIB entry with a remote address and port (RFC 6146 section 3.2), or 0. */
export function findSession(
  tables: Tables,
  owner: number,
  remoteAddress: number,
  remotePort: number,
): number {
  const { sessions } = tables;
  let index = tables.sessionHeads[hashOfSession(tables, owner, remoteAddress, remotePort)];
  while (index !== 0) {
    const at = index * RECORD_WORDS;
    if (
      sessions[at + SESSION.REMOTE_ADDRESS] === remoteAddress &&
      sessions[at + SESSION.BIB] === owner &&
      sessions[at + SESSION.REMOTE_PORT_AND_STATE] >>> 16 === remotePort
    )
      return index;
    index = sessions[at + SESSION.NEXT];
  }
  return 0;
}

/** Whether a BIB entry has a session with an address, on any port; `hashedPortMask` must be 0. */
export function hasSessionWith(tables: Tables, owner: number, remoteAddress: number): boolean {
  const { sessions } = tables;
  let index = tables.sessionHeads[hashOfSession(tables, owner, remoteAddress, 0)];
  while (index !== 0) {
    const at = index * RECORD_WORDS;
    if (sessions[at + SESSION.REMOTE_ADDRESS] === remoteAddress && sessions[at + SESSION.BIB] === owner)
      return true;
    index = sessions[at + SESSION.NEXT];
  }
  return false;
}

/** Makes a session that lives until the end of second `expiresAt`; returns 0 if there is no room. */
export function addSession(
  tables: Tables,
  owner: number,
  remoteAddress: number,
  remotePort: number,
  state: number,
  nowSeconds: number,
  expiresAt: number,
): number {
  const { sessions, control } = tables;
  let index = tables.sessionFree;
  if (index !== 0) tables.sessionFree = sessions[index * RECORD_WORDS + SESSION.NEXT];
  else if (control[CONTROL.SESSIONS_USED] > tables.maxSessions) return 0;
  else index = control[CONTROL.SESSIONS_USED]++;
  const at = index * RECORD_WORDS;
  sessions[at + SESSION.REMOTE_ADDRESS] = remoteAddress;
  sessions[at + SESSION.REMOTE_PORT_AND_STATE] = (remotePort << 16) | state;
  sessions[at + SESSION.EXPIRES_AT] = expiresAt;
  sessions[at + SESSION.BIB] = owner;
  linkSession(tables, index, nowSeconds);
  tables.log?.session(tables, index, LOGGED.sessionCreated);
  return index;
}

/** Adds a record to the indices. */
export function linkSession(tables: Tables, index: number, nowSeconds: number): void {
  const { sessions, sessionHeads } = tables;
  const at = index * RECORD_WORDS;
  const owner = sessions[at + SESSION.BIB];
  const remotePort = sessions[at + SESSION.REMOTE_PORT_AND_STATE] >>> 16;
  const hash = hashOfSession(tables, owner, sessions[at + SESSION.REMOTE_ADDRESS], remotePort);
  sessions[at + SESSION.NEXT] = sessionHeads[hash];
  sessionHeads[hash] = index;
  tables.bib[owner * RECORD_WORDS + BIB.SESSIONS]++;
  tables.control[CONTROL.SESSION_COUNT]++;
  if (!isStaticBib(tables, owner)) countClientSessions(tables, owner * RECORD_WORDS, 1);
  linkWheel(tables, index, nowSeconds);
}

/** Removes a session, and with the last one its BIB entry, unless that is static; true if the BIB entry was removed too. */
export function removeSession(tables: Tables, index: number, nowSeconds: number): boolean {
  const { bib, sessions } = tables;
  const at = index * RECORD_WORDS;
  const owner = sessions[at + SESSION.BIB];
  const remotePort = sessions[at + SESSION.REMOTE_PORT_AND_STATE] >>> 16;
  const hash = hashOfSession(tables, owner, sessions[at + SESSION.REMOTE_ADDRESS], remotePort);
  tables.log?.session(tables, index, LOGGED.sessionRemoved);
  unlinkWheel(tables, index);
  unchain(sessions, tables.sessionHeads, hash, index, SESSION.NEXT);
  sessions[at + SESSION.BIB] = 0;
  sessions[at + SESSION.NEXT] = tables.sessionFree;
  tables.sessionFree = index;
  tables.control[CONTROL.SESSION_COUNT]--;
  bib[owner * RECORD_WORDS + BIB.SESSIONS]--;
  if (isStaticBib(tables, owner)) return false;
  countClientSessions(tables, owner * RECORD_WORDS, -1);
  if (bib[owner * RECORD_WORDS + BIB.SESSIONS] > 0) return false;
  removeBib(tables, owner, nowSeconds);
  return true;
}

/** Removes every session for which `keep` returns false; its argument is the offset of the BIB record in `tables.bib`. */
export function removeSessionsUnless(
  tables: Tables,
  keep: (bibAt: number) => boolean,
  nowSeconds: number,
): void {
  const { sessions, control } = tables;
  for (let index = 1; index < control[CONTROL.SESSIONS_USED]; index++) {
    const owner = sessions[index * RECORD_WORDS + SESSION.BIB];
    if (owner !== 0 && !keep(owner * RECORD_WORDS)) removeSession(tables, index, nowSeconds);
  }
}

/**
 * Sets when a session expires. Prolonging is one store: the wheel reads the new time when it reaches the session. Only shortening
 * moves the session in the wheel.
 */
export function setExpiry(tables: Tables, index: number, nowSeconds: number, expiresAt: number): void {
  const { sessions } = tables;
  const at = index * RECORD_WORDS;
  sessions[at + SESSION.EXPIRES_AT] = expiresAt;
  if (expiresAt >= sessions[at + SESSION.CHECK_AT]) return;
  unlinkWheel(tables, index);
  linkWheel(tables, index, nowSeconds);
}
