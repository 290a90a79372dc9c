/**
 * Against llhttp in strict mode: whatever passes here it accepts and frames alike, as it came and as it is sent on. So no
 * server with that parser sees another request than was judged, and no client another response.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dechunk, isChunkedComplete, scanChunked, startChunkedScan } from '../../../src/wire/chunked-body.ts';
import { createClientFields } from '../../../src/wire/http1/client-fields.ts';
import {
  CHUNKED,
  FIELD_SHIFT,
  Field,
  FieldFlag,
  Method,
  type MessageHead,
  UNTIL_CLOSE,
  createMessageHead,
  isLastMessage,
  latin1Text,
  targetText,
} from '../../../src/wire/http1/head.ts';
import { parseRequest } from '../../../src/wire/http1/request.ts';
import { parseResponse } from '../../../src/wire/http1/response.ts';
import { writeRequestHead, writeResponseHead } from '../../../src/wire/http1/write.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { chunkedBodies, requestHeads, responseHeads } from './http1-arbitrary.ts';
import { LLHTTP_METHODS, type SeenMessage, readByLlhttp } from './llhttp.ts';

const RUNS = { numRuns: 3000 };
const NEXT_REQUEST = Buffer.from('GET /next HTTP/1.1\r\nHost: next\r\n\r\n');
const NEXT_RESPONSE = Buffer.from('HTTP/1.1 299 Next\r\nContent-Length: 0\r\n\r\n');
const head = createMessageHead();
const CLIENT = createClientFields(parseIpAddress('192.0.2.1')!, 'http');

interface Body {
  /** As it is in the connection. */
  readonly framed: Buffer;
  readonly data: Buffer;
}

/** A body as the head says it; undefined when the chunked one is malformed or does not end with its bytes. */
function bodyFor(bodyBytes: number, chunked: string): Body | undefined {
  if (bodyBytes !== CHUNKED) {
    const data = Buffer.alloc(bodyBytes === UNTIL_CLOSE ? 7 : bodyBytes, 'x');
    return { framed: data, data };
  }
  const framed = Buffer.from(chunked, 'latin1');
  const scan = startChunkedScan();
  if (scanChunked(scan, framed) !== framed.length || !isChunkedComplete(scan)) return undefined;
  const moved = Buffer.from(framed);
  return { framed, data: moved.subarray(0, dechunk(startChunkedScan(), moved, 0, moved.length)) };
}

/** The body is complete with its last byte, and not before. */
function checkEnd(kind: 'request' | 'response', sent: Uint8Array, body: Body, isToHead = false): void {
  if (body.framed.length === 0) return;
  const bytes = Buffer.concat([sent, body.framed]);
  const { messages, error } = readByLlhttp(kind, [bytes.subarray(0, bytes.length - 1)], { isToHead });
  assert.equal(error, undefined);
  assert.deepEqual(
    messages.map(({ isComplete }) => isComplete),
    [false],
  );
}

function bufferOf(text: string): Buffer {
  const bytes = Buffer.alloc(text.length + 8192);
  bytes.write(text, 'latin1');
  return bytes;
}

const hasSpacedField = ({ fields, fieldCount }: MessageHead) =>
  Array.from({ length: fieldCount }, (_, i) => fields[(i << FIELD_SHIFT) + Field.flags]).some(
    (flags) => (flags & FieldFlag.spaced) !== 0,
  );

const lineOf = ({ method, target, status }: SeenMessage) => [method, target, status];

