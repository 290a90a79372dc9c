/** Random changes to bytes, reproducible from a seed, as a hostile or broken peer might send them. */

import type { Random } from '../random.ts';

/** Lengths and counts that are difficult for parsers. */
const BYTES = [0, 1, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff];
const WORDS = [0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff];
const LONGEST_INSERT = 64;

type Mutation = (bytes: Uint8Array, at: number, random: Random) => Uint8Array;

const concat = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);
const changed = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy.set(values.slice(0, copy.length - at), at);
  return copy;
};

const MUTATIONS: readonly Mutation[] = [
  (bytes, at, random) => changed(bytes, at, bytes[at] ^ (1 << (random() & 7))),
  (bytes, at, random) => changed(bytes, at, random() & 255),
  (bytes, at, random) => changed(bytes, at, BYTES[random() % BYTES.length]),
  (bytes, at, random) => {
    const word = WORDS[random() % WORDS.length];
    return changed(bytes, at, word >>> 8, word & 255);
  },
  (bytes, at, random) => changed(bytes, at, (bytes[at] + (random() & 1 ? 1 : 255)) & 255),
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at, random) => concat(bytes.subarray(0, at), bytes.subarray(at + 1 + (random() % LONGEST_INSERT))),
  (bytes, at, random) => {
    const inserted = Uint8Array.from({ length: 1 + (random() % LONGEST_INSERT) }, () => random() & 255);
    return concat(bytes.subarray(0, at), inserted, bytes.subarray(at));
  },
  (bytes, at, random) => {
    const repeated = bytes.subarray(at, at + 1 + (random() % LONGEST_INSERT));
    return concat(bytes.subarray(0, at), repeated, bytes.subarray(at));
  },
];

/** One to six changes to one of the seeds, or the head of one joined to the tail of another. */
export function mutate(seeds: readonly Uint8Array[], random: Random): Uint8Array {
  const pick = () => seeds[random() % seeds.length];
  let bytes = pick();
  if (random() % 16 === 0) {
    const other = pick();
    bytes = concat(
      bytes.subarray(0, random() % (bytes.length + 1)),
      other.subarray(random() % (other.length + 1)),
    );
  }
  for (let left = 1 + (random() % 6); left > 0 && bytes.length > 0; left--) {
    bytes = MUTATIONS[random() % MUTATIONS.length](bytes, random() % bytes.length, random);
  }
  return bytes;
}
