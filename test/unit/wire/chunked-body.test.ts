/** Where chunked bodies end, for any split into pieces. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  dechunk,
  isChunkedComplete,
  restartChunkedScan,
  scanChunked,
  startChunkedScan,
} from '../../../src/wire/chunked-body.ts';

const bytesOf = (text: string) => Buffer.from(text, 'latin1');

/** The length of the body, 'more' if it continues, or 'malformed'. */
function read(text: string): number | 'more' | 'malformed' {
  const scan = startChunkedScan();
  const length = scanChunked(scan, bytesOf(text));
  if (length < 0) return 'malformed';
  return isChunkedComplete(scan) ? length : 'more';
}

const NEXT = 'GET /next HTTP/1.1\r\n\r\n';
const TABLE: readonly (readonly [what: string, text: string, expected: ReturnType<typeof read>])[] = [
  ['an empty body', `0\r\n\r\n${NEXT}`, 5],
  ['one chunk', `5\r\nhello\r\n0\r\n\r\n${NEXT}`, 15],
  ['a size in hexadecimal, in both cases', `A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n${NEXT}`, 36],
  ['leading zeros', `0005\r\nhello\r\n000\r\n\r\n${NEXT}`, 20],
  ['an extension', `5;a=b;c="d e"\r\nhello\r\n0;x\r\n\r\n${NEXT}`, 29],
  ['a quoted semicolon and quote', `1;a=";\\"";b\r\nx\r\n0\r\n\r\n${NEXT}`, 21],
  [
    'extensions in proportion to the data',
    `40;${'x'.repeat(60)}\r\n${'d'.repeat(64)}\r\n`.repeat(1000),
    'more',
  ],
  ['trailer fields', `0\r\nA: b\r\nC: d\r\n\r\n${NEXT}`, 17],
  ['an end within the data', '8\r\n\r\n0\r\n\r\n.\r\n0\r\n\r\n', 18],
  ['not yet', '5\r\nhel', 'more'],
  ['only the last line is missing', '0\r\n', 'more'],
  ['only the last LF is missing', '0\r\n\r', 'more'],
  ['no size', '\r\nhello', 'malformed'],
  ['white space behind the size', '5 \r\nhello\r\n', 'malformed'],
  ['white space before an extension', '5 ;a\r\nhello\r\n', 'malformed'],
  ['white space in an extension', '5;a b\r\nhello\r\n', 'malformed'],
  ['an extension without a name', '5;\r\nhello\r\n', 'malformed'],
  ['an extension with only a value', '5;=b\r\nhello\r\n', 'malformed'],
  ['an extension that lacks its value', '5;a=\r\nhello\r\n', 'malformed'],
  ['an open quote', '5;a="b\r\nhello\r\n', 'malformed'],
  ['text behind a quote', '5;a="b"c\r\nhello\r\n', 'malformed'],
  ['a NUL in an extension', '5;a="\0"\r\nhello\r\n', 'malformed'],
  ['a comma instead of a semicolon', '5,a\r\nhello\r\n', 'malformed'],
  ['a comment', '5(a)\r\nhello\r\n', 'malformed'],
  ['a minus', '-5\r\nhello\r\n', 'malformed'],
  ['an underscore between digits', '1_0\r\nhello\r\n', 'malformed'],
  ['a size of 2^32 + 5', '100000005\r\nhello\r\n', 'more'],
  ['a sign', '+5\r\nhello\r\n', 'malformed'],
  ['a prefix', '0x5\r\nhello\r\n', 'malformed'],
  ['white space before the size', ' 5\r\nhello\r\n', 'malformed'],
  ['a size that is too large for a number', 'ffffffffffffff\r\n', 'malformed'],
  ['a bare LF behind the size', '5\nhello\r\n', 'malformed'],
  ['a bare CR behind the size', '5\rhello\r\n', 'malformed'],
  ['a bare LF in an extension', '5;a\nhello\r\n', 'malformed'],
  ['an endless extension', `5;${'x'.repeat(5000)}`, 'malformed'],
  ['more data than its size', '5\r\nhello!\r\n', 'malformed'],
  ['a bare LF behind the data', '5\r\nhello\n0\r\n\r\n', 'malformed'],
  ['a bare LF in a trailer', '0\r\nA: b\n\r\n', 'malformed'],
  ['a trailer without a colon', '0\r\nnothing\r\n\r\n', 'malformed'],
  ['a trailer without a name', '0\r\n: b\r\n\r\n', 'malformed'],
  ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n', 'malformed'],
  ['a space before the colon of a trailer', '0\r\nA : b\r\n\r\n', 'malformed'],
  ['a NUL in a trailer', '0\r\nA: \0\r\n\r\n', 'malformed'],
  ['a bare CR in a trailer', '0\r\nA: b\rC: d\r\n\r\n', 'malformed'],
  ['a length in the trailer', '0\r\nContent-Length: 5\r\n\r\n', 'malformed'],
  ['a coding in the trailer', '0\r\ntransfer-ENCODING: chunked\r\n\r\n', 'malformed'],
  ['a host in the trailer', '0\r\nhost: a.example\r\n\r\n', 'malformed'],
  ['Connection in the trailer', '0\r\nA: b\r\nConnection: close\r\n\r\n', 'malformed'],
  ['a claim in the trailer', '0\r\nX-Real-IP: 192.0.2.1\r\n\r\n', 'malformed'],
  ['another claim', '0\r\nX-Forwarded-Anything: x\r\n\r\n', 'malformed'],
  ['a claim in disguise', '0\r\nX_Forwarded.For: x\r\n\r\n', 'malformed'],
  ['credentials in the trailer', '0\r\nAuthorization: Basic eA==\r\n\r\n', 'malformed'],
  ['small chunks of many extensions', `1;${'x'.repeat(4000)}\r\na\r\n`.repeat(5), 'malformed'],
  ['endless trailers', `0\r\n${'A: b\r\n'.repeat(5000)}`, 'malformed'],
];

