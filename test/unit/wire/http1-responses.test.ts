/** Heads of responses, and how their bodies end: a table of verdicts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CHUNKED,
  Method,
  type MethodId,
  UNTIL_CLOSE,
  Upgrade,
  createMessageHead,
  isLastMessage,
} from '../../../src/wire/http1/head.ts';
import { parseResponse } from '../../../src/wire/http1/response.ts';

const head = createMessageHead();

function parse(text: string, method: MethodId = Method.get): number {
  const bytes = Buffer.from(text, 'latin1');
  return parseResponse(head, bytes, 0, bytes.length, method);
}

/** "status body", "more" or "refused". */
function verdict(text: string, method?: MethodId): string {
  const end = parse(text, method);
  if (end <= 0) return end === 0 ? 'more' : 'refused';
  const { bodyBytes } = head;
  const body = bodyBytes === CHUNKED ? 'chunked' : bodyBytes === UNTIL_CLOSE ? 'until-close' : bodyBytes;
  return `${head.status} ${body}`;
}

const answer = (first: string, ...fields: string[]) => [first, ...fields, '', ''].join('\r\n');
const ok = (...fields: string[]) => answer('HTTP/1.1 200 OK', ...fields);

const TABLE: readonly (readonly [title: string, bytes: string, verdict: string])[] = [
  ['a length', ok('Content-Length: 12'), '200 12'],
  ['the same length twice', ok('Content-Length: 12', 'Content-Length: 12'), '200 12'],
  ['the same length in a list', ok('Content-Length: 12, 12'), '200 12'],
  ['two lengths', ok('Content-Length: 12', 'Content-Length: 13'), 'refused'],
  ['two lengths in a list', ok('Content-Length: 12, 13'), 'refused'],
  ['a length and an empty one', ok('Content-Length: 12', 'Content-Length:'), 'refused'],
  ['no number', ok('Content-Length: +12'), 'refused'],
  ['an empty length', ok('Content-Length:'), 'refused'],
  ['a length beyond all sense', ok('Content-Length: 9999999999999999'), 'refused'],
  ['a length behind NBSP', ok('Content-Length: \xa012'), 'refused'],
  ['chunked', ok('Transfer-Encoding: chunked'), '200 chunked'],
  ['chunked at last', ok('Transfer-Encoding: gzip, Chunked'), '200 chunked'],
  [
    'chunked at last, in two fields',
    ok('Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'),
    '200 chunked',
  ],
  ['another coding at last', ok('Transfer-Encoding: chunked, gzip'), '200 until-close'],
  [
    'another coding at last, in two fields',
    ok('Transfer-Encoding: chunked', 'Transfer-Encoding: gzip'),
    '200 until-close',
  ],
  ['chunked behind NBSP', ok('Transfer-Encoding: \xa0chunked'), '200 until-close'],
  ['chunked with a parameter', ok('Transfer-Encoding: chunked;q=1'), '200 until-close'],
  ['an empty coding', ok('Transfer-Encoding:'), '200 until-close'],
  ['an empty coding and a length', ok('Transfer-Encoding:', 'Content-Length: 1'), 'refused'],
  ['a coding and a length', ok('Transfer-Encoding: chunked', 'Content-Length: 1'), 'refused'],
  ['a length and a coding', ok('Content-Length: 1', 'Transfer-Encoding: gzip'), 'refused'],
  ['a coding in HTTP/1.0', answer('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'), 'refused'],
  ['a coding in disguise', ok('Transfer_Encoding: chunked', 'Content-Length: 1'), '200 1'],
  ['neither', answer('HTTP/1.0 200 OK', 'Server: x'), '200 until-close'],
  ['no reason, with its space', answer('HTTP/1.1 404 ', 'Content-Length: 0'), '404 0'],
  ['no reason, without', answer('HTTP/1.1 404', 'Content-Length: 0'), '404 0'],
  ['obs-text and a tab in the reason', answer('HTTP/1.1 404 \xe9\tx', 'Content-Length: 0'), '404 0'],
  ['a later minor version', answer('HTTP/1.9 200 OK', 'Content-Length: 0'), '200 0'],
  ['no content: no body whatever it says', answer('HTTP/1.1 204 No Content', 'Content-Length: 9'), '204 0'],
  ['not modified', answer('HTTP/1.1 304 Not Modified', 'Content-Length: 9'), '304 0'],
  ['not modified, of chunks', answer('HTTP/1.1 304 Not Modified', 'Transfer-Encoding: chunked'), '304 0'],
  [
    'not modified, of both',
    answer('HTTP/1.1 304 Not Modified', 'Transfer-Encoding: chunked', 'Content-Length: 9'),
    'refused',
  ],
  ['1xx', answer('HTTP/1.1 103 Early Hints', 'Link: </a>'), '103 0'],
  ['100', 'HTTP/1.1 100 Continue\r\n\r\n', '100 0'],
  ['switching protocols', answer('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket'), '101 0'],
  ['a space before the colon', ok('Content-Length : 3'), '200 3'],
  ['spaces before the colon of a coding', ok('Transfer-Encoding \t: chunked'), '200 chunked'],
  ['a folded field', ok('A: b', ' Content-Length: 3'), 'refused'],
  ['Connection names the length', ok('Content-Length: 3', 'Connection: a, content-length'), 'refused'],
  ['Connection of 65 options', ok(`Connection: ${'a,'.repeat(65)}`), 'refused'],
  ['a field without a colon', ok('nothing'), 'refused'],
  ['a field of a name and white space', ok('nothing '), 'refused'],
  ['an empty name', ok(': x'), 'refused'],
  ['a bare CR', ok('A: b\rContent-Length: 3'), 'refused'],
  ['a bare LF', ok('A: b\nContent-Length: 3'), 'refused'],
  ['NUL', ok('A: \0'), 'refused'],
  ['a bare LF behind the status line', 'HTTP/1.1 200 OK\nA: b\r\n\r\n', 'refused'],
  ['NUL in the reason', answer('HTTP/1.1 200 O\0K'), 'refused'],
  ['HTTP/2', answer('HTTP/2 200 OK'), 'refused'],
  ['HTTP/2.0', answer('HTTP/2.0 200 OK'), 'refused'],
  ['HTTP/0.9', '<html>', 'refused'],
  ['SHOUTcast', answer('ICY 200 OK'), 'refused'],
  ['a banner of SSH', 'SSH-2.0-x\r\n', 'refused'],
  ['lower case', answer('http/1.1 200 OK'), 'refused'],
  ['a status of two digits', answer('HTTP/1.1 20 OK'), 'refused'],
  ['a status of four digits', answer('HTTP/1.1 1010 OK'), 'refused'],
  ['a status below 100', answer('HTTP/1.1 099 OK'), 'refused'],
  ['a status beyond 599', answer('HTTP/1.1 600 OK'), 'refused'],
  ['two spaces', answer('HTTP/1.1  200 OK'), 'refused'],
  ['a tab behind the status', answer('HTTP/1.1 200\tOK'), 'refused'],
  ['an empty line first', answer('', 'HTTP/1.1 200 OK'), 'refused'],
  ['128 fields', ok(...Array<string>(128).fill('A: b')), '200 until-close'],
  ['129 fields', ok(...Array<string>(129).fill('A: b')), 'refused'],
  ['16,384 bytes without an end', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(16_384)}`, 'refused'],
  ['nothing', '', 'more'],
  ['a part of the version', 'HTT', 'more'],
  ['a part of the status', 'HTTP/1.1 20', 'more'],
  ['a status', 'HTTP/1.1 200', 'more'],
  ['a part of the reason', 'HTTP/1.1 200 O', 'more'],
  ['all but the last LF', 'HTTP/1.1 200 OK\r\nA: b\r\n\r', 'more'],
];

for (const [title, text, expected] of TABLE) {
  test(`response: ${title}: ${expected}`, () => {
    assert.equal(verdict(text), expected);
    if (expected === 'refused') assert.equal(head.fault?.status, 502);
  });
}

test('a response to HEAD has no body, but is judged', () => {
  assert.equal(verdict(ok('Content-Length: 12'), Method.head), '200 0');
  assert.equal(head.contentLength, 12);
  assert.equal(verdict(ok('Transfer-Encoding: chunked'), Method.head), '200 0');
  assert.equal(verdict(ok(), Method.head), '200 0');
  assert.equal(verdict(ok('Content-Length: 12', 'Transfer-Encoding: chunked'), Method.head), 'refused');
});

test('whether the connection lasts, and how long', () => {
  for (const [first, fields, isLast, seconds] of [
    ['HTTP/1.1 200 OK', [], false, -1],
    ['HTTP/1.1 200 OK', ['Connection: a, CLOSE'], true, -1],
    ['HTTP/1.1 200 OK', ['Connection: keep-alive', 'Connection: close'], true, -1],
    ['HTTP/1.0 200 OK', [], true, -1],
    ['HTTP/1.0 200 OK', ['Connection: Keep-Alive', 'Keep-Alive: timeout=5, max=100'], false, 5],
    ['HTTP/1.1 200 OK', ['Keep-Alive: max=9,TIMEOUT=75'], false, 75],
    ['HTTP/1.1 200 OK', ['Keep-Alive: timeout=x'], false, -1],
    ['HTTP/1.1 200 OK', ['Keep-Alive: timeout='], false, -1],
    ['HTTP/1.1 200 OK', ['Keep-Alive: 300'], false, -1],
    ['HTTP/1.1 200 OK', ['Connection: closed'], false, -1],
  ] as [string, string[], boolean, number][]) {
    parse(answer(first, ...fields, 'Content-Length: 0'));
    assert.deepEqual([isLastMessage(head), head.keepAliveSeconds], [isLast, seconds], fields.join());
  }
});

test('what it switches to', () => {
  for (const [first, fields, upgrade] of [
    ['HTTP/1.1 101 x', ['Connection: upgrade', 'Upgrade: WebSocket'], Upgrade.websocket],
    ['HTTP/1.1 101 x', ['Connection: upgrade', 'Upgrade: h2c'], Upgrade.h2c],
    ['HTTP/1.1 101 x', ['Connection: upgrade', 'Upgrade: foo/2'], Upgrade.other],
    ['HTTP/1.1 101 x', ['Upgrade: websocket'], Upgrade.none],
    ['HTTP/1.0 101 x', ['Connection: upgrade', 'Upgrade: websocket'], Upgrade.none],
  ] as [string, string[], number][]) {
    parse(answer(first, ...fields));
    assert.equal(head.upgrade, upgrade, fields.join());
  }
});
