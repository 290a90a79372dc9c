/** Heads of requests, and what becomes of them: a table of verdicts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestFault } from '../../../src/wire/http1/fault.ts';
import {
  CHUNKED,
  Method,
  Upgrade,
  createMessageHead,
  findField,
  hostText,
  isLastMessage,
  targetText,
} from '../../../src/wire/http1/head.ts';
import { FieldName } from '../../../src/wire/http1/names.ts';
import { parseRequest } from '../../../src/wire/http1/request.ts';

const head = createMessageHead();

/** "target host body", "more", or the status with which it is refused. */
function verdict(text: string): string | number {
  const bytes = Buffer.from(text, 'latin1');
  const end = parseRequest(head, bytes, 0, bytes.length);
  if (end === 0) return 'more';
  if (end === -1) return head.fault?.status ?? 0;
  const body = head.bodyBytes === CHUNKED ? 'chunked' : head.bodyBytes;
  return `${targetText(head, bytes)} ${hostText(head, bytes)} ${body}`;
}

const get = (...fields: string[]) => ['GET / HTTP/1.1', ...fields, '', ''].join('\r\n');
const post = (...fields: string[]) => ['POST / HTTP/1.1', 'Host: a.example', ...fields, '', ''].join('\r\n');
const line = (text: string) => `${text}\r\nHost: a.example\r\n\r\n`;
const host = (value: string) => get(`Host: ${value}`);
const PLAIN = '/ a.example 0';

