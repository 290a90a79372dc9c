/** What is sent on of a head, byte by byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClientFields } from '../../../src/wire/http1/client-fields.ts';
import { Method, type MethodId, createMessageHead } from '../../../src/wire/http1/head.ts';
import { parseRequest } from '../../../src/wire/http1/request.ts';
import { parseResponse } from '../../../src/wire/http1/response.ts';
import {
  ConnectionOption,
  ResponseOption,
  boundWrittenHead,
  writeRequestHead,
  writeResponseHead,
} from '../../../src/wire/http1/write.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';

const head = createMessageHead();
const bytes = Buffer.alloc(65_536);
const CLIENT = createClientFields(parseIpAddress('192.0.2.1')!, 'http');
const lines = (text: string) => text.split('\r\n');

/** The lines that are sent on of a request, without those that are always added. */
function sent(request: readonly string[], connection: number = ConnectionOption.none): string[] {
  const length = bytes.write(`${request.join('\r\n')}\r\n\r\n`, 'latin1');
  assert.equal(parseRequest(head, bytes, 0, length), length, `${head.fault?.reason}`);
  const end = writeRequestHead(head, bytes, length, bytes.length, CLIENT, connection);
  assert.ok(end - length <= boundWrittenHead(head, CLIENT.length));
  return lines(bytes.toString('latin1', length, end));
}
const isOurs = (line: string) => /^(X-Forwarded-.*|X-Real-IP|Forwarded|Via): |^$/.test(line);
const passed = (request: readonly string[], connection?: number) =>
  sent(request, connection).filter((line) => !isOurs(line));

function answered(response: string[], connection = 0, options = 0, method: MethodId = Method.get): string[] {
  const length = bytes.write([...response, '', ''].join('\r\n'), 'latin1');
  assert.equal(parseResponse(head, bytes, 0, length, method), length, `${head.fault?.reason}`);
  const end = writeResponseHead(head, bytes, length, bytes.length, connection, options);
  assert.ok(end - length <= boundWrittenHead(head, 0));
  return lines(bytes.toString('latin1', length, end));
}

test('a whole request', () => {
  assert.deepEqual(
    sent(['GET /a HTTP/1.1', 'Accept: */*', 'host:  A.example:80 ', 'Connection: close', 'Via: 1.1 x']),
    [
      'GET /a HTTP/1.1',
      'Host: A.example:80',
      'Accept: */*',
      'Via: 1.1 x',
      'X-Forwarded-For: 192.0.2.1',
      'X-Real-IP: 192.0.2.1',
      'X-Forwarded-Proto: http',
      'Forwarded: for=192.0.2.1;proto=http;host="A.example:80"',
      'X-Forwarded-Host: A.example:80',
      'Via: 1.1 tombolo',
      '',
      '',
    ],
  );
});

test('a client with an IPv6 address, and a request that came by TLS', () => {
  const fields = createClientFields(parseIpAddress('2001:db8::1')!, 'https');
  assert.deepEqual(lines(Buffer.from(fields).toString('latin1')), [
    'X-Forwarded-For: 2001:db8::1',
    'X-Real-IP: 2001:db8::1',
    'X-Forwarded-Proto: https',
    'Forwarded: for="[2001:db8::1]";proto=https;host="',
  ]);
});

const HOST = 'Host: a.example';
const FIRST = ['GET / HTTP/1.1', HOST];

