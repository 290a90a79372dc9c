/**
 * The one buffer of the HTTP engine, because bytes move within one at no other cost than the copy. What is read lands in its input part. A head that is rewritten is built in the output part
 * and then moved to directly before the bytes that followed it, so that head and body leave with one write. The margin before
 * the input is for heads that grow.
 */
import { Buffer } from 'node:buffer'; // the global is a getter
import { pinned, placeOf } from '../../../os/libc.ts';
import { MAX_HEAD_BYTES } from '../../../wire/http1/head.ts';

/** The limit of one read. */
export const INPUT_BYTES = 64 * 1024;
/** A rewritten head is at most this much longer: names of at most 300 bytes are inserted four times. */
const MARGIN_BYTES = 4096;
export const INPUT = MARGIN_BYTES;
export const INPUT_END = INPUT + INPUT_BYTES;
const OUTPUT = INPUT_END;

/** Behind it are requests that may be sent again (saved.ts). Only what is used of it is really allocated. */
const SAVED = OUTPUT + MAX_HEAD_BYTES + MARGIN_BYTES;
export const SAVED_BYTES = 1024;
export const SAVED_PLACES = 8192;
export const savedAt = (place: number): number => SAVED + place * SAVED_BYTES;

export const buffer = pinned(savedAt(SAVED_PLACES));
export const bufferAddress = placeOf(buffer);
export const OUTPUT_START = OUTPUT;
export const OUTPUT_END = SAVED;

/** A copy of a part of the buffer. */
export const copyOf = (from: number, to: number): Uint8Array => Buffer.from(buffer.subarray(from, to));
