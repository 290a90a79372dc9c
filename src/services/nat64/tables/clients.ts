/**
 * The clients: who has mappings, how many, and behind which address (RFC 6888). A client is an IPv6 host, or all hosts of a
 * prefix (nat64.clientPrefixBits). A network is all clients of a /64, because one machine can choose any address of its /64.
 * Both are derived from the BIB, so a new worker rebuilds them.
 */
import { IPV6_CLIENT_BITS, maskOfWord } from '../../../net/client.ts';
import { CLIENT_SHARE, HOST_SHARE } from '../../../net/shares.ts';
import { portsLeft } from './port-use.ts';
import { BIB, BIB_KIND, CONTROL, type Clients, type Tables, mix, unchain } from './tables.ts';

const WORDS = 11;
/** Words of a record of a client, or of a network if they apply to it. MAPPINGS has one word for each TRANSPORT. */
const CLIENT = { PREFIX: 0, MAPPINGS: 4, SESSIONS: 7, ADDRESS_SLOT: 8, NEXT: 9, NETWORK: 10 } as const;
/** In a record of a network: its number of clients, in the word where a client has its address. */
const NETWORK_CLIENTS = CLIENT.ADDRESS_SLOT;

export const createClients = (maxClients: number, hashSize: number, prefixBits: number): Clients => ({
  records: new Int32Array((maxClients + 1) * WORDS),
  heads: new Int32Array(hashSize),
  mask: Int32Array.from({ length: 4 }, (_, word) => maskOfWord(prefixBits, word)),
  used: 1,
  free: 0,
});

/** The prefix length of a network: never longer than that of a client. */
export const networkBits = (clientPrefixBits: number): number => Math.min(clientPrefixBits, IPV6_CLIENT_BITS);

/** The hash of the address at `at` in `words`. */
function hashOf({ hashSeed }: Tables, { mask }: Clients, words: Int32Array, at: number): number {
  const hash = mix(mix(hashSeed, words[at + 3] & mask[3]), words[at + 2] & mask[2]);
  return mix(mix(hash, words[at + 1] & mask[1]), words[at] & mask[0]);
}

/** The hash of the client that a host belongs to. */
export const hashOfClient = (tables: Tables, host: Int32Array): number =>
  hashOf(tables, tables.clients, host, 0);

/** The record of the client, or 0 while it has no mapping; `hash` is that of the host. */
export const findClient = (tables: Tables, hash: number, host: Int32Array): number =>
  find(tables, tables.clients, hash, host, 0);

function find(
  { hashMask }: Tables,
  { records, heads, mask }: Clients,
  hash: number,
  words: Int32Array,
  at: number,
): number {
  const word0 = words[at] & mask[0];
  const word1 = words[at + 1] & mask[1];
  const word2 = words[at + 2] & mask[2];
  const word3 = words[at + 3] & mask[3];
  let index = heads[hash & hashMask];
  while (index !== 0) {
    const recordAt = index * WORDS;
    if (
      records[recordAt] === word0 &&
      records[recordAt + 1] === word1 &&
      records[recordAt + 2] === word2 &&
      records[recordAt + 3] === word3
    )
      return index;
    index = records[recordAt + CLIENT.NEXT];
  }
  return 0;
}

export function clientMappings({ records }: Clients, index: number): number {
  const at = index * WORDS + CLIENT.MAPPINGS;
  return index === 0 ? 0 : records[at] + records[at + 1] + records[at + 2];
}
export const clientSessions = ({ records }: Clients, index: number): number =>
  index === 0 ? 0 : records[index * WORDS + CLIENT.SESSIONS];
/** The slot of the pool4 address of its newest mapping. */
export const clientAddressSlot = ({ records }: Clients, index: number): number =>
  records[index * WORDS + CLIENT.ADDRESS_SLOT];

/** Whether `held` and `networkHeld` are within the shares (net/shares.ts) of a client and its network when `left` are free. */
export const isWithinShares = (held: number, networkHeld: number, left: number): boolean =>
  held < left * HOST_SHARE && networkHeld < left * CLIENT_SHARE;

/**
 * Whether the host may have another port of the protocol; `client` is the record of its client, or 0. If no ports are left at
 * all, this is true: the allocation then fails with its own reason.
 */
export function mayHavePort(tables: Tables, protocol: number, client: number, host: Int32Array): boolean {
  const left = portsLeft(tables.ports, protocol);
  // While more ports are free than in use, nobody can have too many.
  if (left <= 0 || tables.ports.used[protocol] < left) return true;
  const network = networkOf(tables, client, host);
  return isWithinShares(
    tables.clients.records[client * WORDS + CLIENT.MAPPINGS + protocol],
    tables.networks.records[network * WORDS + CLIENT.MAPPINGS + protocol],
    left,
  );
}

