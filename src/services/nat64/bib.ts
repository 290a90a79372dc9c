/** The BIB: which port of the pool4 address stands for which port of an IPv6 host (RFC 6146 section 3.1). */
import { BIB, CONTROL, RECORD_WORDS, type Tables, mix, unchain } from './tables.ts';

function hashOfHost(
  tables: Tables,
  protocol: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
  port: number,
): number {
  const hash = mix(mix(mix(mix(tables.hashSeed, word3), word2), word1), word0);
  return mix(hash, (protocol << 16) | port) & tables.hashMask;
}

/** The BIB entry of a host and port (RFC 6146 section 3.1), or 0. */
export function findBibByHost(
  tables: Tables,
  protocol: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
  port: number,
): number {
  const { bib } = tables;
  let index = tables.bibHeads[hashOfHost(tables, protocol, word0, word1, word2, word3, port)];
  while (index !== 0) {
    const at = index * RECORD_WORDS;
    if (
      bib[at + 3] === word3 &&
      bib[at + 2] === word2 &&
      bib[at + 1] === word1 &&
      bib[at] === word0 &&
      bib[at + BIB.PORTS] >>> 16 === port &&
      bib[at + BIB.KIND] === protocol + 1
    )
      return index;
    index = bib[at + BIB.NEXT];
  }
  return 0;
}

/** The BIB entry that holds a port of the pool4 address, or 0. */
export const findBibByMappedPort = (tables: Tables, protocol: number, port: number): number =>
  tables.bibByMappedPort[(protocol << 16) | port];

/** Makes a BIB entry for a port that is free; 0 when there is no room. It must be given a session at once. */
export function addBib(
  tables: Tables,
  protocol: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
  hostPort: number,
  mappedPort: number,
): number {
  const { bib, control } = tables;
  let index = tables.bibFree;
  if (index !== 0) tables.bibFree = bib[index * RECORD_WORDS + BIB.NEXT];
  else if (control[CONTROL.BIB_USED] > tables.maxSessions) return 0;
  else index = control[CONTROL.BIB_USED]++;
  const at = index * RECORD_WORDS;
  bib[at] = word0;
  bib[at + 1] = word1;
  bib[at + 2] = word2;
  bib[at + 3] = word3;
  bib[at + BIB.PORTS] = (hostPort << 16) | mappedPort;
  bib[at + BIB.SESSIONS] = 0;
  bib[at + BIB.KIND] = protocol + 1;
  linkBib(tables, index);
  return index;
}

/** Enters a record into the indices. */
export function linkBib(tables: Tables, index: number): void {
  const { bib, bibHeads } = tables;
  const at = index * RECORD_WORDS;
  const protocol = bib[at + BIB.KIND] - 1;
  const ports = bib[at + BIB.PORTS];
  const hash = hashOfHost(tables, protocol, bib[at], bib[at + 1], bib[at + 2], bib[at + 3], ports >>> 16);
  bib[at + BIB.NEXT] = bibHeads[hash];
  bibHeads[hash] = index;
  tables.bibByMappedPort[(protocol << 16) | (ports & 0xffff)] = index;
  tables.mappedPortsInUse[protocol]++;
  tables.control[CONTROL.BIB_COUNT]++;
}

/** Removes a BIB entry that has no session, and frees its port. */
export function removeBib(tables: Tables, index: number): void {
  const { bib, bibHeads } = tables;
  const at = index * RECORD_WORDS;
  const protocol = bib[at + BIB.KIND] - 1;
  const ports = bib[at + BIB.PORTS];
  const hash = hashOfHost(tables, protocol, bib[at], bib[at + 1], bib[at + 2], bib[at + 3], ports >>> 16);
  unchain(bib, bibHeads, hash, index, BIB.NEXT);
  tables.bibByMappedPort[(protocol << 16) | (ports & 0xffff)] = 0;
  tables.mappedPortsInUse[protocol]--;
  tables.control[CONTROL.BIB_COUNT]--;
  bib[at + BIB.KIND] = 0;
  bib[at + BIB.NEXT] = tables.bibFree;
  tables.bibFree = index;
}
