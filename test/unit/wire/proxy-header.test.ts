/** The reader of PROXY headers: a table of headers with their verdicts, and properties with the encoder and a naive reader. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../../src/wire/crc32c.ts';
import { formatIpAddress, mapIpv4, mappedIpv4 } from '../../../src/wire/ip-address.ts';
import {
  INCOMPLETE,
  MALFORMED,
  MAX_PROXY_HEADER_BYTES,
  createProxyHeader,
  formatUniqueId,
  readProxyHeader,
} from '../../../src/wire/proxy-header.ts';
import {
  type Endpoint,
  PROXY_V1_UNKNOWN,
  PROXY_V2_LOCAL,
  encodeProxyV1,
  encodeProxyV2,
} from '../../../src/wire/proxy-protocol.ts';

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const header = createProxyHeader();

const shownEnd = (endpoint: Endpoint | null) =>
  endpoint === null ? null : `${formatIpAddress(endpoint.address)}#${endpoint.port}`;

/** The verdict as a text; the bytes are not changed. */
function read(bytes: Uint8Array, length = bytes.length): string {
  const result = readProxyHeader(header, bytes.slice(), length);
  if (result === INCOMPLETE) return 'incomplete';
  if (result === MALFORMED) return 'malformed';
  const { source, destination, uniqueId, isLocal } = header;
  const client =
    source === null
      ? isLocal
        ? 'no client'
        : 'unknown client'
      : `${shownEnd(source)} to ${shownEnd(destination)}`;
  return `${result}: ${client}${uniqueId === null ? '' : `, id ${formatUniqueId(uniqueId)}`}`;
}

const signature = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10];
const uint16 = (value: number) => [value >>> 8, value & 255];
const tlv = (type: number, value: readonly number[]) => [type, ...uint16(value.length), ...value];
const ascii = (text: string) => Array.from(Buffer.from(text, 'latin1'));
/** A header of version 2; `length` for one that lies. */
const v2 = (command: number, family: number, block: readonly number[], length = block.length) =>
  Uint8Array.of(...signature, command, family, ...uint16(length), ...block);
const IPV4 = [203, 0, 113, 9, 192, 0, 2, 1, ...uint16(40_000), ...uint16(443)];
const IPV6 = [
  ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9],
  ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...uint16(40_000),
  ...uint16(443),
];
/** With its checksum, or a wrong one. */
function withChecksum(family: number, block: readonly number[], wrong = 0): Uint8Array {
  const bytes = v2(0x21, family, [...block, ...tlv(3, [0, 0, 0, 0])]);
  new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32c(bytes) ^ wrong);
  return bytes;
}
const FOUR = '203.0.113.9#40000 to 192.0.2.1#443';
const SIX = '2001:db8::9#40000 to 2001:db8::1#443';
const line = (text: string) => latin1(`PROXY ${text}\r\n`);
/** The longest line of section 2.1. */
const WORST = `UNKNOWN ${'f'.repeat(39)} ${'f'.repeat(39)} 65535 65535`;