/** The same for a session. */
export function mayHaveSession(tables: Tables, client: number, host: Int32Array): boolean {
  const left = sessionsLeft(tables);
  if (left <= 0 || tables.control[CONTROL.SESSION_COUNT] < left) return true;
  const network = networkOf(tables, client, host);
  return isWithinShares(
    tables.clients.records[client * WORDS + CLIENT.SESSIONS],
    tables.networks.records[network * WORDS + CLIENT.SESSIONS],
    left,
  );
}

/** The record of the network, or 0, whose counts are all 0. For a client without mappings it must be searched. */
function networkOf(tables: Tables, client: number, host: Int32Array): number {
  const { clients, networks } = tables;
  if (client !== 0) return clients.records[client * WORDS + CLIENT.NETWORK];
  return find(tables, networks, hashOf(tables, networks, host, 0), host, 0);
}

/**
 * The same for a session that the IPv4 side opens. Remote hosts may fill at most half of the table with sessions of one client, so
 * that it can use the rest for its own sessions.
 */
export function mayBeGivenSession(tables: Tables, bibAt: number): boolean {
  const left = sessionsLeft(tables);
  if (left <= 0) return true;
  const { bib, clients } = tables;
  const isStatic = (bib[bibAt + BIB.KIND] & BIB_KIND.STATIC) !== 0;
  return (isStatic ? bib[bibAt + BIB.SESSIONS] : clientSessions(clients, clientOfBib(tables, bibAt))) < left;
}

const sessionsLeft = ({ maxSessions, control }: Tables): number =>
  maxSessions - control[CONTROL.SESSION_COUNT];

/** Counts a mapping of the host whose BIB record begins at `bibAt`. */
export function addClientMapping(tables: Tables, bibAt: number, addressSlot: number): void {
  const { bib, clients, networks } = tables;
  let index = clientOfBib(tables, bibAt);
  if (index === 0) {
    index = add(tables, clients, bibAt);
    const network =
      find(tables, networks, hashOf(tables, networks, bib, bibAt), bib, bibAt) ||
      add(tables, networks, bibAt);
    clients.records[index * WORDS + CLIENT.NETWORK] = network;
    networks.records[network * WORDS + NETWORK_CLIENTS]++;
  }
  const at = index * WORDS;
  const protocol = (bib[bibAt + BIB.KIND] & BIB_KIND.TRANSPORT) - 1;
  clients.records[at + CLIENT.MAPPINGS + protocol]++;
  clients.records[at + CLIENT.ADDRESS_SLOT] = addressSlot;
  networks.records[clients.records[at + CLIENT.NETWORK] * WORDS + CLIENT.MAPPINGS + protocol]++;
}

/** Removes the client with its last mapping, and its network with its last client. */
export function removeClientMapping(tables: Tables, bibAt: number): void {
  const { bib, clients, networks } = tables;
  const index = clientOfBib(tables, bibAt);
  const protocol = (bib[bibAt + BIB.KIND] & BIB_KIND.TRANSPORT) - 1;
  const network = clients.records[index * WORDS + CLIENT.NETWORK];
  clients.records[index * WORDS + CLIENT.MAPPINGS + protocol]--;
  networks.records[network * WORDS + CLIENT.MAPPINGS + protocol]--;
  if (clientMappings(clients, index) > 0) return;
  remove(tables, clients, index);
  if (--networks.records[network * WORDS + NETWORK_CLIENTS] === 0) remove(tables, networks, network);
}

/** Counts sessions of a host that has a mapping. */
export function countClientSessions(tables: Tables, bibAt: number, change: number): void {
  const { clients, networks } = tables;
  const at = clientOfBib(tables, bibAt) * WORDS;
  clients.records[at + CLIENT.SESSIONS] += change;
  networks.records[clients.records[at + CLIENT.NETWORK] * WORDS + CLIENT.SESSIONS] += change;
}

/** Makes a record, with all counts 0, for the prefix that contains the host of a BIB record. */
function add(tables: Tables, into: Clients, bibAt: number): number {
  const { records, heads, mask } = into;
  let index = into.free;
  if (index === 0) index = into.used++;
  else into.free = records[index * WORDS + CLIENT.NEXT];
  const at = index * WORDS;
  for (let word = 0; word < 4; word++) records[at + word] = tables.bib[bibAt + word] & mask[word];
  for (let word = CLIENT.MAPPINGS; word < WORDS; word++) records[at + word] = 0;
  const head = hashOfRecord(tables, into, at) & tables.hashMask;
  records[at + CLIENT.NEXT] = heads[head];
  heads[head] = index;
  return index;
}

function remove(tables: Tables, from: Clients, index: number): void {
  const { records, heads } = from;
  const at = index * WORDS;
  unchain(records, heads, hashOfRecord(tables, from, at) & tables.hashMask, index, CLIENT.NEXT, WORDS);
  records[at + CLIENT.NEXT] = from.free;
  from.free = index;
}

const hashOfRecord = (tables: Tables, of: Clients, at: number): number => hashOf(tables, of, of.records, at);

function clientOfBib(tables: Tables, bibAt: number): number {
  const { bib, clients } = tables;
  return find(tables, clients, hashOf(tables, clients, bib, bibAt), bib, bibAt);
}