test('the request line', () => {
  for (const [received, expected] of [
    ['GET / HTTP/1.0', 'GET / HTTP/1.1'],
    ['GET / HTTP/1.9', 'GET / HTTP/1.1'],
    ['GET http://b.example HTTP/1.1', 'GET / HTTP/1.1'],
    ['BREW http://b.example?x HTTP/1.0', 'BREW /?x HTTP/1.1'],
    ['GET HTTP://b.example:80/x?y HTTP/1.1', 'GET /x?y HTTP/1.1'],
    ['OPTIONS http://b.example HTTP/1.1', 'OPTIONS * HTTP/1.1'],
    ['OPTIONS * HTTP/1.1', 'OPTIONS * HTTP/1.1'],
  ] as const) {
    assert.equal(sent([received, HOST])[0], expected);
    assert.equal(sent(['', received, HOST])[0], expected);
  }
  assert.equal(sent(['GET http://b.example/ HTTP/1.1', HOST])[1], 'Host: b.example');
  assert.ok(sent(['GET / HTTP/1.0', HOST]).includes('Via: 1.0 tombolo'));
});

test('Connection as the caller says', () => {
  const { close, keepAlive, upgrade } = ConnectionOption;
  const asked = [...FIRST, 'Connection: Upgrade, keep-alive', 'Upgrade: foo, WebSocket'];
  assert.deepEqual(passed(asked), FIRST);
  assert.deepEqual(passed(asked, close), [...FIRST, 'Connection: close']);
  assert.deepEqual(passed(asked, keepAlive), [...FIRST, 'Connection: keep-alive']);
  assert.deepEqual(passed(asked, upgrade), [...FIRST, 'Upgrade: websocket', 'Connection: Upgrade']);
  const other = [...FIRST, 'Connection: upgrade', 'Upgrade: foo/2'];
  assert.deepEqual(passed(other, upgrade), [...FIRST, 'Upgrade: foo/2', 'Connection: Upgrade']);
});

/** Fields that pass, and that do not. */
const DROPPED = [
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'TE: trailers',
  'HTTP2-Settings: AAMAAABkAAQAAP__',
  'Upgrade: h2c',
  'Proxy-Authorization: Basic eA==',
  'X-Forwarded-For: 198.51.100.1',
  'x-forwarded-anything: x',
  'X_Forwarded_For: 198.51.100.1',
  'X.Forwarded+For: 198.51.100.1',
  'X-Real_IP: 198.51.100.1',
  'X_REAL_IP: 198.51.100.1',
  'Forwarded: for=198.51.100.1',
  'CF-Connecting-IP: 198.51.100.1',
  'cf_connecting_ip: 198.51.100.1',
  'True-Client-IP: 198.51.100.1',
  'Proxy: http://198.51.100.1/',
  'X-Original-URL: /admin',
  'X_Rewrite_URL: /admin',
  'Front-End-Https: on',
  'Remote-User: root',
  'X-Remote-User: root',
  'X-SSL-Client-Verify: SUCCESS',
  'X-Auth-Request-Email: root@a.example',
  'Client-Cert: :eA==:',
  'Content_Length: 5',
  'Transfer_Encoding: chunked',
  'Sec_WebSocket_Key: x',
];
const PASSING = [
  'Accept: */*',
  'Authorization: Basic eA==',
  'Cookie: a=b',
  'Upgrade-Insecure-Requests: 1',
  'X-Requested-With: XMLHttpRequest',
  'X-Forward: x',
  'X-Forwarded0: x',
  'Ho_st: x',
  'User_Agent: x',
  'Trailer: A',
  'Expect: 100-continue',
  'Max-Forwards: 5',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'CDN-Loop: x',
  'Proxy-Status: x',
  'A:',
  'A: \xe9',
];

test('fields that pass keep their bytes and their order; the others do not arrive', () => {
  for (const field of DROPPED) assert.deepEqual(passed([...FIRST, field]), FIRST, field);
  assert.deepEqual(passed([...FIRST, ...PASSING]), [...FIRST, ...PASSING]);
  const mixed = PASSING.flatMap((field, i) => [field, DROPPED[i]]);
  assert.deepEqual(passed(['GET / HTTP/1.1', ...mixed, HOST]), [...FIRST, ...PASSING]);
});

