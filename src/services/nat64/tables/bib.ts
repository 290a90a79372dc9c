/**
 * The BIB: which address and port of pool4 represents which port of an IPv6 host (RFC 6146 section 3.1). Entries made by
 * packets are removed with their last session; static entries stay as long as they are in the configuration.
 */
import { addClientMapping, removeClientMapping } from './clients.ts';
import { LOGGED } from './mapping-log.ts';
import { notePortFreed, notePortTaken } from './port-use.ts';
import {
  BIB,
  BIB_KIND,
  CONTROL,
  RECORD_WORDS,
  type HostEndpoint,
  type Tables,
  mix,
  portIndex,
  unchain,
} from './tables.ts';

/** `at`: where the four words of the host's address begin in `words`. */
function hashOfHost(tables: Tables, protocol: number, words: Int32Array, at: number, port: number): number {
  const hash = mix(mix(mix(mix(tables.hashSeed, words[at + 3]), words[at + 2]), words[at + 1]), words[at]);
  return mix(hash, (protocol << 16) | port) & tables.hashMask;
}

/** The BIB entry of a host and port (RFC 6146 section 3.1), or 0. */
export function findBibByHost(tables: Tables, { protocol, host, hostPort }: HostEndpoint): number {
  const { bib } = tables;
  const word0 = host[0];
  const word1 = host[1];
  const word2 = host[2];
  const word3 = host[3];
  let index = tables.bibHeads[hashOfHost(tables, protocol, host, 0, hostPort)];
  while (index !== 0) {
    const at = index * RECORD_WORDS;
    if (
      bib[at + 3] === word3 &&
      bib[at + 2] === word2 &&
      bib[at + 1] === word1 &&
      bib[at] === word0 &&
      bib[at + BIB.PORTS] >>> 16 === hostPort &&
      (bib[at + BIB.KIND] & BIB_KIND.TRANSPORT) === protocol + 1
    )
      return index;
    index = bib[at + BIB.NEXT];
  }
  return 0;
}

/** The BIB entry that holds a port of a pool4 address, or 0. */
export function findBibByMappedPort(tables: Tables, slot: number, protocol: number, port: number): number {
  const entry = tables.bibByMappedPort[portIndex(slot, protocol, port)];
  return Math.max(entry, 0);
}

/** The slot of the pool4 address of an entry. */
export const bibSlot = (tables: Tables, index: number): number =>
  tables.bib[index * RECORD_WORDS + BIB.KIND] >> BIB_KIND.SLOT_SHIFT;

/** TRANSPORT of an entry. */
export const bibProtocol = (tables: Tables, index: number): number =>
  (tables.bib[index * RECORD_WORDS + BIB.KIND] & BIB_KIND.TRANSPORT) - 1;

export const isStaticBib = (tables: Tables, index: number): boolean =>
  (tables.bib[index * RECORD_WORDS + BIB.KIND] & BIB_KIND.STATIC) !== 0;

/**
 * Makes a BIB entry for a free port (slot << 16 | port); 0 if there is no room. Unless the entry is static, the caller must add a
 * session at once.
 */
export function addBib(
  tables: Tables,
  { protocol, host, hostPort }: HostEndpoint,
  slotAndPort: number,
  isStatic = false,
): number {
  const { bib, control } = tables;
  let index = tables.bibFree;
  if (index !== 0) tables.bibFree = bib[index * RECORD_WORDS + BIB.NEXT];
  else if (control[CONTROL.BIB_USED] > tables.maxBibEntries) return 0;
  else index = control[CONTROL.BIB_USED]++;
  const at = index * RECORD_WORDS;
  bib[at] = host[0];
  bib[at + 1] = host[1];
  bib[at + 2] = host[2];
  bib[at + 3] = host[3];
  bib[at + BIB.PORTS] = (hostPort << 16) | (slotAndPort & 0xffff);
  bib[at + BIB.SESSIONS] = 0;
  bib[at + BIB.KIND] =
    ((slotAndPort >>> 16) << BIB_KIND.SLOT_SHIFT) | (isStatic ? BIB_KIND.STATIC : 0) | (protocol + 1);
  linkBib(tables, index);
  tables.log?.mapping(tables, index, LOGGED.mappingCreated);
  return index;
}

const hashOfRecord = (tables: Tables, index: number): number => {
  const at = index * RECORD_WORDS;
  return hashOfHost(tables, bibProtocol(tables, index), tables.bib, at, tables.bib[at + BIB.PORTS] >>> 16);
};

const portIndexOf = (tables: Tables, index: number): number =>
  portIndex(
    bibSlot(tables, index),
    bibProtocol(tables, index),
    tables.bib[index * RECORD_WORDS + BIB.PORTS] & 0xffff,
  );

/** Adds a record to the indices. */
export function linkBib(tables: Tables, index: number): void {
  const { bib, bibHeads } = tables;
  const at = index * RECORD_WORDS;
  const hash = hashOfRecord(tables, index);
  bib[at + BIB.NEXT] = bibHeads[hash];
  bibHeads[hash] = index;
  tables.bibByMappedPort[portIndexOf(tables, index)] = index;
  const kind = bib[at + BIB.KIND];
  const slot = kind >> BIB_KIND.SLOT_SHIFT;
  notePortTaken(tables.ports, slot, (kind & BIB_KIND.TRANSPORT) - 1, bib[at + BIB.PORTS] & 0xffff);
  tables.control[CONTROL.BIB_COUNT]++;
  if ((kind & BIB_KIND.STATIC) === 0) addClientMapping(tables, at, slot);
}

/** Removes a BIB entry that has no session, and frees its port at second `nowSeconds`. */
export function removeBib(tables: Tables, index: number, nowSeconds: number): void {
  const { bib, bibHeads } = tables;
  const at = index * RECORD_WORDS;
  tables.log?.mapping(tables, index, LOGGED.mappingRemoved);
  if (!isStaticBib(tables, index)) removeClientMapping(tables, at);
  unchain(bib, bibHeads, hashOfRecord(tables, index), index, BIB.NEXT);
  tables.bibByMappedPort[portIndexOf(tables, index)] = ~nowSeconds;
  notePortFreed(
    tables.ports,
    bibSlot(tables, index),
    bibProtocol(tables, index),
    bib[at + BIB.PORTS] & 0xffff,
    nowSeconds,
  );
  tables.control[CONTROL.BIB_COUNT]--;
  bib[at + BIB.KIND] = 0;
  bib[at + BIB.NEXT] = tables.bibFree;
  tables.bibFree = index;
}
