import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { adjustChecksum, checksumOf, complement, foldSum, sumOfBytes } from '../../../src/wire/checksum.ts';
import {
  errorType4to6,
  errorType6to4,
  plateauBelow,
  pointer4to6,
  pointer6to4,
} from '../../../src/wire/icmp.ts';
import { isNeverRouted, isNonGlobal } from '../../../src/wire/ipv4-scope.ts';
import { ipv4HeaderBytes, unexpiredSourceRoute } from '../../../src/wire/ipv4.ts';
import { parseIpv4 } from '../../../src/wire/ip-address.ts';
import { tcpHeaderBytes } from '../../../src/wire/tcp-udp.ts';

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Exact arithmetic: the sum of the words modulo 0xffff, where every multiple of 0xffff except zero becomes 0xffff. */
function bigSum(bytes: Uint8Array): number {
  let sum = 0n;
  for (let i = 0; i < bytes.length; i += 2) sum += BigInt(bytes[i] * 256 + (bytes[i + 1] ?? 0));
  return sum === 0n ? 0 : Number((sum - 1n) % 0xffffn) + 1;
}

test('the sum of bytes, also of odd lengths, agrees with exact arithmetic', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      assert.equal(foldSum(sumOfBytes(viewOf(bytes), 0, bytes.length)), bigSum(bytes));
    }),
  );
  const largest = new Uint8Array(65_535).fill(0xff);
  assert.equal(foldSum(sumOfBytes(viewOf(largest), 0, largest.length)), bigSum(largest));
});

test('an adjusted checksum equals one computed anew', () => {
  const words = fc.uint8Array({ minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(words, words, words, (constant, before, after) => {
      fc.pre(constant.some((byte) => byte !== 0));
      const whole = (part: Uint8Array) => {
        const bytes = Uint8Array.from([...constant, ...part]);
        return checksumOf(sumOfBytes(viewOf(bytes), 0, 16));
      };
      const delta = complement(sumOfBytes(viewOf(before), 0, 8)) + sumOfBytes(viewOf(after), 0, 8);
      assert.equal(adjustChecksum(whole(before), delta), whole(after));
    }),
  );
});

test('header lengths never reach beyond the end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), (bytes, at) => {
      fc.pre(at <= bytes.length);
      const left = bytes.length - at;
      for (const headerBytes of [
        ipv4HeaderBytes(viewOf(bytes), at, bytes.length),
        tcpHeaderBytes(viewOf(bytes), at, bytes.length),
      ])
        assert.ok(headerBytes === 0 || (headerBytes >= 20 && headerBytes <= left));
    }),
  );
});

test('IPv4 options: only a source route with hops left counts, and malformed options are detected', () => {
  const rows: [title: string, options: number[], expected: number][] = [
    ['no-operation and end', [1, 1, 0, 9], 0],
    ['record route', [7, 7, 4, 0, 0, 0, 0, 0], 0],
    ['loose, unexpired', [131, 7, 4, 203, 0, 113, 1, 0], 22],
    ['loose, used up', [131, 7, 8, 203, 0, 113, 1, 0], 0],
    ['strict behind a no-operation', [1, 137, 7, 4, 203, 0, 113, 1], 23],
    ['longer than the header', [7, 9, 4, 0, 0, 0, 0, 0], -1],
    ['length below 2', [7, 1, 0, 0], -1],
    ['no room for the length', [1, 1, 1, 7], -1],
  ];
  for (const [title, options, expected] of rows) {
    const header = Uint8Array.from([0x45 + options.length / 4, ...Array<number>(19).fill(0), ...options]);
    assert.equal(unexpiredSourceRoute(viewOf(header), 0, header.length), expected, title);
  }
});

test('any bytes as options: the result is inside the header', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 60 }), (bytes) => {
      const pointer = unexpiredSourceRoute(viewOf(bytes), 0, bytes.length);
      assert.ok(pointer === -1 || pointer === 0 || (pointer >= 22 && pointer < bytes.length));
    }),
  );
});

test('N24: ICMPv4 errors are translated as in RFC 7915 section 4.2', () => {
  const rows: [type: number, codes: number[], expected: number][] = [
    [3, [0, 1, 5, 6, 7, 8, 11, 12], 0x100],
    [3, [2], 0x401],
    [3, [3], 0x104],
    [3, [4], 0x200],
    [3, [9, 10, 13, 15], 0x101],
    [3, [14, 16, 255], -1],
    [11, [0], 0x300],
    [11, [1], 0x301],
    [12, [0, 2], 0x400],
    [12, [1, 3], -1],
    [4, [0], -1],
    [5, [0, 1], -1],
  ];
  for (const [type, codes, expected] of rows)
    for (const code of codes) assert.equal(errorType4to6(type, code), expected, `${type}/${code}`);
});

