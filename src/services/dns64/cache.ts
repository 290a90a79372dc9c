/**
 * The cache of answers: flat typed arrays, without objects or strings for entries, so a hit allocates nothing and the garbage
 * collector has nothing to scan. Answers are in a ring, oldest first. The ring's head evicts the entry that it reaches, unless
 * that was used since it was written: then it gets a second round (CLOCK). A hash table with open addressing finds entries. Its
 * hash is seeded, so nobody can choose names that collide.
 */
import { randomWord } from '../../os/random.ts';
import { HEADER_BYTES, uint32At, writeUint32 } from '../../wire/dns-message.ts';
import type { Answer } from './answer.ts';
import { type Memory, newMemory } from './memory.ts';

/** The average size of an answer: the ring has this size times the number of entries, but at least LEAST_RING_BYTES. */
const AVERAGE_ENTRY_BYTES = 320;
const LEAST_RING_BYTES = 1 << 20;
/** An insertion keeps at most this many used entries, so that its cost is bounded. */
const SECOND_ROUNDS = 8;
const NAME_WORD = HEADER_BYTES >> 2;
/** LEFTOVER[n] masks the first n bytes of a word in memory order (both supported processors are little-endian). */
const LEFTOVER = Int32Array.of(0, 0xff, 0xffff, 0xffffff);

export class AnswerCache {
  readonly memory: Memory;
  // By entry. Entry numbers go round like the ring: #used entries, starting at #oldest.
  readonly start: Int32Array;
  readonly messageBytes: Int32Array;
  readonly ttlCount: Int32Array;
  readonly storedSeconds: Int32Array;
  readonly #expiresSeconds: Int32Array;
  readonly #hash: Int32Array;
  /** Type and variant; 0 when the entry has been removed from the table. */
  readonly #kind: Int32Array;
  readonly #nameBytes: Uint8Array;
  readonly #referenced: Uint8Array;

  readonly #capacity: number;
  readonly #table: Int32Array;
  readonly #mask: number;
  readonly #seed: number;
  /** The name being looked up, in lower case. */
  readonly #key = new Int32Array(64);
  #oldest = 0;
  #used = 0;
  /** The next free word of the ring. */
  #head = 0;
  #size = 0;

  constructor(capacity: number, seed = randomWord()) {
    this.#capacity = capacity;
    this.#seed = seed | 0;
    this.memory = newMemory(Math.max(capacity * AVERAGE_ENTRY_BYTES, LEAST_RING_BYTES));
    this.start = new Int32Array(capacity);
    this.messageBytes = new Int32Array(capacity);
    this.ttlCount = new Int32Array(capacity);
    this.storedSeconds = new Int32Array(capacity);
    this.#expiresSeconds = new Int32Array(capacity);
    this.#hash = new Int32Array(capacity);
    this.#kind = new Int32Array(capacity);
    this.#nameBytes = new Uint8Array(capacity);
    this.#referenced = new Uint8Array(capacity);
    let slots = 16;
    while (slots < capacity * 2) slots *= 2;
    this.#table = new Int32Array(slots);
    this.#mask = slots - 1;
  }

  /** Entries that can be found. Expired ones count until they are looked up or overwritten. */
  get size(): number {
    return this.#size;
  }

  /**
   * The entry for the query whose message starts at byte `at` of `memory` (a multiple of 4), or -1. `variant` is the result of
   * `variantOf`. Its fields are `start`, `messageBytes`, ... at that index.
   */
  find(
    memory: Memory,
    at: number,
    nameBytes: number,
    type: number,
    variant: number,
    nowSeconds: number,
  ): number {
    const kind = kindOf(type, variant);
    const hash = this.#lookUp(memory.words, (at >> 2) + NAME_WORD, nameBytes, kind);
    const entry = this.#entryOf(hash, nameBytes, kind);
    if (entry === -1) return -1;
    if (nowSeconds >= this.#expiresSeconds[entry]) {
      this.#unlink(entry);
      return -1;
    }
    this.#referenced[entry] = 1;
    return entry;
  }

