import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crc32c } from '../../../src/wire/crc32c.ts';
import { mapIpv4, mappedIpv4, parseIpAddress } from '../../../src/wire/ip-address.ts';
import {
  type Endpoint,
  PROXY_V1_UNKNOWN,
  PROXY_V2_LOCAL,
  encodeProxyV1,
  encodeProxyV2,
} from '../../../src/wire/proxy-protocol.ts';

const endpoint = (address: string, port: number): Endpoint => ({ address: parseIpAddress(address)!, port });
const NO_DETAILS = { protocol: null, authority: undefined, uniqueId: null };
const anyPort = fc.integer({ min: 1, max: 65535 });
const plain = { noNullPrototype: true } as const;
const ipv4Endpoint = fc.record({ address: fc.nat(0xffffffff).map(mapIpv4), port: anyPort }, plain);
const ipv6Endpoint = fc.record(
  {
    address: fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .filter((bytes) => mappedIpv4(bytes) === undefined),
    port: anyPort,
  },
  plain,
);
const endpoints = fc.oneof(fc.tuple(ipv4Endpoint, ipv4Endpoint), fc.tuple(ipv6Endpoint, ipv6Endpoint));

/** Bit by bit, as in the definition of a CRC. */
function naiveCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const lowest = (crc ^ (byte >>> bit)) & 1;
      crc = (crc >>> 1) ^ (lowest === 1 ? 0x82f63b78 : 0);
    }
  }
  return ~crc >>> 0;
}

function decodeV1(bytes: Uint8Array) {
  const line = Buffer.from(bytes).toString('latin1');
  const match = /^PROXY (TCP4|TCP6) (\S+) (\S+) ([0-9]+) ([0-9]+)\r\n$/.exec(line);
  assert.ok(match !== null && line.length <= 107, `a line of the specification: ${line}`);
  const [, family, source, destination, sourcePort, destinationPort] = match;
  return {
    family,
    source: endpoint(source, Number(sourcePort)),
    destination: endpoint(destination, Number(destinationPort)),
  };
}

function decodeV2(bytes: Uint8Array) {
  const buffer = Buffer.from(bytes);
  assert.equal(buffer.subarray(0, 12).toString('latin1'), '\r\n\r\n\0\r\nQUIT\n');
  assert.equal(buffer[12], 0x21);
  assert.equal(buffer.readUInt16BE(14), buffer.length - 16);
  const size = { 0x11: 4, 0x21: 16 }[buffer[13]];
  assert.ok(size !== undefined);
  const address = (at: number) =>
    size === 4 ? mapIpv4(buffer.readUInt32BE(at)) : Uint8Array.from(buffer.subarray(at, at + 16));
  const source = { address: address(16), port: buffer.readUInt16BE(16 + 2 * size) };
  const destination = { address: address(16 + size), port: buffer.readUInt16BE(18 + 2 * size) };
  const tlvs = new Map<number, Buffer>();
  for (let at = 20 + 2 * size; at < buffer.length; ) {
    const length = buffer.readUInt16BE(at + 1);
    tlvs.set(buffer[at], Buffer.from(buffer.subarray(at + 3, at + 3 + length)));
    if (buffer[at] === 3) buffer.fill(0, at + 3, at + 3 + length);
    at += 3 + length;
  }
  assert.equal(
    tlvs.get(3)?.readUInt32BE(0),
    naiveCrc32c(buffer),
    'CRC32C over the header with the field zero',
  );
  const bytesOf = (type: number) => {
    const value = tlvs.get(type);
    return value === undefined ? null : Uint8Array.from(value);
  };
  return {
    source,
    destination,
    protocol: bytesOf(1),
    authority: tlvs.get(2)?.toString('latin1'),
    uniqueId: bytesOf(5),
  };
}

test('CRC32C: the check value, and a naive reference on any bytes', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
      assert.equal(crc32c(bytes), naiveCrc32c(bytes)),
    ),
  );
});

test('version 1: the example of the specification', () => {
  const line = encodeProxyV1(endpoint('192.0.2.1', 56324), endpoint('203.0.113.1', 443));
  assert.equal(Buffer.from(line).toString(), 'PROXY TCP4 192.0.2.1 203.0.113.1 56324 443\r\n');
});

test('version 1 is read back by a naive decoder', () => {
  fc.assert(
    fc.property(endpoints, ([source, destination]) => {
      const family = mappedIpv4(source.address) === undefined ? 'TCP6' : 'TCP4';
      assert.deepEqual(decodeV1(encodeProxyV1(source, destination)), { family, source, destination });
    }),
  );
});

test('version 2 is read back by a naive decoder, with all details and the checksum', () => {
  const authority = fc.option(fc.stringMatching(/^[a-z0-9.-]{1,255}$/), { nil: undefined });
  const protocol = fc.option(fc.uint8Array({ minLength: 1, maxLength: 255 }), { nil: null });
  const uniqueId = fc.option(fc.uint8Array({ minLength: 1, maxLength: 128 }), { nil: null });
  fc.assert(
    fc.property(
      endpoints,
      authority,
      protocol,
      uniqueId,
      ([source, destination], authority, protocol, uniqueId) => {
        const details = { authority, protocol, uniqueId };
        assert.deepEqual(decodeV2(encodeProxyV2(source, destination, details)), {
          source,
          destination,
          ...details,
        });
      },
    ),
  );
});

test('a pair of mixed families is sent as IPv6, with the IPv4 address in its mapped form', () => {
  const [source, destination] = [endpoint('192.0.2.1', 1), endpoint('2001:db8::1', 2)];
  assert.deepEqual(decodeV2(encodeProxyV2(source, destination, NO_DETAILS)).source, source);
  assert.match(
    Buffer.from(encodeProxyV1(source, destination)).toString(),
    /^PROXY TCP6 ::ffff:192\.0\.2\.1 2001:db8::1 /,
  );
});

test('headers of connections without a client: UNKNOWN and LOCAL', () => {
  assert.equal(Buffer.from(PROXY_V1_UNKNOWN).toString('latin1'), 'PROXY UNKNOWN\r\n');
  assert.equal(Buffer.from(PROXY_V2_LOCAL).toString('hex'), '0d0a0d0a000d0a515549540a20000000');
});
