/** The body of a message (RFC 9112 section 6): where it ends. */
import { type ChunkedScan, isChunkedComplete, resetChunkedScan, scanChunked, startChunkedScan, unchunk } from '../../../wire/chunked-body.ts';
import { CHUNKED, UNTIL_CLOSE } from '../../../wire/http1/head.ts';
import { buffer } from './buffer.ts';

/** Used again for each message. */
export interface Body {
  /** Bytes that are still to come; -1: until the sender closes. Not used when it is chunked. */
  remaining: number;
  isChunked: boolean;
  /** The recipient knows no chunked coding (HTTP/1.0): only the data passes. */
  isUnchunked: boolean;
  /** Made for the first chunked message. */
  scan: ChunkedScan | null;
}

export const createBody = (): Body => ({ remaining: 0, isChunked: false, isUnchunked: false, scan: null });

/** `bodyBytes`: of the message's head. */
export function startBody(body: Body, bodyBytes: number, isUnchunked: boolean): void {
  body.isChunked = bodyBytes === CHUNKED;
  body.isUnchunked = body.isChunked && isUnchunked;
  body.remaining = body.isChunked ? 0 : bodyBytes === UNTIL_CLOSE ? -1 : bodyBytes;
  if (!body.isChunked) return;
  if (body.scan === null) body.scan = startChunkedScan();
  else resetChunkedScan(body.scan);
}

export const isWhole = ({ remaining, isChunked, scan }: Body): boolean =>
  isChunked ? isChunkedComplete(scan!) : remaining === 0;

/** How many of these bytes of the buffer belong to the body; -1 when they are malformed. */
export function takeBody(body: Body, from: number, to: number): number {
  if (body.isChunked) return scanChunked(body.scan!, buffer, from, to);
  if (body.remaining < 0) return to - from;
  const taken = Math.min(to - from, body.remaining);
  body.remaining -= taken;
  return taken;
}
