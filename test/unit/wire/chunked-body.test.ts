/** Where chunked bodies end, for any split into pieces. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isChunkedComplete, scanChunked, startChunkedScan } from '../../../src/wire/chunked-body.ts';

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
  ['white space behind the size', `5 \t\r\nhello\r\n0\r\n\r\n`, 17],
  ['trailer fields', `0\r\nA: b\r\nC: d\r\n\r\n${NEXT}`, 17],
  ['an end within the data', '8\r\n\r\n0\r\n\r\n.\r\n0\r\n\r\n', 18],
  ['not yet', '5\r\nhel', 'more'],
  ['only the last line is missing', '0\r\n', 'more'],
  ['only the last LF is missing', '0\r\n\r', 'more'],
  ['no size', '\r\nhello', 'malformed'],
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
  ['endless trailers', `0\r\n${'A: b\r\n'.repeat(5000)}`, 'malformed'],
];

for (const [what, text, expected] of TABLE) {
  test(`chunked: ${what}`, () => assert.equal(read(text), expected));
}

test('the end of the body is found for any chunks and any split into pieces', () => {
  const data = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 40 })
    .map((text) => bytesOf(text).toString('latin1'));
  const extension = fc.constantFrom('', ';a', ';a="b"', ' ');
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