  /** Stores an answer, and replaces an older one to the same question. Skips an answer that must not be cached or is too large. */
  insert(answer: Answer, nowSeconds: number): void {
    const { words, nameBytes } = answer;
    if (answer.lifetimeSeconds <= 0 || words.length > this.memory.words.length >> 3) return;
    const kind = kindOf(answer.type, answer.variant);
    const hash = this.#lookUp(words, NAME_WORD, nameBytes, kind);
    const older = this.#entryOf(hash, nameBytes, kind);
    if (older !== -1) this.#unlink(older);
    this.#makeRoom(words.length, nowSeconds);
    const entry = this.#append(words.length);
    this.memory.words.set(words, this.start[entry]);
    this.messageBytes[entry] = answer.messageBytes;
    this.ttlCount[entry] = answer.ttlCount;
    this.storedSeconds[entry] = nowSeconds;
    this.#expiresSeconds[entry] = nowSeconds + answer.lifetimeSeconds;
    this.#hash[entry] = hash;
    this.#kind[entry] = kind;
    this.#nameBytes[entry] = nameBytes;
    this.#referenced[entry] = 0;
    this.#link(entry);
  }

  /** An entry as an answer for another cache, with the remaining TTLs and lifetime. */
  copy(entry: number, nowSeconds: number): Answer {
    const from = this.start[entry];
    const messageBytes = this.messageBytes[entry];
    const ttlCount = this.ttlCount[entry];
    const messageWords = (messageBytes + 3) >> 2;
    const words = this.memory.words.slice(from, from + messageWords + ttlCount);
    const bytes = new Uint8Array(words.buffer);
    const ageSeconds = nowSeconds - this.storedSeconds[entry];
    for (const ttlAt of words.subarray(messageWords))
      writeUint32(bytes, ttlAt, Math.max(uint32At(bytes, ttlAt) - ageSeconds, 0));
    return {
      words,
      messageBytes,
      ttlCount,
      nameBytes: this.#nameBytes[entry],
      type: this.#kind[entry] >> 2,
      variant: this.#kind[entry] & 3,
      lifetimeSeconds: this.#expiresSeconds[entry] - nowSeconds,
      origin: 'forwarded', // the origin of a cached answer is not used
    };
  }

  /** Removes everything. */
  clear(): void {
    this.#table.fill(0);
    this.#kind.fill(0);
    this.#oldest = this.#used = this.#head = this.#size = 0;
  }

  /** Copies the name in lower case into #key, four bytes at a time, and returns its hash with `kind`. */
  #lookUp(words: Int32Array, from: number, nameBytes: number, kind: number): number {
    const key = this.#key;
    const whole = nameBytes >> 2;
    let hash = this.#seed ^ Math.imul(kind, 0x9e3779b1);
    let i = 0;
    for (; i < whole; i++) {
      const lower = lowerWord(words[from + i]);
      key[i] = lower;
      hash = Math.imul(hash ^ lower, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    const rest = nameBytes & 3;
    if (rest !== 0) {
      const lower = lowerWord(words[from + i] & LEFTOVER[rest]);
      key[i] = lower;
      hash = Math.imul(hash ^ lower, 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  }

  /** The entry with the name in #key, or -1. */
  #entryOf(hash: number, nameBytes: number, kind: number): number {
    const table = this.#table;
    for (let slot = hash & this.#mask; table[slot] !== 0; slot = (slot + 1) & this.#mask) {
      const entry = table[slot] - 1;
      if (
        this.#hash[entry] === hash &&
        this.#kind[entry] === kind &&
        this.#nameBytes[entry] === nameBytes &&
        this.#nameIsKey(entry, nameBytes)
      ) {
        return entry;
      }
    }
    return -1;
  }

  #nameIsKey(entry: number, nameBytes: number): boolean {
    const words = this.memory.words;
    const key = this.#key;
    const from = this.start[entry] + NAME_WORD;
    const whole = nameBytes >> 2;
    for (let i = 0; i < whole; i++) if (words[from + i] !== key[i]) return false;
    const rest = nameBytes & 3;
    return rest === 0 || (words[from + whole] & LEFTOVER[rest]) === key[whole];
  }

  #link(entry: number): void {
    let slot = this.#hash[entry] & this.#mask;
    while (this.#table[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#table[slot] = entry + 1;
    this.#size++;
  }

  /** Removes an entry from the table and closes the gap: the entries after it move up, unless they are at their own place. */
  #unlink(entry: number): void {
    const table = this.#table;
    const mask = this.#mask;
    let gap = this.#hash[entry] & mask;
    while (table[gap] !== entry + 1) gap = (gap + 1) & mask;
    for (let slot = (gap + 1) & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hash[table[slot] - 1] & mask;
      if (((slot - home) & mask) >= ((slot - gap) & mask)) {
        table[gap] = table[slot];
        gap = slot;
      }
    }
    table[gap] = 0;
    this.#kind[entry] = 0;
    this.#size--;
  }

