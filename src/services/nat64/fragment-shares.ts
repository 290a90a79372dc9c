/**
 * Who has how much of the fragment memory, so that the greediest loses first. An owner is a client: an IPv4 address or an
 * IPv6 /64. Owners are kept in lists by the size of what they have (a class for each power of two), so that the greediest
 * but for a factor of two is found without a search. Units of this file are whatever the caller counts.
 */
import { mix } from './tables.ts';

/** Two sorts of datagrams, judged apart: those that have shown a first fragment which may pass, and all others. */
export const GROUP = { UNPROVEN: 0, PROVEN: 1 } as const;
const GROUPS = 2;
/** What is below counts as nothing: nobody is greedy who has one datagram of the largest size. */
const LEAST_UNITS_SHIFT = 8;
const CLASSES = 16;

const WORDS = 9;
const OWNER = {
  KEY0: 0,
  KEY1: 1,
  /** Class of its size, group * CLASSES added. */
  LIST: 2,
  UNITS: 3,
  /** Its things, the oldest first. */
  FIRST: 4,
  LAST: 5,
  /** In the list of its class. */
  BEFORE: 6,
  AFTER: 7,
  /** In its hash chain; or in the list of unused ones. */
  NEXT: 8,
} as const;

export interface Shares {
  readonly owners: Int32Array;
  readonly heads: Int32Array;
  /** First and last owner of each class. */
  readonly first: Int32Array;
  readonly last: Int32Array;
  /** By thing: its owner, and its neighbours among what the owner has. */
  readonly ownerOf: Int32Array;
  readonly before: Int32Array;
  readonly after: Int32Array;
  /** By group. */
  readonly unitsOf: Int32Array;
  readonly seed: number;
  used: number;
  free: number;
}

/** Shares of things numbered from 1 up to `maxThings`, a power of two less one; 0 is none. */
export function createShares(maxThings: number, seed: number): Shares {
  const size = maxThings + 1;
  return {
    owners: new Int32Array(size * WORDS),
    heads: new Int32Array(size),
    first: new Int32Array(GROUPS * CLASSES),
    last: new Int32Array(GROUPS * CLASSES),
    ownerOf: new Int32Array(size),
    before: new Int32Array(size),
    after: new Int32Array(size),
    unitsOf: new Int32Array(GROUPS),
    seed,
    used: 1,
    free: 0,
  };
}

const hashOf = ({ heads, seed }: Shares, group: number, key0: number, key1: number): number =>
  mix(mix(mix(seed, key1), key0), group) & (heads.length - 1);

/** Gives a thing of so many units to the owner of this key and group, who need not be known. */
export function give(
  shares: Shares,
  thing: number,
  group: number,
  key0: number,
  key1: number,
  units: number,
): void {
  const { owners, ownerOf, before, after } = shares;
  const owner = findOrAddOwner(shares, group, key0, key1);
  const at = owner * WORDS;
  ownerOf[thing] = owner;
  before[thing] = owners[at + OWNER.LAST];
  after[thing] = 0;
  if (before[thing] === 0) owners[at + OWNER.FIRST] = thing;
  else after[before[thing]] = thing;
  owners[at + OWNER.LAST] = thing;
  charge(shares, thing, units);
}

/** Takes a thing, which counts so many units now, from its owner, who is forgotten with the last. */
export function takeAway(shares: Shares, thing: number, units: number): void {
  const { owners, ownerOf, before, after } = shares;
  const owner = ownerOf[thing];
  const at = owner * WORDS;
  charge(shares, thing, -units);
  if (before[thing] === 0) owners[at + OWNER.FIRST] = after[thing];
  else after[before[thing]] = after[thing];
  if (after[thing] === 0) owners[at + OWNER.LAST] = before[thing];
  else before[after[thing]] = before[thing];
  ownerOf[thing] = 0;
  if (owners[at + OWNER.FIRST] === 0) removeOwner(shares, owner);
}

