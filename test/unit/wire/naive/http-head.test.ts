import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findHeadEnd, parseRequestHead } from './http-head.ts';

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));
const parse = (...lines: string[]) => parseRequestHead(bytesOf(`${lines.join('\r\n')}\r\n\r\n`));
const HOST = 'Host: example.com';

for (const [title, lines, expected] of [
  ['a plain request', ['GET /a?b HTTP/1.1', HOST], { target: '/a?b', host: 'example.com', contentLength: 0 }],
  ['an empty line in front', ['', 'GET / HTTP/1.1', HOST], { host: 'example.com' }],
  [
    'capitals, a port and a final dot',
    ['GET / HTTP/1.1', 'hOST:\t EXAMPLE.com.:8080 '],
    { host: 'example.com', authority: 'EXAMPLE.com.:8080' },
  ],
  ['an IPv6 literal', ['GET / HTTP/1.1', 'Host: [2001:db8::1]:80'], { host: '[2001:db8::1]' }],
  ['a body', ['POST / HTTP/1.1', HOST, 'Content-Length: 42'], { contentLength: 42 }],
  ['a chunked body', ['POST / HTTP/1.1', HOST, 'Transfer-Encoding: Chunked'], { contentLength: undefined }],
  [
    'absolute-form overrides Host',
    ['GET http://a.example/x?y HTTP/1.1', HOST],
    { host: 'a.example', target: '/x?y', authority: 'a.example' },
  ],
  ['absolute-form without a path', ['GET http://a.example?y HTTP/1.1', HOST], { target: '/?y' }],
  ['OPTIONS for the whole server', ['OPTIONS http://a.example HTTP/1.1', HOST], { target: '*' }],
  ['asterisk-form', ['OPTIONS * HTTP/1.1', HOST], { target: '*', host: 'example.com' }],
  ['HTTP/1.0 with Host', ['GET / HTTP/1.0', HOST], { minorVersion: 0, host: 'example.com' }],
  ['a later minor version', ['GET / HTTP/1.7', HOST], { minorVersion: 1 }],
  ['obs-text in a value', ['GET / HTTP/1.1', HOST, 'X: \xe9'], { host: 'example.com' }],
] as [string, string[], object][]) {
  test(title, () => {
    const head = parse(...lines);
    assert.ok(!('kind' in head), JSON.stringify(head));
    assert.deepEqual({ ...head, ...expected }, head);
  });
}

