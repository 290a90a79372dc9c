/** Names and sizes that servers and clients share. */

export const LARGE_FILE = 'large.bin';
/** Larger than every buffer on the way. */
export const LARGE_BYTES = 20_000_000;
export const SMALL_FILE = 'small.txt';
export const SMALL = 'a small file\n';