const ROWS: readonly (readonly [title: string, bytes: Uint8Array, expected: string])[] = [
  ['v1, TCP4', line('TCP4 203.0.113.9 192.0.2.1 40000 443'), `44: ${FOUR}`],
  ['v1, TCP6', line('TCP6 2001:db8::9 2001:DB8:0::1 40000 443'), `48: ${SIX}`],
  [
    'v1, TCP6 with a mapped address, as HAProxy sends for mixed families',
    line('TCP6 ::ffff:203.0.113.9 2001:db8::1 40000 443'),
    '53: 203.0.113.9#40000 to 2001:db8::1#443',
  ],
  [
    'v1, ports 0 and 65535',
    line('TCP4 203.0.113.9 192.0.2.1 0 65535'),
    '42: 203.0.113.9#0 to 192.0.2.1#65535',
  ],
  ['v1, UNKNOWN', line('UNKNOWN'), '15: no client'],
  ['v1, UNKNOWN with anything', line('UNKNOWN \0 x TCP4'), '24: no client'],
  ['v1, the longest line', line(WORST), '107: no client'],
  ['v1, one byte longer', line(`${WORST}0`), 'malformed'],
  ['v1, as long without an end', latin1(`PROXY ${WORST}0`), 'malformed'],
  ['v1, followed by data', latin1('PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n'), '15: no client'],
  ['v1, port 65536', line('TCP4 203.0.113.9 192.0.2.1 65536 443'), 'malformed'],
  ['v1, a port with a leading zero', line('TCP4 203.0.113.9 192.0.2.1 040 443'), 'malformed'],
  ['v1, a port with a sign', line('TCP4 203.0.113.9 192.0.2.1 +40 443'), 'malformed'],
  ['v1, a port in hexadecimal', line('TCP4 203.0.113.9 192.0.2.1 0x40 443'), 'malformed'],
  ['v1, an octet with a leading zero', line('TCP4 203.0.113.09 192.0.2.1 40 443'), 'malformed'],
  ['v1, three octets', line('TCP4 203.0.113 192.0.2.1 40 443'), 'malformed'],
  ['v1, an IPv6 address for TCP4', line('TCP4 2001:db8::9 192.0.2.1 40 443'), 'malformed'],
  ['v1, an IPv4 address for TCP6', line('TCP6 203.0.113.9 2001:db8::1 40 443'), 'malformed'],
  ['v1, an address with a zone', line('TCP6 fe80::1%eth0 2001:db8::1 40 443'), 'malformed'],
  ['v1, two spaces', line('TCP4 203.0.113.9  192.0.2.1 40 443'), 'malformed'],
  ['v1, a tab', line('TCP4 203.0.113.9\t192.0.2.1 40 443'), 'malformed'],
  ['v1, a space at the end', line('TCP4 203.0.113.9 192.0.2.1 40 443 '), 'malformed'],
  ['v1, a word too many', line('TCP4 203.0.113.9 192.0.2.1 40 443 x'), 'malformed'],
  ['v1, a word too few', line('TCP4 203.0.113.9 192.0.2.1 40'), 'malformed'],
  ['v1, UDP4', line('UDP4 203.0.113.9 192.0.2.1 40 443'), 'malformed'],
  ['v1, in lower case', latin1('proxy UNKNOWN\r\n'), 'malformed'],
  ['v1, a longer word', line('UNKNOWNS'), 'malformed'],
  ['v1, no word', line(''), 'malformed'],
  ['v1, a NUL', line('TCP4 203.0.113.9\0 192.0.2.1 40 443'), 'malformed'],
  ['v1, LF alone', latin1('PROXY UNKNOWN\n'), 'malformed'],
  ['v1, CR alone', latin1('PROXY UNKNOWN\rx'), 'malformed'],
  ['v1, its end is missing', latin1('PROXY UNKNOWN\r'), 'incomplete'],
  ['v2, TCP over IPv4', v2(0x21, 0x11, IPV4), `28: ${FOUR}`],
  ['v2, TCP over IPv6', v2(0x21, 0x21, IPV6), `52: ${SIX}`],
  [
    'v2, TLVs of AWS, NOOP and unknown ones',
    v2(0x21, 0x11, [...IPV4, ...tlv(0xea, [1, 2, 3]), ...tlv(4, []), ...tlv(0xff, [0])]),
    `41: ${FOUR}`,
  ],
  ['v2, a unique id', v2(0x21, 0x11, [...IPV4, ...tlv(5, ascii('a-1'))]), `34: ${FOUR}, id a-1`],
  ['v2, a binary unique id', v2(0x21, 0x21, [...IPV6, ...tlv(5, [0, 255])]), `57: ${SIX}, id 0x00ff`],
  ['v2, an empty unique id', v2(0x21, 0x11, [...IPV4, ...tlv(5, [])]), `31: ${FOUR}`],
  [
    'v2, a unique id of 128 bytes',
    v2(0x21, 0x11, [...IPV4, ...tlv(5, Array(128).fill(97))]),
    `159: ${FOUR}, id ${'a'.repeat(128)}`,
  ],
  ['v2, a unique id of 129 bytes', v2(0x21, 0x11, [...IPV4, ...tlv(5, Array(129).fill(97))]), 'malformed'],
  ['v2, two unique ids', v2(0x21, 0x11, [...IPV4, ...tlv(5, [1]), ...tlv(5, [2])]), 'malformed'],
  ['v2, the right checksum', withChecksum(0x11, IPV4), `35: ${FOUR}`],
  ['v2, the right checksum after others', withChecksum(0x21, [...IPV6, ...tlv(2, ascii('x'))]), `63: ${SIX}`],
  ['v2, a wrong checksum', withChecksum(0x11, IPV4, 1), 'malformed'],
  ['v2, a wrong checksum over Unix sockets', withChecksum(0x31, Array(216).fill(0), 1), 'malformed'],
  ['v2, a checksum of 3 bytes', v2(0x21, 0x11, [...IPV4, ...tlv(3, [0, 0, 0])]), 'malformed'],
  ['v2, two checksums', withChecksum(0x11, [...IPV4, ...tlv(3, [0, 0, 0, 0])]), 'malformed'],
  ['v2, half a TLV', v2(0x21, 0x11, [...IPV4, 4, 0]), 'malformed'],
  ['v2, a TLV beyond the end', v2(0x21, 0x11, [...IPV4, 4, 0, 2, 1]), 'malformed'],
  ['v2, an IPv4 block of 11 bytes', v2(0x21, 0x11, IPV4.slice(1)), 'malformed'],
  ['v2, no IPv6 block (a crash elsewhere)', v2(0x21, 0x21, []), 'malformed'],
  ['v2, an IPv6 block of 35 bytes', v2(0x21, 0x21, IPV6.slice(1)), 'malformed'],
  ['v2, Unix sockets', v2(0x21, 0x31, Array(216).fill(47)), '232: unknown client'],
  ['v2, a short block for Unix sockets', v2(0x21, 0x31, Array(215).fill(47)), 'malformed'],
  ['v2, UDP over IPv4', v2(0x21, 0x12, IPV4), '28: unknown client'],
  ['v2, UDP over IPv6', v2(0x21, 0x22, IPV6), '52: unknown client'],
  ['v2, UNSPEC', v2(0x21, 0, []), '16: unknown client'],
  ['v2, UNSPEC with anything', v2(0x21, 0, [1, 2, 3]), '19: unknown client'],
  ['v2, IPv4 without a transport', v2(0x21, 0x10, IPV4), '28: unknown client'],
  ['v2, LOCAL', PROXY_V2_LOCAL, '16: no client'],
  ['v2, LOCAL with an address and a family that is none', v2(0x20, 0xff, IPV4), '28: no client'],
  ['v2, LOCAL with half an address', v2(0x20, 0x11, [1, 2]), '18: no client'],
  ['v2, an unknown family', v2(0x21, 0x41, IPV4), 'malformed'],
  ['v2, an unknown transport', v2(0x21, 0x13, IPV4), 'malformed'],
  ['v2, an unknown command', v2(0x22, 0x11, IPV4), 'malformed'],
  ['version 1 in the binary form', v2(0x11, 0x11, IPV4), 'malformed'],
  ['version 3', v2(0x31, 0x11, IPV4), 'malformed'],
  [
    'v2, the longest header',
    v2(0x20, 0, Array(MAX_PROXY_HEADER_BYTES - 16).fill(0)),
    `${MAX_PROXY_HEADER_BYTES}: no client`,
  ],
  ['v2, one byte longer', v2(0x20, 0, [], MAX_PROXY_HEADER_BYTES - 15), 'malformed'],
  ['v2, 64 KB', v2(0x21, 0x11, IPV4, 65_535), 'malformed'],
  ['v2, followed by a ClientHello', Uint8Array.of(...v2(0x21, 0x11, IPV4), 22, 3, 1), `28: ${FOUR}`],
  ['v2, a byte is missing', v2(0x21, 0x11, IPV4.slice(0, 11), 12), 'incomplete'],
  ['HTTP', latin1('GET / HTTP/1.1\r\n\r\n'), 'malformed'],
  ['HTTP that begins like v1', latin1('POST / HTTP/1.1\r\n\r\n'), 'malformed'],
  ['empty lines before a request', latin1('\r\n\r\nGET'), 'malformed'],
  ['a ClientHello', Uint8Array.of(22, 3, 1, 2, 0), 'malformed'],
  ['no byte', new Uint8Array(0), 'incomplete'],
];

