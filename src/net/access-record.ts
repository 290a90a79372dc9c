/**
 * The record of the access log about one request or connection, as the worker writes it into the ring (runtime/byte-ring.ts) and
 * the main thread reads it (access-line.ts). It has no value of a header field except the host, and no query string.
 */
import { SOCKADDR_BYTES } from '../os/socket-address.ts';

/** What is written down of a server, or of everything that reaches no server. */
export const AccessLevel = { off: 0, errors: 1, all: 2 } as const;
export type AccessLevelId = (typeof AccessLevel)[keyof typeof AccessLevel];

/** Offsets in bytes. */
export const Place = {
  /** When it ended: milliseconds since 1970. */
  time: 0,
  bytesUp: 8,
  bytesDown: 16,
  /** Of the connection, as in the events. */
  number: 24,
  durationMs: 28,
  /** Until the server was reached, and until its answer began; -1: never. */
  connectMs: 32,
  firstByteMs: 36,
  /** Position of the counter that counted the end; -1 for none. */
  reason: 40,
  /** 0: no answer. */
  status: 44,
  flags: 48,
  /** Lengths of listener, server and method: a byte each. */
  lengths: 52,
  /** Of name and path: two bytes each, in one word. */
  longLengths: 56,
  peer: 60,
  /** Listener, server, method, name, path. */
  texts: 60 + SOCKADDR_BYTES,
} as const;

export const AccessFlag = {
  /** A request of HTTP; else a connection. */
  request: 1,
  /** We answered ourselves. */
  own: 2,
  /** The request went over a connection to the server that had been used before. */
  reused: 4,
  /** It was sent again, because the server had closed such a connection. */
  retried: 8,
  /** It became a tunnel (101). */
  upgraded: 16,
  http10: 32,
  http11: 64,
  /** The text was longer. */
  methodCut: 128,
  nameCut: 256,
  pathCut: 512,
} as const;

/** The most bytes of a text that are kept. */
export const MAX_METHOD_BYTES = 32;
export const MAX_NAME_BYTES = 255;
export const MAX_PATH_BYTES = 512;
const MAX_LABEL_BYTES = 63;
/** Of a request: method, name and path. */
export const REQUEST_TEXT_BYTES = MAX_METHOD_BYTES + MAX_NAME_BYTES + MAX_PATH_BYTES;
export const MAX_RECORD_BYTES = Place.texts + 2 * MAX_LABEL_BYTES + REQUEST_TEXT_BYTES;

/** Writes the characters of a text that are in Latin-1; names of the configuration and host names are ASCII. Returns its length. */
export function putLatin1(bytes: Uint8Array, at: number, text: string, most: number): number {
  const length = Math.min(text.length, most);
  for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
  return length;
}

export const putLabel = (bytes: Uint8Array, at: number, text: string): number =>
  putLatin1(bytes, at, text, MAX_LABEL_BYTES);