/** A thing has become larger, or with a negative number smaller. */
export function charge(shares: Shares, thing: number, units: number): void {
  const { owners, ownerOf, unitsOf } = shares;
  const owner = ownerOf[thing];
  const at = owner * WORDS;
  owners[at + OWNER.UNITS] += units;
  const group = groupOf(shares, thing);
  unitsOf[group] += units;
  const list = group * CLASSES + classOf(owners[at + OWNER.UNITS]);
  if (list === owners[at + OWNER.LIST]) return;
  unlist(shares, owner);
  enlist(shares, owner, list);
}

const groupOf = ({ owners, ownerOf }: Shares, thing: number): number =>
  owners[ownerOf[thing] * WORDS + OWNER.LIST] >= CLASSES ? GROUP.PROVEN : GROUP.UNPROVEN;

/** The oldest thing of the greediest owner of a group; 0 when there is none. Among equals each owner loses in turn. */
export function greediest(shares: Shares, group: number): number {
  for (let list = (group + 1) * CLASSES - 1; list >= group * CLASSES; list--) {
    const owner = shares.first[list];
    if (owner === 0) continue;
    unlist(shares, owner);
    enlist(shares, owner, list);
    return shares.owners[owner * WORDS + OWNER.FIRST];
  }
  return 0;
}

const classOf = (units: number): number =>
  units <= 1 << LEAST_UNITS_SHIFT ? 0 : 32 - Math.clz32((units - 1) >> LEAST_UNITS_SHIFT);

function findOrAddOwner(shares: Shares, group: number, key0: number, key1: number): number {
  const { owners, heads } = shares;
  const hash = hashOf(shares, group, key0, key1);
  for (let owner = heads[hash]; owner !== 0; owner = owners[owner * WORDS + OWNER.NEXT]) {
    const at = owner * WORDS;
    const isSame = owners[at + OWNER.KEY0] === key0 && owners[at + OWNER.KEY1] === key1;
    if (isSame && owners[at + OWNER.LIST] >= CLASSES === (group === GROUP.PROVEN)) return owner;
  }
  // There are never more owners than things.
  const owner = shares.free === 0 ? shares.used++ : shares.free;
  const at = owner * WORDS;
  if (shares.free !== 0) shares.free = owners[at + OWNER.NEXT];
  owners[at + OWNER.KEY0] = key0;
  owners[at + OWNER.KEY1] = key1;
  owners[at + OWNER.UNITS] = owners[at + OWNER.FIRST] = owners[at + OWNER.LAST] = 0;
  owners[at + OWNER.NEXT] = heads[hash];
  heads[hash] = owner;
  enlist(shares, owner, group * CLASSES);
  return owner;
}

function removeOwner(shares: Shares, owner: number): void {
  const { owners, heads } = shares;
  const at = owner * WORDS;
  const group = owners[at + OWNER.LIST] >= CLASSES ? GROUP.PROVEN : GROUP.UNPROVEN;
  const hash = hashOf(shares, group, owners[at + OWNER.KEY0], owners[at + OWNER.KEY1]);
  unlist(shares, owner);
  if (heads[hash] === owner) heads[hash] = owners[at + OWNER.NEXT];
  else {
    let other = heads[hash];
    while (owners[other * WORDS + OWNER.NEXT] !== owner) other = owners[other * WORDS + OWNER.NEXT];
    owners[other * WORDS + OWNER.NEXT] = owners[at + OWNER.NEXT];
  }
  owners[at + OWNER.NEXT] = shares.free;
  shares.free = owner;
}

function enlist({ owners, first, last }: Shares, owner: number, list: number): void {
  const at = owner * WORDS;
  owners[at + OWNER.LIST] = list;
  owners[at + OWNER.BEFORE] = last[list];
  owners[at + OWNER.AFTER] = 0;
  if (last[list] === 0) first[list] = owner;
  else owners[last[list] * WORDS + OWNER.AFTER] = owner;
  last[list] = owner;
}

function unlist({ owners, first, last }: Shares, owner: number): void {
  const at = owner * WORDS;
  const list = owners[at + OWNER.LIST];
  const before = owners[at + OWNER.BEFORE];
  const after = owners[at + OWNER.AFTER];
  if (before === 0) first[list] = after;
  else owners[before * WORDS + OWNER.AFTER] = after;
  if (after === 0) last[list] = before;
  else owners[after * WORDS + OWNER.BEFORE] = before;
}