test('ICMPv6 errors are translated as in RFC 7915 section 5.2', () => {
  const rows: [type: number, codes: number[], expected: number][] = [
    [1, [0, 2, 3], 0x301],
    [1, [1], 0x30a],
    [1, [4], 0x303],
    [1, [5, 6, 255], -1],
    [2, [0], 0x304],
    [3, [0], 0xb00],
    [3, [1], 0xb01],
    [4, [0], 0xc00],
    [4, [1], 0x302],
    [4, [2], -1],
    [5, [0], -1],
    [127, [0], -1],
  ];
  for (const [type, codes, expected] of rows)
    for (const code of codes) assert.equal(errorType6to4(type, code), expected, `${type}/${code}`);
});

test('pointers of parameter problems: RFC 7915 figures 3 and 6', () => {
  const to6 = [0, 1, 4, 4, -1, -1, -1, -1, 7, 6, -1, -1, 8, 8, 8, 8, 24, 24, 24, 24, -1];
  for (const [pointer, expected] of to6.entries()) assert.equal(pointer4to6(pointer), expected);
  const rows: [pointer: number, expected: number][] = [
    [0, 0],
    [1, 1],
    [2, -1],
    [3, -1],
    [4, 2],
    [5, 2],
    [6, 9],
    [7, 8],
    [8, 12],
    [23, 12],
    [24, 16],
    [39, 16],
    [40, -1],
    [0xffff_ffff, -1],
  ];
  for (const [pointer, expected] of rows) assert.equal(pointer6to4(pointer), expected, `${pointer}`);
});

test('the plateau below a packet', () => {
  const rows = [
    [65_535, 32_000],
    [1500, 1492],
    [1492, 1006],
    [576, 508],
    [68, 68],
    [20, 68],
  ];
  for (const [bytes, expected] of rows) assert.equal(plateauBelow(bytes), expected);
});

test('scopes of IPv4 addresses, at their limits', () => {
  const rows: [text: string, scope: 'never' | 'non-global' | 'global'][] = [
    ['0.0.0.0', 'never'],
    ['0.255.255.255', 'never'],
    ['1.0.0.0', 'global'],
    ['9.255.255.255', 'global'],
    ['10.0.0.0', 'non-global'],
    ['10.255.255.255', 'non-global'],
    ['100.63.255.255', 'global'],
    ['100.64.0.0', 'non-global'],
    ['100.127.255.255', 'non-global'],
    ['100.128.0.0', 'global'],
    ['127.0.0.1', 'never'],
    ['169.253.255.255', 'global'],
    ['169.254.0.0', 'never'],
    ['172.15.255.255', 'global'],
    ['172.16.0.0', 'non-global'],
    ['172.31.255.255', 'non-global'],
    ['172.32.0.0', 'global'],
    // RFC 6890 section 2.1, except two anycast addresses (RFC 7723, RFC 8155).
    ['191.255.255.255', 'global'],
    ['192.0.0.0', 'non-global'],
    ['192.0.0.1', 'non-global'],
    ['192.0.0.8', 'non-global'],
    ['192.0.0.9', 'global'],
    ['192.0.0.10', 'global'],
    ['192.0.0.11', 'non-global'],
    ['192.0.0.170', 'non-global'],
    ['192.0.0.255', 'non-global'],
    ['192.0.1.0', 'global'],
    ['192.0.2.1', 'global'],
    ['192.31.196.1', 'global'],
    ['192.52.193.1', 'global'],
    ['192.88.98.255', 'global'],
    ['192.88.99.1', 'non-global'],
    ['192.88.100.0', 'global'],
    ['192.175.48.1', 'global'],
    ['192.167.255.255', 'global'],
    ['192.168.0.0', 'non-global'],
    ['192.169.0.0', 'global'],
    ['198.17.255.255', 'global'],
    ['198.18.0.0', 'non-global'],
    ['198.19.255.255', 'non-global'],
    ['198.20.0.0', 'global'],
    ['198.51.100.1', 'global'],
    ['203.0.113.1', 'global'],
    ['223.255.255.255', 'global'],
    ['224.0.0.0', 'never'],
    ['239.255.255.255', 'never'],
    ['240.0.0.0', 'never'],
    ['255.255.255.255', 'never'],
  ];
  for (const [text, scope] of rows) {
    const value = (parseIpv4(text) as number) | 0;
    assert.equal(isNeverRouted(value), scope === 'never', text);
    assert.equal(isNonGlobal(value), scope === 'non-global', text);
  }
});