test('requests', () => {
  let compared = 0;
  fc.assert(
    fc.property(requestHeads, chunkedBodies, (text, chunked) => {
      const bytes = bufferOf(text);
      const end = parseRequest(head, bytes, 0, text.length);
      if (end <= 0) return;
      const method = latin1Text(bytes, head.start, head.methodEnd);
      const body = bodyFor(head.bodyBytes, chunked);
      if (!LLHTTP_METHODS.has(method) || body === undefined) return;
      compared++;
      const written = writeRequestHead(head, bytes, end, bytes.length, CLIENT, 0);
      const sent = bytes.subarray(end, written);
      const seen = readByLlhttp('request', [Buffer.concat([sent, body.framed]), NEXT_REQUEST]);
      assert.equal(seen.error, undefined, sent.toString('latin1'));
      assert.deepEqual(seen.messages.map(lineOf), [
        [method, targetText(head, bytes), undefined],
        ['GET', '/next', undefined],
      ]);
      assert.deepEqual(seen.messages[0].body, body.data);
      assert.ok(seen.messages[0].isComplete);
      checkEnd('request', sent, body);
      // As it came. It knows no later version of HTTP/1, and reads "chunked" with a tab behind it as another coding.
      if (/ HTTP\/1\.[2-9]\r/.test(text) || head.rewritesCodings) return;
      const raw = readByLlhttp('request', [Buffer.concat([bytes.subarray(0, end), body.framed])]);
      assert.equal(raw.error, undefined);
      assert.deepEqual(raw.messages.length, 1);
      assert.deepEqual(raw.messages[0].body, body.data);
      // After Upgrade it leaves the rest to the caller.
      if (!head.connectionUpgrade) assert.ok(raw.messages[0].isComplete);
    }),
    RUNS,
  );
  assert.ok(compared > RUNS.numRuns / 8, `${compared}`);
});

test('responses', () => {
  let compared = 0;
  fc.assert(
    fc.property(responseHeads, chunkedBodies, fc.boolean(), (text, chunked, isToHead) => {
      const bytes = bufferOf(text);
      const end = parseResponse(head, bytes, 0, text.length, isToHead ? Method.head : Method.get);
      if (end <= 0) return;
      const body = bodyFor(head.bodyBytes, chunked);
      if (body === undefined) return;
      compared++;
      const ends = head.bodyBytes === UNTIL_CLOSE;
      const written = writeResponseHead(head, bytes, end, bytes.length, 0, 0);
      const sent = bytes.subarray(end, written);
      const pieces = [Buffer.concat([sent, body.framed]), ...(ends ? [] : [NEXT_RESPONSE])];
      const seen = readByLlhttp('response', pieces, { isToHead, ends });
      assert.equal(seen.error, undefined, sent.toString('latin1'));
      assert.deepEqual(
        seen.messages.map(({ status }) => status),
        ends ? [head.status] : [head.status, 299],
      );
      assert.deepEqual(seen.messages[0].body, body.data);
      assert.ok(seen.messages[0].isComplete);
      checkEnd('response', sent, body, isToHead);
      // As it came. What is mended here it refuses, or reads differently ("chunked" with a tab behind it, or a comma).
      if (head.rewritesLength || head.rewritesCodings || hasSpacedField(head)) return;
      if (/^HTTP\/1\.[2-9]/.test(text) || head.status < 200 || head.status === 204) return;
      const whole = Buffer.concat([bytes.subarray(0, end), body.framed]);
      const raw = readByLlhttp('response', [whole], { isToHead, ends: ends || isLastMessage(head) });
      assert.equal(raw.error, undefined);
      assert.equal(raw.messages.length, 1);
      assert.deepEqual(raw.messages[0].body, body.data);
    }),
    RUNS,
  );
  assert.ok(compared > RUNS.numRuns / 8, `${compared}`);
});

const POST = Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');

test('chunked bodies', () => {
  let compared = 0;
  fc.assert(
    fc.property(chunkedBodies, (text) => {
      const bytes = Buffer.from(text, 'latin1');
      const scan = startChunkedScan();
      const length = scanChunked(scan, bytes);
      if (length < 0) return;
      // Complete or not, it sees as much data in the bytes that were taken.
      const taken = bytes.subarray(0, length);
      const isComplete = isChunkedComplete(scan);
      const moved = Buffer.from(taken);
      const data = moved.subarray(0, dechunk(startChunkedScan(), moved, 0, length));
      const seen = readByLlhttp('request', [
        Buffer.concat([POST, taken]),
        ...(isComplete ? [NEXT_REQUEST] : []),
      ]);
      assert.equal(seen.error, undefined);
      assert.deepEqual(seen.messages[0].body, data);
      assert.equal(seen.messages[0].isComplete, isComplete);
      if (isComplete) compared++;
    }),
    RUNS,
  );
  assert.ok(compared > RUNS.numRuns / 4, `${compared}`);
});
