/** Passwords: argon2id (RFC 9106), stored in the usual text form, one hash at a time. */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { returnBlocksFrom } from '../../os/allocator.ts';
import { ApiError } from '../api-error.ts';
import { type Text, say } from '../../texts/text.ts';

/** OWASP's parameters for little memory: a Raspberry Pi 3 has 1 GB, and needs about half a second. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const PARALLELISM = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const MAX_WAITING = 8;

const derive = promisify(argon2);
let isMemoryReturned = false;

interface Parameters {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Buffer;
}

function hash(password: string, { memoryKib, passes, parallelism, salt }: Parameters): Promise<Buffer> {
  if (!isMemoryReturned) returnBlocksFrom(MEMORY_KIB * 512);
  isMemoryReturned = true;
  return derive('argon2id', {
    // The same password may be typed in several ways (RFC 8265 section 4.2.2, step 4).
    message: password.normalize('NFC'),
    nonce: salt,
    parallelism,
    tagLength: HASH_BYTES,
    memory: memoryKib,
    passes,
  }) as Promise<Buffer>;
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
const FORM =
  /^\$argon2id\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,2}),p=([0-9]{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{43})$/;

/** Whether a text is a hash that `verifyPassword` can check against. */
export const isPasswordHash = (text: string): boolean => FORM.test(text);

/** The hash of a new password: "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH". */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const parameters = { memoryKib: MEMORY_KIB, passes: PASSES, parallelism: PARALLELISM, salt };
  const result = await hash(password, parameters);
  return `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${PARALLELISM}$${base64(salt)}$${base64(result)}`;
}

/** Whether this is the password. False if `stored` is not a valid hash. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const [, memoryKib, passes, parallelism, salt, expected] = FORM.exec(stored) ?? [];
  if (expected === undefined) return false;
  const result = await hash(password, {
    memoryKib: Number(memoryKib),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
  });
  return timingSafeEqual(result, Buffer.from(expected, 'base64'));
}

/**
 * Why a password is rejected although it is long enough; undefined if it is accepted. There are no rules about letters and
 * digits (NIST SP 800-63B section 3.1.1.2). Only passwords that every attacker tries first are rejected.
 */
export function weakness(password: string): Text | undefined {
  if (new Set(password).size < 5) return say('a password of at least 5 different characters');
  const plain = password.toLowerCase();
  if (/^(tombolo|password|passwort|raspberry)[^a-z]*$/.test(plain))
    return say('a password that is not a common word');
  if ('01234567890123456789'.includes(plain) || 'abcdefghijklmnopqrstuvwxyz'.includes(plain)) {
    return say('a password that is not a plain sequence');
  }
  if ('qwertyuiopasdfghjklzxcvbnm'.includes(plain) || 'qwertzuiopasdfghjklyxcvbnm'.includes(plain)) {
    return say('a password that is not a row of keys');
  }
  return undefined;
}

interface Waiting {
  /** undefined for clients with priority. */
  readonly source: string | undefined;
  readonly start: () => void;
  readonly refuse: (error: ApiError) => void;
}

const tooMany = () =>
  new ApiError(429, 'too-many-requests', say('Too many sign-ins at once; try again in a few seconds.'));

/**
 * Runs jobs one after another, so that the memory for a hash is needed only once. Browsers that have signed in before come
 * first. Among the others, the source with the most waiting jobs loses one at the limit, so that a flood of sign-ins cannot
 * keep the owner out.
 */
export class HashQueue {
  readonly #known: Waiting[] = [];
  readonly #others: Waiting[] = [];
  #isBusy = false;

  /** `source`: the client; undefined for clients with priority. Rejects with ApiError 429 if too many wait. */
  async run<T>(source: string | undefined, job: () => Promise<T>): Promise<T> {
    const queue = source === undefined ? this.#known : this.#others;
    if (queue.length >= MAX_WAITING) makeRoom(queue, source);
    if (this.#isBusy) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      queue.push({ source, start: resolve, refuse: reject });
      await promise;
    }
    this.#isBusy = true;
    try {
      return await job();
    } finally {
      const next = this.#known.shift() ?? this.#others.shift();
      // Stays busy if another job waits, so that no other job can start before its turn.
      if (next === undefined) this.#isBusy = false;
      else next.start();
    }
  }
}

/**
 * Rejects the last job of the source that has the most. If the new job's source has about as many, the new job is rejected
 * instead.
 */
function makeRoom(queue: Waiting[], source: string | undefined): void {
  const held = (of: string | undefined) => queue.filter((each) => each.source === of).length;
  const most = Math.max(...queue.map((each) => held(each.source)));
  const last = queue.findLastIndex((each) => held(each.source) === most);
  if (held(source) + 1 >= most) throw tooMany();
  const [loser] = queue.splice(last, 1);
  loser.refuse(tooMany());
}
