/**
 * Messages of HTTP/1.1 as the proxy sends them on: from any bytes either nothing, or one message with the framing that was
 * judged. "One" is what the parser itself and llhttp see in what was written.
 */
import assert from 'node:assert/strict';
import { dechunk, isChunkedComplete, scanChunked, startChunkedScan } from '../../src/wire/chunked-body.ts';
import { createClientFields } from '../../src/wire/http1/client-fields.ts';
import {
  CHUNKED,
  Method,
  type MethodId,
  UNTIL_CLOSE,
  createMessageHead,
  hostText,
  latin1Text,
} from '../../src/wire/http1/head.ts';
import { parseRequest } from '../../src/wire/http1/request.ts';
import { parseResponse } from '../../src/wire/http1/response.ts';
import { boundWrittenHead, writeRequestHead, writeResponseHead } from '../../src/wire/http1/write.ts';
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { LLHTTP_METHODS, readByLlhttp } from '../unit/wire/llhttp.ts';
import { type FuzzTarget, text } from './target.ts';

const head = createMessageHead();
const again = createMessageHead();
const CLIENT = createClientFields(parseIpAddress('192.0.2.1')!, 'http');
const END = Buffer.from('\r\n\r\n');
const ROOM = 4096;
/** Longer ones are not worth the time. */
const LONGEST_BODY = 1000;

/** The bytes, an end of a head behind them, and room for what is written. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, END, Buffer.alloc(bytes.length + ROOM)]);
}

/** A body that is as the head says, and its data; the chunked one is what follows the head in the input, if that is whole. */
function bodyFor(bodyBytes: number, rest: Uint8Array): { framed: Buffer; data: Buffer } | undefined {
  if (bodyBytes !== CHUNKED) {
    const length = bodyBytes === UNTIL_CLOSE ? rest.length : bodyBytes;
    if (length > LONGEST_BODY) return undefined;
    const data = Buffer.alloc(length, 'x');
    return { framed: data, data };
  }
  const scan = startChunkedScan();
  const length = scanChunked(scan, rest);
  if (length < 0 || !isChunkedComplete(scan)) return undefined;
  const framed = Buffer.from(rest.subarray(0, length));
  const data = Buffer.from(framed);
  return { framed, data: data.subarray(0, dechunk(startChunkedScan(), data, 0, data.length)) };
}

/** Wherever the bytes are cut, the verdict is the same. */
function checkCut(parse: (to: number, seen: number) => number, length: number, whole: number): void {
  const cut = length >>> 1;
  const first = parse(cut, 0);
  assert.equal(first === 0 ? parse(length, cut) : first, whole);
}

function request(input: Uint8Array): void {
  const bytes = bufferOf(input);
  const length = input.length + END.length;
  const whole = parseRequest(head, bytes, 0, length);
  checkCut((to, seen) => parseRequest(again, bytes, 0, to, seen), length, whole);
  if (whole <= 0) {
    assert.equal(whole === -1, head.fault !== null);
    return;
  }
  assert.match(hostText(head, bytes), /^[a-z0-9._-]+$|^\[[0-9a-f:.]+\]$/);
  const from = length;
  const end = writeRequestHead(head, bytes, from, bytes.length, CLIENT, 0);
  assert.ok(end > from && end - from <= boundWrittenHead(head, CLIENT.length));
  // Read again it is the same request.
  assert.equal(parseRequest(again, bytes, from, end), end, `${again.fault?.reason}`);
  for (const key of ['method', 'bodyBytes', 'contentLength', 'isChunked', 'expectsContinue'] as const)
    assert.equal(again[key], head[key]);
  assert.deepEqual(
    [again.rewritesLength, again.rewritesCodings, again.hasNominations],
    [false, false, false],
  );
  assert.deepEqual([again.connectionClose, again.connectionUpgrade, again.isAbsolute], [false, false, false]);
  const method = latin1Text(bytes, head.start, head.methodEnd);
  const body = bodyFor(head.bodyBytes, bytes.subarray(whole, length));
  if (body === undefined || !LLHTTP_METHODS.has(method)) return;
  const seen = readByLlhttp('request', [Buffer.concat([bytes.subarray(from, end), body.framed])]);
  assert.equal(seen.error, undefined);
  assert.deepEqual(
    seen.messages.map((message) => [message.method, message.target, message.isComplete]),
    [[method, latin1Text(bytes, again.targetStart, again.targetEnd), true]],
  );
  assert.deepEqual(seen.messages[0].body, body.data);
}

const toMethod = (method: MethodId) => (input: Uint8Array) => {
  const bytes = bufferOf(input);
  const length = input.length + END.length;
  const whole = parseResponse(head, bytes, 0, length, method);
  checkCut((to, seen) => parseResponse(again, bytes, 0, to, method, seen), length, whole);
  if (whole <= 0) {
    assert.equal(whole === -1, head.fault !== null);
    return;
  }
  const from = length;
  const end = writeResponseHead(head, bytes, from, bytes.length, 0, 0);
  assert.ok(end > from && end - from <= boundWrittenHead(head, 0));
  assert.equal(parseResponse(again, bytes, from, end, method), end, `${again.fault?.reason}`);
  for (const key of ['status', 'bodyBytes'] as const) assert.equal(again[key], head[key]);
  assert.deepEqual(
    [again.rewritesLength, again.hasNominations, again.connectionClose],
    [false, false, false],
  );
  const body = bodyFor(head.bodyBytes, bytes.subarray(whole, length));
  // To 101 it knows no end.
  if (body === undefined || head.status === 101) return;
  const seen = readByLlhttp('response', [Buffer.concat([bytes.subarray(from, end), body.framed])], {
    isToHead: method === Method.head,
    ends: head.bodyBytes === UNTIL_CLOSE,
  });
  assert.equal(seen.error, undefined);
  assert.deepEqual(
    seen.messages.map(({ status, isComplete }) => [status, isComplete]),
    [[head.status, true]],
  );
  assert.deepEqual(seen.messages[0].body, body.data);
};

const CHUNKS = '5;a="b"\r\nhello\r\n0\r\nA: b\r\n\r\n';

export const httpTargets = (): FuzzTarget[] => {
  const requests = text(
    'GET / HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl\r\nAccept: */*\r\n\r\n',
    'POST http://example.com:80/a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\nConnection: close, X-A\r\nX-A: b\r\n\r\n',
    'GET /ws HTTP/1.1\r\nHost: [2001:db8::1]:80\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    `PUT / HTTP/1.0\r\nHost: example.com\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n`,
    `PUT / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n\r\n${CHUNKS}`,
    'OPTIONS http://a HTTP/1.1\r\nhost:a\r\nMax-Forwards: 3\r\nX_Forwarded_For: x\r\nContent_Length: 5\r\n\r\n',
  );
  const responses = text(
    'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: keep-alive, X-A\r\nX-A: 1\r\n\r\n',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nServer : x\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
    'HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nContent-Length: 3, 3\r\n\r\n',
    'HTTP/1.0 404\r\nKeep-Alive: timeout=5\r\n\r\nbody',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nTransfer-Encoding: x\r\n\r\n',
  );
  return [
    { name: 'http1-request', seeds: requests, run: request },
    { name: 'http1-response', seeds: responses, run: toMethod(Method.get) },
    { name: 'http1-response-to-head', seeds: responses, run: toMethod(Method.head) },
  ];
};
