/**
 * Who holds most of the connections of a TCP service, and who was refused at a limit, in shared memory: the worker writes, the
 * main thread reads. Clients are those of client.ts: an IPv4 address, or the /64 of an IPv6 address.
 *
 * Refusals are in a table of a few rows, whatever the number of clients. A client without a row takes that of the client with
 * the fewest refusals, and its count (Space-Saving: Metwally, Agrawal, El Abbadi 2005): so whoever was refused most is there, and
 * a count may be too high, never too low.
 */
import { formatIpAddress } from '../wire/ip-address.ts';
import { formatIpPrefix } from '../wire/ip-prefix.ts';
import { type Client, IPV6_CLIENT_BITS, isMapped, maskOfWord } from './client.ts';
import { HELD, HOLDER_WORDS, RANK_NEXT, type SlotShares } from './share-records.ts';
import { heldBy } from './shares.ts';

/** How many clients are listed. */
const HELD_ROWS = 10;
const REFUSED_ROWS = 16;
/** Doubles of a row: four words of the address, then these. */
const FIRST_VALUE = 4;
/** Connections, and those whose server is not known or reached yet. */
const HELD_ROW = FIRST_VALUE + 2;
/** Refusals, the position of the counter of the last one, and its time. */
const REFUSED_ROW = FIRST_VALUE + 3;
/** The first double has the version of the rows in its first word: odd while they are written. The second one: their number. */
const ROWS = 2;
const REFUSED = ROWS + HELD_ROWS * HELD_ROW;
const DOUBLES = REFUSED + REFUSED_ROWS * REFUSED_ROW;

export const createHoldersBuffer = (): SharedArrayBuffer => new SharedArrayBuffer(DOUBLES * 8);

/** The worker's side. */
export interface Holders {
  readonly version: Int32Array;
  readonly values: Float64Array;
}

/** Attaches the worker: nobody holds anything yet. Refusals by an earlier worker are kept. */
export function createHolders(buffer: SharedArrayBuffer): Holders {
  const values = new Float64Array(buffer);
  values.fill(0, 0, REFUSED);
  return { version: new Int32Array(buffer, 0, 1), values };
}

const MASK = Int32Array.from({ length: 4 }, (_, word) => maskOfWord(IPV6_CLIENT_BITS, word));

/** Counts a refusal of this client; `counter`: the position of the counter that says why. */
export function noteRefused({ values, version }: Holders, client: Client, counter: number): void {
  const isIpv4 = isMapped(client.word0, client.word1, client.word2);
  const word2 = isIpv4 ? client.word2 : client.word2 & MASK[2];
  const word3 = isIpv4 ? client.word3 : client.word3 & MASK[3];
  let at = REFUSED;
  for (let row = 0, fewest = Number.POSITIVE_INFINITY; row < REFUSED_ROWS; row++) {
    const here = REFUSED + row * REFUSED_ROW;
    const isSame =
      values[here] === client.word0 &&
      values[here + 1] === client.word1 &&
      values[here + 2] === word2 &&
      values[here + 3] === word3;
    const count = isSame ? -1 : values[here + FIRST_VALUE];
    if (count >= fewest) continue;
    fewest = count;
    at = here;
  }
  Atomics.add(version, 0, 1);
  values[at] = client.word0;
  values[at + 1] = client.word1;
  values[at + 2] = word2;
  values[at + 3] = word3;
  values[at + FIRST_VALUE]++;
  values[at + FIRST_VALUE + 1] = counter;
  values[at + FIRST_VALUE + 2] = Date.now();
  Atomics.add(version, 0, 1);
}

/** Lists the clients with the most connections. Call about once per second: it looks at as many ranks as the first one holds. */
export function listHolders({ values, version }: Holders, all: SlotShares, openings: SlotShares): void {
  const { rankFirst, holders } = all;
  Atomics.add(version, 0, 1);
  let rows = 0;
  for (let rank = all.most; rank > 0 && rows < HELD_ROWS; rank--) {
    for (let holder = rankFirst[rank]; holder !== 0 && rows < HELD_ROWS; rows++) {
      const from = holder * HOLDER_WORDS;
      const at = ROWS + rows * HELD_ROW;
      for (let word = 0; word < 4; word++) values[at + word] = holders[from + word];
      values[at + FIRST_VALUE] = holders[from + HELD];
      values[at + FIRST_VALUE + 1] = heldBy(
        openings,
        holders[from],
        holders[from + 1],
        holders[from + 2],
        holders[from + 3],
      );
      holder = holders[from + RANK_NEXT];
    }
  }
  values[1] = rows;
  Atomics.add(version, 0, 1);
}

export interface HeldRow {
  /** "192.0.2.1" or "2001:db8::/64". */
  readonly client: string;
  readonly connections: number;
  readonly openings: number;
}

export interface RefusedRow {
  readonly client: string;
  readonly count: number;
  /** The position of the counter of the last one. */
  readonly counter: number;
  readonly lastMs: number;
}

/**
 * The main thread's side: what the workers of a service have written. Those with the most come first. Each worker lists the same
 * clients, because the workers count together; refusals are added up.
 */
export function readHolders(...buffers: readonly SharedArrayBuffer[]): {
  holders: HeldRow[];
  refused: RefusedRow[];
} {
  const read = buffers.map(readOne);
  const refused = new Map<string, RefusedRow>();
  for (const row of read.flatMap((each) => each.refused)) {
    const other = refused.get(row.client) ?? { ...row, count: 0, lastMs: 0 };
    const { counter, lastMs } = row.lastMs >= other.lastMs ? row : other;
    refused.set(row.client, { client: row.client, count: row.count + other.count, counter, lastMs });
  }
  return {
    holders: read.find(({ holders }) => holders.length > 0)?.holders ?? [],
    refused: [...refused.values()].sort((a, b) => b.count - a.count),
  };
}

function readOne(buffer: SharedArrayBuffer): { holders: HeldRow[]; refused: RefusedRow[] } {
  const values = consistent(buffer);
  const holders = Array.from({ length: values[1] }, (_, row) => {
    const at = ROWS + row * HELD_ROW;
    const [connections, openings] = values.subarray(at + FIRST_VALUE, at + HELD_ROW);
    return { client: clientText(values, at), connections, openings };
  });
  const refused = Array.from({ length: REFUSED_ROWS }, (_, row) => {
    const at = REFUSED + row * REFUSED_ROW;
    const [count, counter, lastMs] = values.subarray(at + FIRST_VALUE, at + REFUSED_ROW);
    return { client: clientText(values, at), count, counter, lastMs };
  });
  return { holders, refused: refused.filter(({ count }) => count > 0) };
}

/** A copy that was not written meanwhile; the last one if the worker writes all the time, or has died while it wrote. */
function consistent(buffer: SharedArrayBuffer): Float64Array {
  const version = new Int32Array(buffer, 0, 1);
  const shared = new Float64Array(buffer);
  for (let tries = 0; ; tries++) {
    const before = Atomics.load(version, 0);
    const copy = Float64Array.from(shared);
    if (((before & 1) === 0 && Atomics.load(version, 0) === before) || tries === 8) return copy;
  }
}

function clientText(values: Float64Array, at: number): string {
  const address = new Uint8Array(16);
  const view = new DataView(address.buffer);
  for (let word = 0; word < 4; word++) view.setInt32(word * 4, values[at + word]);
  return isMapped(values[at], values[at + 1], values[at + 2])
    ? formatIpAddress(address)
    : formatIpPrefix({ address, prefixBits: IPV6_CLIENT_BITS });
}