test('what Connection names does not pass', () => {
  const fields = ['X-A: 1', 'x-b: 2', 'X-C: 3', 'X_A: 4'];
  assert.deepEqual(passed([...FIRST, ...fields, 'Connection: x-a, close,X-B', 'Connection: y']), [
    ...FIRST,
    'X-C: 3',
    'X_A: 4',
  ]);
  assert.ok(head.hasNominations && head.connectionClose);
});

test('Max-Forwards of OPTIONS and TRACE is one less', () => {
  for (const [method, fields, expected] of [
    ['OPTIONS', ['Max-Forwards: 10'], ['Max-Forwards: 9']],
    ['TRACE', ['Max-Forwards: 1'], ['Max-Forwards: 0']],
    ['TRACE', ['Max-Forwards: 5', 'Max-Forwards: 3'], ['Max-Forwards: 2']],
    ['TRACE', ['Max-Forwards: 99999999999999999999'], ['Max-Forwards: 999999998']],
    ['TRACE', ['Max-Forwards: x'], ['Max-Forwards: x']],
    ['GET', ['Max-Forwards: 10'], ['Max-Forwards: 10']],
    ['TRACE', [], []],
  ] as [string, string[], string[]][]) {
    assert.deepEqual(passed([`${method} / HTTP/1.1`, HOST, ...fields]).slice(2), expected);
  }
});

test('the framing arrives in its plain form, which no parser reads differently', () => {
  for (const [received, expected] of [
    ['Content-Length: 5', 'Content-Length: 5'],
    ['CONTENT-LENGTH: 5', 'CONTENT-LENGTH: 5'],
    ['Content-Length:5', 'Content-Length: 5'],
    ['Content-Length: 5 ', 'Content-Length: 5'],
    ['Content-Length:\t5', 'Content-Length: 5'],
    ['Content-Length: 010', 'Content-Length: 10'],
    ['Content-Length: 00', 'Content-Length: 0'],
    ['Content-Length: 999999999999999', 'Content-Length: 999999999999999'],
    ['Transfer-Encoding: Chunked', 'Transfer-Encoding: Chunked'],
    ['Transfer-Encoding:chunked', 'Transfer-Encoding: chunked'],
    // llhttp reads this as another coding.
    ['Transfer-Encoding: chunked\t', 'Transfer-Encoding: chunked'],
  ]) {
    assert.deepEqual(passed([...FIRST, received]), [...FIRST, expected]);
    assert.deepEqual(passed([...FIRST, received, 'A: 1']).sort(), [...FIRST, expected, 'A: 1'].sort());
  }
});

test('Expect of HTTP/1.0 means nothing', () => {
  assert.deepEqual(passed(['GET / HTTP/1.0', HOST, 'Expect: 100-continue']), FIRST);
  assert.equal(head.expectsContinue, false);
  passed([...FIRST, 'Expect: 100-Continue']);
  assert.equal(head.expectsContinue, true);
});

test('it fits, or nothing is written', () => {
  const length = bytes.write([...FIRST, '', ''].join('\r\n'), 'latin1');
  parseRequest(head, bytes, 0, length);
  const bound = boundWrittenHead(head, CLIENT.length);
  assert.equal(writeRequestHead(head, bytes, 1000, 999 + bound, CLIENT, 0), -1);
  assert.ok(writeRequestHead(head, bytes, 1000, 1000 + bound, CLIENT, 7) > 0);
});

const OK = 'HTTP/1.1 200 OK';
const VIA = 'Via: 1.1 tombolo';

