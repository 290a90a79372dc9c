/**
 * The clients: who has mappings, how many, and behind which address (RFC 6888). A client is an IPv6 host, or all hosts of a
 * prefix. It is derived from the BIB, so a new worker makes it anew.
 */
import { type Tables, mix } from './tables.ts';

const WORDS = 8;
const CLIENT = { HOST: 0, MAPPINGS: 4, SESSIONS: 5, ADDRESS_SLOT: 6, NEXT: 7 } as const;

export interface Clients {
  readonly records: Int32Array;
  readonly heads: Int32Array;
  /** What of an address tells clients apart. */
  readonly mask: Int32Array;
  used: number;
  free: number;
}

export function createClients(maxClients: number, hashSize: number, prefixBits: number): Clients {
  return {
    records: new Int32Array((maxClients + 1) * WORDS),
    heads: new Int32Array(hashSize),
    mask: Int32Array.from({ length: 4 }, (_, word) => {
      const bits = Math.min(Math.max(prefixBits - word * 32, 0), 32);
      return bits === 0 ? 0 : -1 << (32 - bits);
    }),
    used: 1,
    free: 0,
  };
}

/** A hash of the client that a host is, or is of. */
export function hashOfClient(
  tables: Tables,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number {
  const { mask } = tables.clients;
  return mix(
    mix(mix(mix(tables.hashSeed, word3 & mask[3]), word2 & mask[2]), word1 & mask[1]),
    word0 & mask[0],
  );
}

/** The client's record, or 0 while it has no mapping. */
export function findClient(
  tables: Tables,
  hash: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): number {
  const { records, heads, mask } = tables.clients;
  let index = heads[hash & tables.hashMask];
  while (index !== 0) {
    const at = index * WORDS;
    if (
      records[at] === (word0 & mask[0]) &&
      records[at + 1] === (word1 & mask[1]) &&
      records[at + 2] === (word2 & mask[2]) &&
      records[at + 3] === (word3 & mask[3])
    )
      return index;
    index = records[at + CLIENT.NEXT];
  }
  return 0;
}

export const clientMappings = ({ records }: Clients, index: number): number =>
  index === 0 ? 0 : records[index * WORDS + CLIENT.MAPPINGS];
export const clientSessions = ({ records }: Clients, index: number): number =>
  index === 0 ? 0 : records[index * WORDS + CLIENT.SESSIONS];
/** The pool4 address of its newest mapping. */
export const clientAddressSlot = ({ records }: Clients, index: number): number =>
  records[index * WORDS + CLIENT.ADDRESS_SLOT];

/** Counts a mapping of the host whose address begins at `bibAt` of the BIB. */
export function addClientMapping(tables: Tables, bibAt: number, addressSlot: number): void {
  const { bib, clients, hashMask } = tables;
  const { records, heads, mask } = clients;
  const hash = hashOfClient(tables, bib[bibAt], bib[bibAt + 1], bib[bibAt + 2], bib[bibAt + 3]);
  let index = clientOfBib(tables, hash, bibAt);
  if (index === 0) {
    index = clients.free;
    if (index === 0) index = clients.used++;
    else clients.free = records[index * WORDS + CLIENT.NEXT];
    const at = index * WORDS;
    for (let word = 0; word < 4; word++) records[at + word] = bib[bibAt + word] & mask[word];
    records[at + CLIENT.MAPPINGS] = records[at + CLIENT.SESSIONS] = 0;
    records[at + CLIENT.NEXT] = heads[hash & hashMask];
    heads[hash & hashMask] = index;
  }
  records[index * WORDS + CLIENT.MAPPINGS]++;
  records[index * WORDS + CLIENT.ADDRESS_SLOT] = addressSlot;
}

/** The client goes with its last mapping. */
export function removeClientMapping(tables: Tables, bibAt: number): void {
  const { bib, clients, hashMask } = tables;
  const { records, heads } = clients;
  const hash = hashOfClient(tables, bib[bibAt], bib[bibAt + 1], bib[bibAt + 2], bib[bibAt + 3]);
  const index = clientOfBib(tables, hash, bibAt);
  const at = index * WORDS;
  if (--records[at + CLIENT.MAPPINGS] > 0) return;
  let before = heads[hash & hashMask];
  if (before === index) heads[hash & hashMask] = records[at + CLIENT.NEXT];
  else {
    while (records[before * WORDS + CLIENT.NEXT] !== index) before = records[before * WORDS + CLIENT.NEXT];
    records[before * WORDS + CLIENT.NEXT] = records[at + CLIENT.NEXT];
  }
  records[at + CLIENT.NEXT] = clients.free;
  clients.free = index;
}

/** Counts sessions of a host that has a mapping. */
export function countClientSessions(tables: Tables, bibAt: number, change: number): void {
  const { bib, clients } = tables;
  const hash = hashOfClient(tables, bib[bibAt], bib[bibAt + 1], bib[bibAt + 2], bib[bibAt + 3]);
  clients.records[clientOfBib(tables, hash, bibAt) * WORDS + CLIENT.SESSIONS] += change;
}

const clientOfBib = (tables: Tables, hash: number, bibAt: number): number =>
  findClient(
    tables,
    hash,
    tables.bib[bibAt],
    tables.bib[bibAt + 1],
    tables.bib[bibAt + 2],
    tables.bib[bibAt + 3],
  );