describe('headers', () => {
  for (const [title, bytes, expected] of ROWS) {
    test(title, () => {
      assert.equal(read(bytes), expected);
      // In pieces: nothing but "incomplete" before its verdict, and that does not change.
      const length = Number.parseInt(expected, 10);
      for (let cut = 0; cut < bytes.length; cut++) {
        const verdict = read(bytes, cut);
        if (cut < length || verdict === 'incomplete') assert.equal(verdict, 'incomplete', `${cut} bytes`);
        else assert.equal(verdict, expected, `${cut} bytes`);
      }
    });
  }

  test('what is refused is refused as soon as a byte is wrong', () => {
    for (const [text, at] of [
      ['GET', 1],
      ['POST', 2],
      ['PROXY?', 6],
      ['\r\n\r\nG', 5],
    ] as const) {
      const bytes = latin1(text);
      assert.equal(read(bytes, at - 1), 'incomplete');
      assert.equal(read(bytes, at), 'malformed');
    }
    for (const [at, value] of [
      [12, 0x22],
      [13, 0x41],
      [15, 3],
    ]) {
      const bytes = v2(0x21, 0x11, IPV4);
      bytes[at] = value;
      assert.equal(read(bytes, at), 'incomplete');
      assert.equal(read(bytes, at + 1), 'malformed');
    }
  });
});

