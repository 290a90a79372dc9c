/**
 * PROXY headers: the verdict does not depend on how the bytes arrive, nor on what follows; and a header that names a client is, when
 * it is written again, read as the same.
 */
import assert from 'node:assert/strict';
import { mapIpv4, parseIpv6 } from '../../src/wire/ip-address.ts';
import {
  INCOMPLETE,
  MALFORMED,
  MAX_PROXY_HEADER_BYTES,
  MAX_UNIQUE_ID_BYTES,
  createProxyHeader,
  readProxyHeader,
} from '../../src/wire/proxy-header.ts';
import { PROXY_V2_LOCAL, encodeProxyV1, encodeProxyV2 } from '../../src/wire/proxy-protocol.ts';
import { type FuzzTarget, text } from './target.ts';

const header = createProxyHeader();

/** The reader sets checksums to zero, so it gets a copy. */
const read = (bytes: Uint8Array, length = bytes.length) =>
  readProxyHeader(header, Uint8Array.from(bytes), length);

function proxyHeader(bytes: Uint8Array): void {
  const length = read(bytes);
  const { source, destination, uniqueId } = header;
  assert.ok(length <= Math.min(bytes.length, MAX_PROXY_HEADER_BYTES));
  const cut = bytes.length >>> 1;
  const first = read(bytes, cut);
  if (first !== INCOMPLETE) assert.equal(first, length);
  if (length !== INCOMPLETE) assert.equal(read(Uint8Array.of(...bytes, 13, 10, 13, 10)), length);
  if (length === INCOMPLETE || length === MALFORMED) return;
  for (let end = 0; end < length; end += 1 + (length >>> 4)) assert.equal(read(bytes, end), INCOMPLETE);
  assert.equal(source === null, destination === null);
  assert.ok(uniqueId === null || (uniqueId.length > 0 && uniqueId.length <= MAX_UNIQUE_ID_BYTES));
  if (source === null || destination === null) return;
  const again = encodeProxyV2(source, destination, { protocol: null, authority: undefined, uniqueId });
  assert.equal(read(again), again.length);
  assert.deepEqual([header.source, header.destination, header.uniqueId], [source, destination, uniqueId]);
}

export function proxyTargets(): FuzzTarget[] {
  const ipv4 = { address: mapIpv4(0xcb007109), port: 40_000 };
  const ipv6 = { address: parseIpv6('2001:db8::9')!, port: 443 };
  const uniqueId = Uint8Array.from(Buffer.from('front-17'));
  const details = { protocol: Uint8Array.of(104, 50), authority: 'example.com', uniqueId };
  return [
    {
      name: 'proxy-header',
      seeds: [
        ...text('PROXY TCP4 203.0.113.9 192.0.2.1 40000 443\r\nGET', 'PROXY UNKNOWN x y\r\n'),
        encodeProxyV1(ipv6, ipv6),
        encodeProxyV2(ipv4, ipv4, details),
        encodeProxyV2(ipv6, ipv6, details),
        // Without a checksum, so that mutations are read.
        encodeProxyV2(ipv6, ipv6, details).map((byte, i, all) => (i === all.length - 7 ? 4 : byte)),
        PROXY_V2_LOCAL,
      ],
      run: proxyHeader,
    },
  ];
}
