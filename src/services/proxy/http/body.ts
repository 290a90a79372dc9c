/** The body of a message (RFC 9112 section 6): where it ends. */
import {
  type ChunkedScan,
  dechunk,
  isChunkedComplete,
  restartChunkedScan,
  scanChunked,
  startChunkedScan,
} from '../../../wire/chunked-body.ts';
import { CHUNKED, UNTIL_CLOSE } from '../../../wire/http1/head.ts';
import { buffer } from './buffer.ts';

/** Used again for each message. */
export interface Body {
  /** Bytes that are still to come; -1: until the sender closes. Not used if it is chunked. */
  remaining: number;
  isChunked: boolean;
  /** The recipient knows no chunked coding (HTTP/1.0): only the data passes. */
  isDechunked: boolean;
  /** Made for the first chunked message. */
  scan: ChunkedScan | null;
  /** How many bytes of the last piece are to be sent on. */
  passing: number;
}

export const createBody = (): Body => ({
  remaining: 0,
  isChunked: false,
  isDechunked: false,
  scan: null,
  passing: 0,
});

/** `bodyBytes`: as in the head of the message. */
export function startBody(body: Body, bodyBytes: number, isDechunked: boolean): void {
  body.isChunked = bodyBytes === CHUNKED;
  body.isDechunked = body.isChunked && isDechunked;
  body.remaining = body.isChunked ? 0 : bodyBytes === UNTIL_CLOSE ? -1 : bodyBytes;
  if (!body.isChunked) return;
  if (body.scan === null) body.scan = startChunkedScan();
  else restartChunkedScan(body.scan);
}

export const isWhole = ({ remaining, isChunked, scan }: Body): boolean =>
  isChunked ? isChunkedComplete(scan!) : remaining === 0;

/** How many of these bytes of the buffer belong to the body; -1 if they are malformed. `body.passing` of them are to be sent. */
export function takeBody(body: Body, from: number, to: number): number {
  if (body.isDechunked) {
    body.passing = dechunk(body.scan!, buffer, from, to);
    return body.passing < 0 ? -1 : body.scan!.consumed;
  }
  const taken = countBody(body, from, to);
  body.passing = taken;
  return taken;
}

function countBody(body: Body, from: number, to: number): number {
  if (body.isChunked) return scanChunked(body.scan!, buffer, from, to);
  if (body.remaining < 0) return to - from;
  const taken = Math.min(to - from, body.remaining);
  body.remaining -= taken;
  return taken;
}
