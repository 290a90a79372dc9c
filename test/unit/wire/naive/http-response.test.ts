/** Heads of HTTP responses, and the handshake of WebSocket. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseResponseHead } from './http-response.ts';

const bytesOf = (text: string) => Buffer.from(text, 'latin1');
const parse = (...lines: string[]) => parseResponseHead(bytesOf(`${lines.join('\r\n')}\r\n\r\n`));

/** Status line and fields, and the kind of body or the fault. */
const HEADS: readonly (readonly [what: string, lines: readonly string[], expected: unknown])[] = [
  ['a length', ['HTTP/1.1 200 OK', 'Content-Length: 12'], 12],
  ['the same length twice', ['HTTP/1.1 200 OK', 'Content-Length: 12', 'Content-Length: 12'], 12],
  ['the same length in a list', ['HTTP/1.1 200 OK', 'Content-Length: 12, 12'], 12],
  ['two lengths', ['HTTP/1.1 200 OK', 'Content-Length: 12', 'Content-Length: 13'], /more than one/],
  ['no number', ['HTTP/1.1 200 OK', 'Content-Length: +12'], /not a number/],
  ['chunked', ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'], 'chunked'],
  ['chunked as the last coding', ['HTTP/1.1 200 OK', 'Transfer-Encoding: gzip, Chunked'], 'chunked'],
  ['another coding as the last one', ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked, gzip'], 'until-close'],
  [
    'a coding and a length',
    ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', 'Content-Length: 1'],
    /exclude/,
  ],
  ['a coding in HTTP/1.0', ['HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'], /does not exist/],
  ['neither', ['HTTP/1.0 200 OK', 'Server: x'], 'until-close'],
  ['no reason, with its space', ['HTTP/1.1 404 ', 'Content-Length: 0'], 0],
  ['no reason, without its space', ['HTTP/1.1 404', 'Content-Length: 0'], 0],
  ['a later minor version', ['HTTP/1.9 200 OK', 'Content-Length: 0'], 0],
  ['no content: no body, whatever the fields say', ['HTTP/1.1 204 No Content', 'Content-Length: 9'], 0],
  ['not modified', ['HTTP/1.1 304 Not Modified', 'Content-Length: 9'], 0],
  ['1xx', ['HTTP/1.1 103 Early Hints', 'Link: </a>'], 0],
  ['switching protocols', ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket'], 0],
  ['a space before the colon, removed', ['HTTP/1.1 200 OK', 'Content-Length : 3'], 3],
  ['a folded field', ['HTTP/1.1 200 OK', 'A: b', ' Content-Length: 3'], /folded/],
  [
    'Connection names the length',
    ['HTTP/1.1 200 OK', 'Content-Length: 3', 'Connection: a, content-length'],
    /names the field/,
  ],
  ['a field without a colon', ['HTTP/1.1 200 OK', 'nothing'], /no colon/],
  ['a bare CR', ['HTTP/1.1 200 OK', 'A: b\rContent-Length: 3'], /control character/],
  ['a bare LF', ['HTTP/1.1 200 OK\nA: b'], /status line/],
  ['HTTP/2', ['HTTP/2 200 OK'], /status line/],
  ['HTTP/0.9', ['<html>'], /status line/],
  ['a status of four digits', ['HTTP/1.1 1010 OK'], /status line/],
  ['a status beyond 599', ['HTTP/1.1 600 OK'], /status line/],
  ['an empty line first', ['', 'HTTP/1.1 200 OK'], /status line/],
  ['nothing', [''], /status line/],
];

for (const [what, lines, expected] of HEADS) {
  test(`response head: ${what}`, () => {
    const head = parse(...lines);
    if (expected instanceof RegExp) assert.match('fault' in head ? head.fault : '', expected);
    else assert.equal('fault' in head ? head.fault : head.body, expected);
  });
}

test('a generated response is read back', () => {
  const name = fc.stringMatching(/^X-[A-Za-z0-9-]{1,12}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 599 }),
      fc.stringMatching(/^[ -~]{0,30}$/),
      fc.array(fc.tuple(name, value), { maxLength: 10 }),
      (status, reason, pairs) => {
        const head = parse(
          `HTTP/1.1 ${status} ${reason}`,
          ...pairs.map(([name, value]) => `${name}:\t${value} `),
        );
        assert.ok(!('fault' in head));
        assert.deepEqual([head.status, head.reason], [status, reason]);
        assert.deepEqual(
          head.fields.map(({ name, value }) => [name, value]),
          pairs,
        );
      },
    ),
  );
});

test('no bytes make the parser throw, and an accepted head contains no other line', () => {
  const piece = fc.constantFrom(
    'HTTP/1.1',
    ' ',
    '200',
    'OK',
    '\r\n',
    '\n',
    '\r',
    ':',
    'A',
    '\0',
    'Content-Length: 1',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
        fc.string(),
      ),
      (text) => {
        const head = parseResponseHead(bytesOf(`${text}\r\n\r\n`));
        if ('fault' in head) return;
        for (const { name, value } of head.fields)
          assert.doesNotMatch(`${name}${value}${head.reason}`, /[\r\n\0]/);
      },
    ),
    { numRuns: 5000 },
  );
});
