/**
 * Requests that may be sent again, if the kept connection that they went to turns out to be closed (RFC 9112 section 9.3.1).
 * The descriptor of that connection has a place in the buffer, so nothing is allocated for a request, or left when a connection
 * ends.
 */
import { SAVED_BYTES, SAVED_PLACES, buffer, copyOf, savedAt } from './buffer.ts';
import type { HttpClient } from './client.ts';

/** Keeps the request in the buffer from `from` to `to`. It was sent to `fd`. */
export function saveRequest(client: HttpClient, fd: number, from: number, to: number): void {
  client.savedBytes = to - from;
  if (fd < SAVED_PLACES && client.savedBytes <= SAVED_BYTES) buffer.copyWithin(savedAt(fd), from, to);
  else client.savedApart = copyOf(from, to);
}

export const hasSaved = ({ savedBytes }: HttpClient): boolean => savedBytes > 0;

/** The request that was sent to `fd`. */
export const savedRequest = ({ savedApart, savedBytes }: HttpClient, fd: number): Uint8Array =>
  savedApart ?? copyOf(savedAt(fd), savedAt(fd) + savedBytes);

export function forgetSaved(client: HttpClient): void {
  client.savedBytes = 0;
  client.savedApart = null;
}
