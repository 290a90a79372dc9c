/** Random secrets, of which only hashes are kept. They have 256 bits, so a plain SHA-256 is enough. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 32;
const ID_BYTES = 9;

/** 43 characters of base64url. */
export const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');

/** An id for something that has a secret; reveals nothing about the secret. */
export const newId = (): string => randomBytes(ID_BYTES).toString('base64url');

export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** Whether two texts are equal. Compares hashes, so that the time it takes reveals neither content nor length. */
export const isSameSecret = (one: string, other: string): boolean =>
  timingSafeEqual(createHash('sha256').update(one).digest(), createHash('sha256').update(other).digest());

/** A text that only a holder of `key` can make from `text`. */
export const keyed = (key: string, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url');