  /** Evicts the oldest entries until `words` more fit at the head. */
  #makeRoom(words: number, nowSeconds: number): void {
    let secondRounds = SECOND_ROUNDS;
    while (this.#used === this.#capacity || !this.#fits(words)) {
      const entry = this.#oldest;
      this.#oldest = (entry + 1) % this.#capacity;
      this.#used--;
      if (this.#kind[entry] === 0) continue;
      const stays = this.#referenced[entry] === 1 && nowSeconds < this.#expiresSeconds[entry];
      if (!stays || secondRounds-- === 0 || !this.#moveToHead(entry)) this.#unlink(entry);
    }
  }

  /** Whether a block of `words` fits at the head; wraps the head if it only fits at the beginning of the ring. */
  #fits(words: number): boolean {
    const ringWords = this.memory.words.length;
    if (this.#used === 0) {
      this.#head = 0;
      return true;
    }
    const tail = this.start[this.#oldest];
    if (this.#head <= tail) return this.#head + words <= tail && this.#head !== tail;
    if (this.#head + words <= ringWords) return true;
    if (words > tail) return false;
    this.#head = 0;
    return words <= tail && tail !== 0;
  }

  /** Numbers a new entry whose block is at the head. */
  #append(words: number): number {
    const entry = (this.#oldest + this.#used) % this.#capacity;
    this.#used++;
    this.start[entry] = this.#head;
    this.#head += words;
    return entry;
  }

  /** Gives an entry that was just removed from the tail another round; false when its block does not fit. */
  #moveToHead(entry: number): boolean {
    const words = ((this.messageBytes[entry] + 3) >> 2) + this.ttlCount[entry];
    const from = this.start[entry];
    if (!this.#fits(words)) return false;
    const hash = this.#hash[entry];
    const kind = this.#kind[entry];
    this.#unlink(entry);
    const moved = this.#append(words);
    this.memory.words.copyWithin(this.start[moved], from, from + words);
    for (const field of [
      this.messageBytes,
      this.ttlCount,
      this.storedSeconds,
      this.#expiresSeconds,
      this.#nameBytes,
    ])
      field[moved] = field[entry];
    this.#hash[moved] = hash;
    this.#kind[moved] = kind;
    this.#referenced[moved] = 0;
    this.#link(moved);
    return true;
  }
}

const kindOf = (type: number, variant: number): number => (type << 2) | variant;

/**
 * ASCII lower case of four bytes at once. A byte is upper case (between "A" and "Z") when adding 0x3f carries it to 0x80 and
 * adding 0x25 does not.
 */
function lowerWord(word: number): number {
  const low = word & 0x7f7f7f7f;
  const upper = ((low + 0x3f3f3f3f) ^ (low + 0x25252525)) & ~word & 0x80808080;
  return word | (upper >>> 2);
}