const TABLE: readonly (readonly [title: string, bytes: string, verdict: string | number])[] = [
  // The request line: method, target, version.
  ['a plain request', line('GET / HTTP/1.1'), PLAIN],
  ['HTTP/1.0', line('GET / HTTP/1.0'), PLAIN],
  ['a later minor version', line('GET / HTTP/1.7'), PLAIN],
  ['an unknown method', line('BREW / HTTP/1.1'), PLAIN],
  ['a method of all token characters', line("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1"), PLAIN],
  ['a query', line('GET /a?b=/../c HTTP/1.1'), '/a?b=/../c a.example 0'],
  [
    'brackets and quotes in the target',
    line('GET /[a]"b"<c>{d}|e\\f HTTP/1.1'),
    '/[a]"b"<c>{d}|e\\f a.example 0',
  ],
  ['an empty line in front', `\r\n${line('GET / HTTP/1.1')}`, PLAIN],
  ['two empty lines in front', `\r\n\r\n${line('GET / HTTP/1.1')}`, 400],
  ['a bare LF in front', `\n${line('GET / HTTP/1.1')}`, 400],
  ['a CR in front', `\r${line('GET / HTTP/1.1')}`, 400],
  ['a space in front', line(' GET / HTTP/1.1'), 400],
  ['two spaces behind the method', line('GET  / HTTP/1.1'), 400],
  ['a tab behind the method', line('GET\t/ HTTP/1.1'), 400],
  ['two spaces before the version', line('GET /  HTTP/1.1'), 400],
  ['a space behind the version', line('GET / HTTP/1.1 '), 400],
  ['a space in the target', line('GET /a b HTTP/1.1'), 400],
  ['a tab in the target', line('GET /a\tb HTTP/1.1'), 400],
  ['NUL in the target', line('GET /\0 HTTP/1.1'), 400],
  ['a control character in the target', line('GET /\x01 HTTP/1.1'), 400],
  ['DEL in the target', line('GET /\x7f HTTP/1.1'), 400],
  ['obs-text in the target', line('GET /\xe9 HTTP/1.1'), 400],
  ['a fragment', line('GET /#x HTTP/1.1'), 400],
  ['no target', line('GET HTTP/1.1'), 400],
  ['an empty target', line('GET  HTTP/1.1'), 400],
  ['a target without a slash', line('GET example HTTP/1.1'), 400],
  ['a colon in the method', line('GE:T / HTTP/1.1'), 400],
  ['a method in brackets', line('[GET] / HTTP/1.1'), 400],
  ['HTTP/0.9', line('GET /'), 400],
  ['HTTP/2', line('GET / HTTP/2.0'), 505],
  ['HTTP/3', line('GET / HTTP/3.0'), 505],
  ['HTTP/0.9, said', line('GET / HTTP/0.9'), 505],
  ['a version of one digit', line('GET / HTTP/2'), 400],
  ['a version of three digits', line('GET / HTTP/1.10'), 400],
  ['a version of two digits in front', line('GET / HTTP/11.1'), 400],
  ['a version with a sign', line('GET / HTTP/+1.1'), 400],
  ['lower-case http', line('GET / http/1.1'), 400],
  ['another protocol', line('GET / ICY/1.1'), 400],
  ['RTSP', line('OPTIONS * RTSP/1.0'), 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['a bare LF behind the request line', 'GET / HTTP/1.1\nHost: a.example\r\n\r\n', 400],
  ['a bare CR behind the request line', 'GET / HTTP/1.1\rHost: a.example\r\n\r\n', 400],
  ['two CRs behind the request line', 'GET / HTTP/1.1\r\r\nHost: a.example\r\n\r\n', 400],
  ['CONNECT', line('CONNECT a.example:443 HTTP/1.1'), 501],
  ['asterisk-form', line('OPTIONS * HTTP/1.1'), '* a.example 0'],
  ['asterisk-form of GET', line('GET * HTTP/1.1'), 400],
  // Absolute form.
  ['absolute-form overrides Host', line('GET http://b.example/x?y HTTP/1.1'), '/x?y b.example 0'],
  ['absolute-form in capitals', line('GET HTTP://B.EXAMPLE:80/ HTTP/1.1'), '/ b.example 0'],
  ['absolute-form without a path', line('GET http://b.example HTTP/1.1'), PLAIN.replace('a', 'b')],
  ['absolute-form with a query only', line('GET http://b.example?y HTTP/1.1'), '/?y b.example 0'],
  ['absolute-form of OPTIONS', line('OPTIONS http://b.example HTTP/1.1'), '* b.example 0'],
  ['absolute-form of OPTIONS with a path', line('OPTIONS http://b.example/ HTTP/1.1'), '/ b.example 0'],
  ['absolute-form of OPTIONS with a query', line('OPTIONS http://b.example?y HTTP/1.1'), '/?y b.example 0'],
  ['absolute-form and an empty Host', 'GET http://b.example/ HTTP/1.1\r\nHost:\r\n\r\n', '/ b.example 0'],
  ['absolute-form in HTTP/1.1 without Host', 'GET http://b.example/ HTTP/1.1\r\n\r\n', 400],
  ['absolute-form in HTTP/1.0 without Host', 'GET http://b.example/ HTTP/1.0\r\n\r\n', '/ b.example 0'],
  ['absolute-form and a malformed Host', 'GET http://b.example/ HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['absolute-form and two Hosts', `GET http://b.example/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n`, 400],
  ['absolute-form without an authority', line('GET http:///x HTTP/1.1'), 400],
  ['absolute-form with one slash', line('GET http:/b.example/ HTTP/1.1'), 400],
  ['absolute-form with a backslash', line('GET http://b.example\\@c.example/ HTTP/1.1'), 400],
  ['absolute-form with a fragment', line('GET http://b.example/#x HTTP/1.1'), 400],
  ['user info in the target', line('GET http://a@b.example/ HTTP/1.1'), 400],
  ['https in the target', line('GET https://b.example/ HTTP/1.1'), 421],
  ['a scheme that begins with a digit', line('GET 1http://b.example/ HTTP/1.1'), 400],
  ['another scheme', line('GET gopher+x-1.2://b.example/ HTTP/1.1'), 421],
  // Other protocols.
  ['a banner of SSH', 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n', 400],
  ['a record of TLS', '\x16\x03\x01\x02\0\x01', 400],
  ['a header of the PROXY protocol', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n', 400],
  ['a header of the PROXY protocol, version 2', '\r\n\r\n\0\r\nQUIT\n', 400],
  ['SMTP', 'EHLO a.example\r\n', 400],
  ['a bare LF at the end of HTTP/0.9', 'GET /\n', 400],
  ['zeros', '\0\0\0\0', 400],
  // Host.
  ['no Host', get(), 400],
  ['no Host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 400],
  ['an empty Host', get('Host:'), 400],
  ['a Host of white space', get('Host: \t '), 400],
  ['two Hosts', get('Host: a.example', 'Host: a.example'), 400],
  ['two Hosts in two cases', get('Host: a.example', 'hOST: b.example'), 400],
  ['capitals, a port and a final dot', get('hOST:\t A.EXAMPLE.:8080 '), PLAIN],
  ['an empty port', host('a.example:'), PLAIN],
  ['a port out of range', host('a.example:65536'), 400],
  ['a port of six digits', host('a.example:000080'), 400],
  ['a port that is no number', host('a.example:8o'), 400],
  ['two ports', host('a.example:80:80'), 400],
  ['a port alone', host(':80'), 400],
  ['a dot alone', host('.'), 400],
  ['an IPv4 address', host('192.0.2.1:80'), '/ 192.0.2.1 0'],
  ['an IPv6 address', host('[2001:DB8::1]:80'), '/ [2001:db8::1] 0'],
  ['an IPv6 address without brackets', host('2001:db8::1'), 400],
  ['an IPv6 address with a zone', host('[fe80::1%25eth0]'), 400],
  ['an IPv6 address that ends early', host('[2001:db8::1'), 400],
  ['text behind an IPv6 address', host('[2001:db8::1]x'), 400],
  ['no IPv6 address in brackets', host('[a.example]'), 400],
  ['user info in Host', host('user@a.example'), 400],
  ['two names in Host', host('a.example, b.example'), 400],
  ['a space in Host', host('a.example b.example'), 400],
  ['a path in Host', host('a.example/b'), 400],
  ['a percent sign in Host', host('a%2eexample'), 400],
  ['obs-text in Host', host('a\xe9.example'), 400],
  ['NUL in Host', host('a.example\0.evil'), 400],
  ['an underscore in Host', host('a_b.example'), '/ a_b.example 0'],
  ['a Host of 255 bytes', host('a'.repeat(255)), `/ ${'a'.repeat(255)} 0`],
  ['a Host of 262 bytes', host('a'.repeat(262)), 400],
  ['Host in disguise alone', get('H.o.s.t: a.example', '_Host: a.example'), 400],
  // Field lines.
  ['obs-text in a value', get('Host: a.example', 'X: \xe9'), PLAIN],
  ['a tab in a value', get('Host: a.example', 'X: a\tb'), PLAIN],
  ['an empty value', get('Host: a.example', 'X:'), PLAIN],
  ['a colon in a value', get('Host: a.example', 'X: :a:b'), PLAIN],
  ['a folded field', get('Host: a.example', 'A: b', ' c'), 400],
  ['a field folded with a tab', get('Host: a.example', 'A: b', '\tc'), 400],
  ['a fold of Host', get('Host:', ' a.example'), 400],
  ['a fold in the first field', get(' Host: a.example'), 400],
  ['a line of one space', get('Host: a.example', ' '), 400],
  ['a space before the colon', get('Host : a.example'), 400],
  ['a tab before the colon', get('Host\t: a.example'), 400],
  ['no colon', get('Host: a.example', 'nonsense'), 400],
  ['an empty name', get('Host: a.example', ': x'), 400],
  ['a space in a name', get('Host: a.example', 'A B: x'), 400],
  ['a bracket in a name', get('Host: a.example', 'A(B: x'), 400],
  ['obs-text in a name', get('Host: a.example', '\xe9: x'), 400],
  ['NUL in a name', get('Host: a.example', 'A\0: x'), 400],
  ['NUL in a value', get('Host: a.example', 'A: b\0c'), 400],
  ['DEL in a value', get('Host: a.example', 'A: b\x7fc'), 400],
  ['a vertical tab in a value', get('Host: a.example', 'A: b\x0bc'), 400],
  ['a bare CR in a value', get('Host: a.example', 'A: b\rX: y'), 400],
  ['a bare LF in a value', get('Host: a.example', 'A: b\nX: y'), 400],
  ['two CRs at the end of a line', get('Host: a.example', 'A: b\r'), 400],
  ['a bare LF at the end of the head', 'GET / HTTP/1.1\r\nHost: a.example\r\n\n', 400],
  ['CR LF CR at the end of the head', 'GET / HTTP/1.1\r\nHost: a.example\r\n\rX', 400],
  ['128 fields', get('Host: a.example', ...Array<string>(127).fill('A: b')), PLAIN],
  ['129 fields', get('Host: a.example', ...Array<string>(128).fill('A: b')), 431],
  // Framing.
  ['a length', post('Content-Length: 42'), '/ a.example 42'],
  ['zeros in front of a length', post('Content-Length: 007'), '/ a.example 7'],
  ['a length of 15 digits', post('Content-Length: 999999999999999'), '/ a.example 999999999999999'],
  ['a length of 16 digits', post('Content-Length: 1000000000000000'), 400],
  ['a length beyond all sense', post('Content-Length: 99999999999999999999'), 400],
  ['two lengths', post('Content-Length: 5', 'Content-Length: 6'), 400],
  ['the same length twice', post('Content-Length: 5', 'content-length: 5'), 400],
  ['a list of lengths', post('Content-Length: 5, 5'), 400],
  ['a signed length', post('Content-Length: +5'), 400],
  ['a negative length', post('Content-Length: -5'), 400],
  ['a hexadecimal length', post('Content-Length: 0x5'), 400],
  ['a length with a fraction', post('Content-Length: 5.0'), 400],
  ['a length with an exponent', post('Content-Length: 1e1'), 400],
  ['a length with an underscore', post('Content-Length: 1_0'), 400],
  ['a length of two numbers', post('Content-Length: 5 6'), 400],
  ['a length of letters', post('Content-Length: five'), 400],
  ['an empty length', post('Content-Length:'), 400],
  ['a length in superscript', post('Content-Length: \xb2'), 400],
  ['chunked', post('Transfer-Encoding: chunked'), '/ a.example chunked'],
  ['chunked in capitals', post('TRANSFER-ENCODING: CHUNKED'), '/ a.example chunked'],
  ['CL.TE', post('Content-Length: 5', 'Transfer-Encoding: chunked'), 400],
  ['TE.CL', post('Transfer-Encoding: chunked', 'Content-Length: 5'), 400],
  ['a coding that is not known, and a length', post('Transfer-Encoding: x', 'Content-Length: 5'), 400],
  ['chunked in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ['TE.TE: chunked twice', post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), 501],
  ['TE.TE: another coding behind', post('Transfer-Encoding: chunked', 'Transfer-Encoding: x'), 501],
  ['TE.TE: another coding in front', post('Transfer-Encoding: identity', 'Transfer-Encoding: chunked'), 501],
  ['a list of codings', post('Transfer-Encoding: gzip, chunked'), 501],
  ['chunked twice in a list', post('Transfer-Encoding: chunked, chunked'), 501],
  ['chunked, not last', post('Transfer-Encoding: chunked, gzip'), 501],
  ['identity', post('Transfer-Encoding: identity'), 501],
  ['xchunked', post('Transfer-Encoding: xchunked'), 501],
  ['chunked with a parameter', post('Transfer-Encoding: chunked;a=b'), 501],
  ['chunked in quotes', post('Transfer-Encoding: "chunked"'), 501],
  ['chunked with a comma', post('Transfer-Encoding: chunked,'), 501],
  ['chunked behind a vertical tab', post('Transfer-Encoding: \x0bchunked'), 400],
  ['chunked with a space before the colon', post('Transfer-Encoding : chunked'), 400],
  ['chunked in a folded field', post('Transfer-Encoding:', ' chunked'), 400],
  ['chunked behind a bare LF', post('A: b\nTransfer-Encoding: chunked'), 400],
  ['chunked behind NBSP', post('Transfer-Encoding: \xa0chunked'), 501],
  ['an empty coding', post('Transfer-Encoding:'), 501],
  ['chunked in disguise: no framing', post('Transfer_Encoding: chunked'), PLAIN],
  ['a length in disguise: no framing', post('Content_Length: 5'), PLAIN],
  // Connection.
  ['Connection naming Host', get('Host: a.example', 'Connection: close, Host'), 400],
  ['Connection naming Content-Length', post('Content-Length: 5', 'Connection: content-length'), 400],
  ['Connection naming Transfer-Encoding', post('Connection: TRANSFER-encoding'), 400],
  ['Connection naming Expect', post('Connection: expect'), 400],
  ['Connection of 64 options', post(`Connection: ${'a,'.repeat(64)}`), PLAIN],
  ['Connection of 65 options', post(`Connection: ${'a,'.repeat(33)}`, `Connection: ${'b,'.repeat(32)}`), 400],
  // Size.
  ['16,384 bytes', post(`A: ${'x'.repeat(16_384 - post('A: ').length)}`), PLAIN],
  ['16,385 bytes', post(`A: ${'x'.repeat(16_385 - post('A: ').length)}`), 431],
  ['16,384 bytes without an end', `GET / HTTP/1.1\r\nHost: ${'x'.repeat(16_384)}`, 431],
  ['16,384 bytes without an end of the first line', `GET /${'x'.repeat(16_384)}`, 431],
  // Not yet complete.
  ['nothing', '', 'more'],
  ['a CR', '\r', 'more'],
  ['an empty line', '\r\n', 'more'],
  ['a part of a method', 'GE', 'more'],
  ['a part of a version', 'GET / HTT', 'more'],
  ['a request line without its LF', 'GET / HTTP/1.1\r', 'more'],
  ['a request line', 'GET / HTTP/1.1\r\n', 'more'],
  ['a part of a name', 'GET / HTTP/1.1\r\nHo', 'more'],
  ['a part of a value', 'GET / HTTP/1.1\r\nHost: a', 'more'],
  ['all but the last LF', 'GET / HTTP/1.1\r\nHost: a.example\r\n\r', 'more'],
  // What cannot become a request is refused before its line ends.
  ['a version that cannot become one', 'GET / HTTX', 400],
  ['a target that cannot become one', 'GET /\x80', 400],
  ['a first byte that no method has', '(', 400],
  ['a name that cannot become one', 'GET / HTTP/1.1\r\nHo st', 400],
];

for (const [title, text, expected] of TABLE) {
  test(`request: ${title}: ${expected}`, () => assert.equal(verdict(text), expected));
}

test('every refusal has its reason, and the preface of HTTP/2 its own', () => {
  for (const [, text, expected] of TABLE) {
    verdict(text);
    assert.equal(head.fault !== null, typeof expected === 'number');
  }
  verdict('PRI * HTTP/2.0\r\n');
  assert.equal(head.fault, RequestFault.http2Preface);
  verdict('PRI / HTTP/2.0\r\n');
  assert.equal(head.fault, RequestFault.version);
});

test('bytes around the message change nothing', () => {
  for (const [, text, expected] of TABLE) {
    const around = 'X: y\r\n\r\n';
    const bytes = Buffer.from(`${around}${text}${around}`, 'latin1');
    const end = parseRequest(head, bytes, around.length, around.length + text.length);
    if (expected === 'more') assert.equal(end, 0);
    else if (typeof expected === 'number') assert.deepEqual([end, head.fault?.status], [-1, expected]);
    else assert.equal(end, around.length + text.length);
  }
});

test('methods are told apart, and only in capitals', () => {
  for (const [name, id] of Object.entries(Method)) {
    if (id === Method.connect) continue;
    verdict(line(`${name.toUpperCase()} / HTTP/1.1`));
    assert.equal(head.method, id);
    if (id !== Method.other) verdict(line(`${name} / HTTP/1.1`));
    assert.equal(head.method, Method.other);
  }
  // Known also when the head is refused: a response to HEAD has no body.
  verdict('HEAD / HTTP/1.1\r\n\r\n');
  assert.equal(head.method, Method.head);
});

test('what a request asks to switch to, and whether its connection lasts', () => {
  for (const [version, fields, upgrade, isLast] of [
    ['1.1', [], Upgrade.none, false],
    ['1.1', ['Connection: close'], Upgrade.none, true],
    ['1.0', [], Upgrade.none, true],
    ['1.0', ['Connection: x, KEEP-alive'], Upgrade.none, false],
    ['1.1', ['Connection: keep-alive, Upgrade', 'Upgrade: WebSocket'], Upgrade.websocket, false],
    ['1.1', ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings'], Upgrade.h2c, false],
    ['1.1', ['Upgrade: foo/2 , h2c', 'Connection: Upgrade'], Upgrade.h2c, false],
    ['1.1', ['Upgrade: h2c', 'Upgrade: websocket', 'Connection: Upgrade'], Upgrade.websocket, false],
    ['1.1', ['Upgrade: foo/2', 'Connection: Upgrade'], Upgrade.other, false],
    ['1.1', ['Upgrade:', 'Connection: Upgrade'], Upgrade.none, false],
    ['1.1', ['Upgrade: websocket'], Upgrade.none, false],
    ['1.0', ['Connection: Upgrade', 'Upgrade: websocket'], Upgrade.none, true],
    ['1.1', ['Connection: Upgrade', 'Up_grade: websocket', 'U.pgrade: websocket'], Upgrade.none, false],
  ] as [string, string[], number, boolean][]) {
    verdict([`GET / HTTP/${version}`, 'Host: a', ...fields, '', ''].join('\r\n'));
    assert.equal(head.fault, null);
    assert.deepEqual([head.upgrade, isLastMessage(head)], [upgrade, isLast], fields.join());
  }
});

test('a field is found by its id', () => {
  verdict(get('Host: a', 'sec-websocket-KEY: x'));
  assert.equal(findField(head, FieldName.webSocketKey), 1);
  assert.equal(findField(head, FieldName.webSocketVersion), -1);
});