test('responses', () => {
  const { close, upgrade } = ConnectionOption;
  const switched = 'HTTP/1.1 101 Switching Protocols';
  for (const [received, connection, expected] of [
    [[OK, 'Content-Length: 3'], 0, [OK, 'Content-Length: 3', VIA]],
    [['HTTP/1.0 404'], close, ['HTTP/1.1 404 ', 'Via: 1.0 tombolo', 'Connection: close']],
    [['HTTP/1.9 200 \xe9 '], 0, ['HTTP/1.1 200 \xe9 ', VIA]],
    [[OK, 'A: 1', 'Connection: X-B', 'Keep-Alive: x', 'X-B: 2', 'C: 3'], 0, [OK, 'A: 1', 'C: 3', VIA]],
    [[OK, 'A \t:  1', 'B: 2', 'C : 3 ', 'D:4'], 0, [OK, 'A: 1', 'B: 2', 'C: 3', 'D:4', VIA]],
    [[OK, 'Content-Length : 3'], 0, [OK, 'Content-Length: 3', VIA]],
    [[OK, 'Content-Length: 3', 'A: 1', 'Content-Length: 3'], 0, [OK, 'A: 1', 'Content-Length: 3', VIA]],
    [[OK, 'Content-Length: 120 , 120'], 0, [OK, 'Content-Length: 120', VIA]],
    [[OK, 'Content-Length: ,3'], 0, [OK, 'Content-Length: 3', VIA]],
    [[OK, 'Content-Length:3', 'A: 1'], 0, [OK, 'A: 1', 'Content-Length: 3', VIA]],
    [[OK, 'Content-Length: 010'], 0, [OK, 'Content-Length: 10', VIA]],
    [[OK, 'content-length: 0'], 0, [OK, 'content-length: 0', VIA]],
    [[OK, 'Transfer-Encoding: CHUNKED', 'A: 1'], 0, [OK, 'A: 1', 'Transfer-Encoding: chunked', VIA]],
    [[OK, 'Transfer-Encoding: chunked\t', 'A: 1'], 0, [OK, 'A: 1', 'Transfer-Encoding: chunked', VIA]],
    [[OK, 'Transfer-Encoding: chunked,'], 0, [OK, 'Transfer-Encoding: chunked', VIA]],
    [
      [OK, 'Transfer-Encoding: x ,, gzip', 'A: 1', 'Transfer-Encoding : chunked'],
      0,
      [OK, 'A: 1', 'Transfer-Encoding: x,gzip,chunked', VIA],
    ],
    [[OK, 'Transfer-Encoding:'], 0, [OK, VIA]],
    [['HTTP/1.1 204 x', 'Transfer-Encoding:chunked'], 0, ['HTTP/1.1 204 x', VIA]],
    [[OK, 'Proxy-Authenticate: Basic'], 0, [OK, VIA]],
    [[OK, 'X_Real_IP: 1', 'X-Real-IP: 2'], 0, [OK, 'X_Real_IP: 1', 'X-Real-IP: 2', VIA]],
    [
      [switched, 'Upgrade: websocket', 'Connection: Upgrade'],
      upgrade,
      [switched, 'Upgrade: websocket', VIA, 'Connection: Upgrade'],
    ],
    [[switched, 'Upgrade: websocket'], 0, [switched, VIA]],
    [
      ['HTTP/1.1 426 x', 'Upgrade: foo', 'Upgrade: bar'],
      close | upgrade,
      ['HTTP/1.1 426 x', 'Upgrade: foo', 'Upgrade: bar', VIA, 'Connection: close, Upgrade'],
    ],
    [['HTTP/1.1 204 x', 'Content-Length: 0'], 0, ['HTTP/1.1 204 x', VIA]],
    [['HTTP/1.1 103 x', 'Transfer-Encoding: chunked'], 0, ['HTTP/1.1 103 x', VIA]],
    [['HTTP/1.1 304 x', 'Content-Length: 9'], 0, ['HTTP/1.1 304 x', 'Content-Length: 9', VIA]],
  ] as [string[], number, string[]][]) {
    assert.deepEqual(answered(received, connection), [...expected, '', '']);
  }
});

test('a dechunked response', () => {
  assert.deepEqual(
    answered(
      ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Trailer: A', 'B: 1'],
      ConnectionOption.close,
      ResponseOption.dechunked,
    ),
    [OK, 'B: 1', VIA, 'Connection: close', '', ''],
  );
});
