/** The handshake of WebSocket, and that the usual path allocates nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restartChunkedScan, scanChunked, startChunkedScan } from '../../../src/wire/chunked-body.ts';
import { createClientFields } from '../../../src/wire/http1/client-fields.ts';
import { Method, createMessageHead } from '../../../src/wire/http1/head.ts';
import { parseRequest } from '../../../src/wire/http1/request.ts';
import { parseResponse } from '../../../src/wire/http1/response.ts';
import { opensWebSocket, webSocketKey } from '../../../src/wire/http1/websocket.ts';
import { writeRequestHead, writeResponseHead } from '../../../src/wire/http1/write.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';

const head = createMessageHead();
const bytesOf = (lines: readonly string[]) => Buffer.from([...lines, '', ''].join('\r\n'), 'latin1');

// RFC 6455 section 1.3 has this example.
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const FIELDS = [
  'Host: example.com',
  'Connection: keep-alive, Upgrade',
  'Upgrade: websocket',
  `Sec-WebSocket-Key: ${KEY}`,
  'Sec-WebSocket-Version: 13',
];
const without = (name: string) => FIELDS.filter((line) => !line.startsWith(name));

for (const [what, line, fields, isOne] of [
  ['as browsers send it', 'GET /chat HTTP/1.1', FIELDS, true],
  ['in capitals', 'GET /chat HTTP/1.1', [...without('Upgrade'), 'UPGRADE: WebSocket'], true],
  ['an explicit empty body', 'GET / HTTP/1.1', [...FIELDS, 'Content-Length: 0'], true],
  ['one of several protocols', 'GET / HTTP/1.1', [...without('Upgrade'), 'Upgrade: foo, websocket'], true],
  ['POST', 'POST / HTTP/1.1', FIELDS, false],
  ['HEAD', 'HEAD / HTTP/1.1', FIELDS, false],
  ['HTTP/1.0', 'GET / HTTP/1.0', FIELDS, false],
  ['a body', 'GET / HTTP/1.1', [...FIELDS, 'Content-Length: 1'], false],
  ['a chunked body', 'GET / HTTP/1.1', [...FIELDS, 'Transfer-Encoding: chunked'], false],
  ['no Connection', 'GET / HTTP/1.1', without('Connection'), false],
  ['Connection without upgrade', 'GET / HTTP/1.1', [...without('Connection'), 'Connection: close'], false],
  ['no Upgrade', 'GET / HTTP/1.1', without('Upgrade'), false],
  ['h2c', 'GET / HTTP/1.1', [...without('Upgrade'), 'Upgrade: h2c'], false],
  ['no key', 'GET / HTTP/1.1', without('Sec-WebSocket-Key'), false],
  ['a short key', 'GET / HTTP/1.1', [...without('Sec-WebSocket-Key'), 'Sec-WebSocket-Key: eA=='], false],
  ['two keys', 'GET / HTTP/1.1', [...FIELDS, `Sec-WebSocket-Key: ${KEY}`], false],
  ['no version', 'GET / HTTP/1.1', without('Sec-WebSocket-Version'), false],
  ['two versions', 'GET / HTTP/1.1', [...FIELDS, 'Sec-WebSocket-Version: 8'], false],
] as [string, string, string[], boolean][]) {
  test(`WebSocket request: ${what}: ${isOne ? 'one' : 'none'}`, () => {
    const bytes = bytesOf([line, ...fields]);
    assert.equal(parseRequest(head, bytes, 0, bytes.length), bytes.length);
    assert.equal(webSocketKey(head, bytes), isOne ? KEY : undefined);
  });
}

const SWITCHED = ['Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Accept: ${ACCEPT}`];

for (const [what, lines, opens] of [
  ['as servers say it', ['HTTP/1.1 101 Switching Protocols', ...SWITCHED], true],
  ['without its fields', ['HTTP/1.1 101 Switching Protocols'], false],
  ['to h2c', ['HTTP/1.1 101 Switching Protocols', SWITCHED[0], 'Upgrade: h2c', SWITCHED[2]], false],
  [
    'for another key',
    ['HTTP/1.1 101 Switching Protocols', ...SWITCHED.slice(0, 2), `Sec-WebSocket-Accept: ${KEY}`],
    false,
  ],
  ['two accepts', ['HTTP/1.1 101 Switching Protocols', ...SWITCHED, SWITCHED[2]], false],
  ['HTTP/1.0', ['HTTP/1.0 101 Switching Protocols', ...SWITCHED], false],
  ['200', ['HTTP/1.1 200 OK', ...SWITCHED], false],
] as [string, string[], boolean][]) {
  test(`WebSocket answer: ${what}: ${opens ? 'opens' : 'opens nothing'}`, () => {
    const bytes = bytesOf(lines);
    assert.equal(parseResponse(head, bytes, 0, bytes.length, Method.get), bytes.length);
    assert.equal(opensWebSocket(head, bytes, KEY), opens);
  });
}

test('the usual path allocates nothing', () => {
  const bytes = Buffer.alloc(8192);
  let length = 0;
  const put = (...lines: string[]): [from: number, to: number] => {
    const from = length;
    length += bytesOf(lines).copy(bytes, from);
    return [from, length];
  };
  const [getFrom, getTo] = put(
    'GET /a?b HTTP/1.1',
    ...FIELDS,
    'Connection: X-A',
    'X-A: b',
    'X-Forwarded-For: x',
  );
  const [postFrom, postTo] = put(
    'POST http://b.example HTTP/1.1',
    'Host: a',
    'Content-Length:5',
    'Expect: x',
  );
  const [okFrom, okTo] = put(
    'HTTP/1.1 200 OK',
    'Keep-Alive: timeout=5',
    'Connection: keep-alive',
    'Content-Length: 5',
  );
  const [chunkedFrom, chunkedTo] = put('5;a=b', 'hello', '0', 'A: b');
  const client = createClientFields(parseIpAddress('192.0.2.1')!, 'http');
  const scan = startChunkedScan();
  const exchange = () => {
    parseRequest(head, bytes, getFrom, getTo);
    writeRequestHead(head, bytes, 4096, 8192, client, 0);
    parseRequest(head, bytes, postFrom, postTo);
    writeRequestHead(head, bytes, 4096, 8192, client, 0);
    parseResponse(head, bytes, okFrom, okTo, Method.get);
    writeResponseHead(head, bytes, 4096, 8192, 0, 0);
    restartChunkedScan(scan);
    scanChunked(scan, bytes, chunkedFrom, chunkedTo);
  };
  const count = 50_000;
  for (let i = 0; i < count; i++) exchange();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < count; i++) exchange();
  // One object for each exchange would be at least 0.8 MB.
  assert.ok(process.memoryUsage().heapUsed - before < 400_000);
});