// RFC 9112: each of these MUST or SHOULD be refused; most are known ways to smuggle requests.
for (const [title, lines, status] of [
  ['no Host', ['GET / HTTP/1.1'], 400],
  ['no Host in HTTP/1.0', ['GET / HTTP/1.0'], 400],
  ['an empty Host', ['GET / HTTP/1.1', 'Host:'], 400],
  ['two Hosts', ['GET / HTTP/1.1', HOST, HOST], 400],
  ['two Hosts in absolute-form', ['GET http://a.example/ HTTP/1.1', HOST, HOST], 400],
  ['user info in Host', ['GET / HTTP/1.1', 'Host: user@example.com'], 400],
  ['two names in Host', ['GET / HTTP/1.1', 'Host: a.example, b.example'], 400],
  ['a port out of range', ['GET / HTTP/1.1', 'Host: example.com:65536'], 400],
  ['user info in the target', ['GET http://a@b.example/ HTTP/1.1', HOST], 400],
  ['https in the target', ['GET https://a.example/ HTTP/1.1', HOST], 421],
  ['a folded field', ['GET / HTTP/1.1', HOST, 'A: b', ' c'], 400],
  ['a fold in the first field', ['GET / HTTP/1.1', ' Host: example.com'], 400],
  ['a space before the colon', ['GET / HTTP/1.1', 'Host : example.com'], 400],
  ['no colon', ['GET / HTTP/1.1', HOST, 'nonsense'], 400],
  ['an empty name', ['GET / HTTP/1.1', HOST, ': x'], 400],
  ['NUL in a value', ['GET / HTTP/1.1', HOST, 'A: b\0c'], 400],
  ['NUL in Host', ['GET / HTTP/1.1', 'Host: example.com\0.evil'], 400],
  ['a bare CR in a value', ['GET / HTTP/1.1', HOST, 'A: b\rX: y'], 400],
  ['a bare LF in a value', ['GET / HTTP/1.1', HOST, 'A: b\nX: y'], 400],
  ['a bare LF after the request line', ['GET / HTTP/1.1\nHost: example.com'], 400],
  ['two spaces in the request line', ['GET  / HTTP/1.1', HOST], 400],
  ['a space in the target', ['GET /a b HTTP/1.1', HOST], 400],
  ['a control character in the target', ['GET /\x01 HTTP/1.1', HOST], 400],
  ['a fragment in the target', ['GET /#x HTTP/1.1', HOST], 400],
  ['a target without a slash', ['GET example HTTP/1.1', HOST], 400],
  ['HTTP/0.9', ['GET /'], 400],
  ['lower-case http', ['GET / http/1.1', HOST], 400],
  ['HTTP/2', ['GET / HTTP/2.0', HOST], 505],
  ['CONNECT', ['CONNECT a.example:443 HTTP/1.1', HOST], 501],
  ['length and chunked', ['POST / HTTP/1.1', HOST, 'Content-Length: 5', 'Transfer-Encoding: chunked'], 400],
  ['two lengths', ['POST / HTTP/1.1', HOST, 'Content-Length: 5', 'Content-Length: 5'], 400],
  ['a list of lengths', ['POST / HTTP/1.1', HOST, 'Content-Length: 5, 5'], 400],
  ['a signed length', ['POST / HTTP/1.1', HOST, 'Content-Length: +5'], 400],
  ['a hexadecimal length', ['POST / HTTP/1.1', HOST, 'Content-Length: 0x5'], 400],
  ['an empty length', ['POST / HTTP/1.1', HOST, 'Content-Length:'], 400],
  ['an absurdly large length', ['POST / HTTP/1.1', HOST, 'Content-Length: 99999999999999999999'], 400],
  ['chunked in HTTP/1.0', ['POST / HTTP/1.0', HOST, 'Transfer-Encoding: chunked'], 400],
  [
    'chunked twice',
    ['POST / HTTP/1.1', HOST, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    501,
  ],
  ['an unknown coding', ['POST / HTTP/1.1', HOST, 'Transfer-Encoding: gzip, chunked'], 501],
  ['an obfuscated coding', ['POST / HTTP/1.1', HOST, 'Transfer-Encoding: xchunked'], 501],
  ['Connection naming Host', ['GET / HTTP/1.1', HOST, 'Connection: close, Host'], 400],
  [
    'Connection naming Content-Length',
    ['POST / HTTP/1.1', HOST, 'Content-Length: 5', 'Connection: content-length'],
    400,
  ],
] as [string, string[], number][]) {
  test(`${title}: ${status}`, () => {
    const fault = parse(...lines);
    assert.ok('kind' in fault, JSON.stringify(fault));
    assert.equal(fault.status, status);
    assert.notEqual(fault.reason, '');
  });
}

test('the end of the head is found for any segments, as by a naive search', () => {
  const text = fc
    .array(fc.constantFrom('\r', '\n', '\r\n', 'a', '\r\n\r\n'), { maxLength: 20 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(30), { maxLength: 4 }), (text, cuts) => {
      const bytes = bytesOf(text);
      const at = text.indexOf('\r\n\r\n');
      const expected = at === -1 ? -1 : at + 4;
      let found = -1;
      let scanned = 0;
      for (const cut of [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]) {
        found = findHeadEnd(bytes.subarray(0, cut), scanned - 3);
        if (found !== -1) break;
        scanned = cut;
      }
      assert.equal(found, expected);
    }),
    { numRuns: 5000 },
  );
});

test('a generated request is read back field by field', () => {
  const name = fc.stringMatching(/^X-[A-Za-z0-9-]{1,12}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 10 }), (pairs) => {
      const head = parse('GET / HTTP/1.1', HOST, ...pairs.map(([name, value]) => `${name}:  ${value}\t`));
      assert.ok(!('kind' in head));
      assert.deepEqual(
        head.fields.slice(1).map(({ name, value }) => [name, value]),
        pairs,
      );
    }),
  );
});

test('no bytes make the parser throw, and every accepted head names a host', () => {
  const piece = fc.constantFrom(
    'GET',
    ' ',
    '/',
    'HTTP/1.1',
    '\r\n',
    HOST,
    ':',
    '\0',
    '\r',
    '\n',
    'http://',
    '[::1]',
    'Content-Length: 1',
    '*',
    '@',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
        fc.string(),
      ),
      (text) => {
        const head = parseRequestHead(bytesOf(`${text}\r\n\r\n`));
        if (!('kind' in head)) assert.match(head.host, /^[a-z0-9._-]+$|^\[[0-9a-f:.]+\]$/);
      },
    ),
    { numRuns: 5000 },
  );
});