const anyPort = fc.nat(65_535);
const ipv4 = fc.record({ address: fc.nat(0xffffffff).map(mapIpv4), port: anyPort });
const ipv6 = fc.record({
  address: fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => mappedIpv4(bytes) === undefined),
  port: anyPort,
});
const pairs = fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6), fc.tuple(ipv4, ipv6));
const id = fc.option(fc.uint8Array({ minLength: 1, maxLength: 128 }), { nil: null });
const rest = fc.uint8Array({ maxLength: 40 });

test('what the encoder writes is read back, whatever follows', () => {
  fc.assert(
    fc.property(pairs, id, rest, ([source, destination], uniqueId, rest) => {
      const details = { protocol: latin1('h2'), authority: 'example.com', uniqueId };
      for (const [bytes, knownId] of [
        [encodeProxyV1(source, destination), null],
        [encodeProxyV2(source, destination, details), uniqueId],
      ] as const) {
        const length = readProxyHeader(header, Uint8Array.of(...bytes, ...rest), bytes.length + rest.length);
        assert.equal(length, bytes.length);
        assert.deepEqual({ ...header.source }, { ...source });
        assert.deepEqual({ ...header.destination }, { ...destination });
        assert.deepEqual(header.uniqueId, knownId);
      }
    }),
  );
  for (const bytes of [PROXY_V1_UNKNOWN, PROXY_V2_LOCAL])
    assert.equal(read(bytes), `${bytes.length}: no client`);
});

test('any changed bit of a header with a checksum is noticed, unless it makes the checksum another thing', () => {
  const source = { address: mapIpv4(0xcb007109), port: 40_000 };
  const bytes = encodeProxyV2(source, source, { protocol: null, authority: 'example.com', uniqueId: null });
  const expected = read(bytes);
  const checksumAt = bytes.length - 7;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    if (bit >>> 3 === checksumAt) continue;
    const changed = bytes.slice();
    changed[bit >>> 3] ^= 1 << (bit & 7);
    const verdict = read(changed);
    // LOCAL, UNSPEC and shorter headers have no checksum that counts.
    const isOther =
      verdict === 'malformed' || verdict === 'incomplete' || / (?:no|unknown) client$/.test(verdict);
    assert.ok(isOther, `bit ${bit}: ${verdict}, not ${expected}`);
  }
});

test('an id that is no text is shown in hexadecimal', () => {
  assert.equal(formatUniqueId(latin1('a b')), '0x612062');
  assert.equal(formatUniqueId(latin1('!~')), '!~');
});