for (const [what, text, expected] of TABLE) {
  test(`chunked: ${what}`, () => assert.equal(read(text), expected));
}

test('the end of the body is found for any chunks and any split into pieces', () => {
  const data = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 40 })
    .map((text) => bytesOf(text).toString('latin1'));
  const extension = fc.constantFrom('', ';a', ';a="b"', ';c=d;e');
  const chunk = fc
    .tuple(data, extension)
    .map(([data, extension]) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`);
  const trailer = fc.constantFrom('', 'A: b\r\n', 'A: b\r\nC: d\r\n');
  fc.assert(
    fc.property(
      fc.array(chunk, { maxLength: 6 }),
      trailer,
      fc.string(),
      fc.array(fc.nat(400)),
      (chunks, trailer, rest, cuts) => {
        const body = `${chunks.join('')}0\r\n${trailer}\r\n`;
        const all = bytesOf(body + rest);
        const scan = startChunkedScan();
        let total = 0;
        const ends = [...cuts.filter((cut) => cut < all.length).sort((a, b) => a - b), all.length];
        for (const end of ends) {
          const piece = all.subarray(total, end);
          const length = scanChunked(scan, piece);
          assert.ok(length >= 0);
          total += length;
          if (isChunkedComplete(scan)) break;
          assert.equal(length, piece.length);
        }
        assert.equal(total, body.length);
        assert.ok(isChunkedComplete(scan));
      },
    ),
    { numRuns: 2000 },
  );
});

test('dechunk gives the data alone, in place, and says where the body ends', () => {
  const chunk = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).map((text) => Buffer.from(text));
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 6 }), fc.array(fc.nat(400)), (chunks, cuts) => {
      const framed = chunks.flatMap((data) => [
        bytesOf(`${data.length.toString(16)};a="b"\r\n`),
        data,
        bytesOf('\r\n'),
      ]);
      const body = Buffer.concat([...framed, bytesOf('0\r\nA: b\r\n\r\n')]);
      const all = Buffer.concat([body, bytesOf(NEXT)]);
      const scan = startChunkedScan();
      const data: Buffer[] = [];
      let at = 0;
      for (const end of [...cuts.filter((cut) => cut < all.length).sort((a, b) => a - b), all.length]) {
        const length = dechunk(scan, all, at, end);
        assert.ok(length >= 0);
        data.push(Buffer.from(all.subarray(at, at + length)));
        at += scan.consumed;
        if (isChunkedComplete(scan)) break;
        assert.equal(at, end);
      }
      assert.equal(at, body.length);
      assert.deepEqual(Buffer.concat(data), Buffer.concat(chunks));
      assert.equal(all.toString('latin1', at), NEXT);
    }),
    { numRuns: 1000 },
  );
});

test('dechunk finds the same bodies malformed, and a scan can be used again', () => {
  const scan = startChunkedScan();
  for (const [what, text, expected] of TABLE) {
    restartChunkedScan(scan);
    const bytes = bytesOf(text);
    const length = dechunk(scan, bytes, 0, bytes.length);
    assert.equal(length === -1, expected === 'malformed', what);
    if (typeof expected === 'number') assert.equal(scan.consumed, expected, what);
  }
});
