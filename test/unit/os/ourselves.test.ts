/** Own addresses, in every form that they can have, and the addresses that rtnetlink reports. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseLocalRoutes } from '../../../src/os/local-routes.ts';
import { followOurselves, readOwn } from '../../../src/os/follow-ourselves.ts';
import {
  compileOurselves,
  isOurselves,
  isOwnAddress,
  isOwnSocketAddress,
} from '../../../src/os/ourselves.ts';
import { encodeSocketAddress } from '../../../src/os/socket-address.ts';
import { mapIpv4, parseIpAddress } from '../../../src/wire/ip-address.ts';
import { type IpPrefix, formatIpPrefix, parseIpPrefix, prefixContains } from '../../../src/wire/ip-prefix.ts';
import { embedIpv4 } from '../../../src/wire/rfc6052.ts';

const prefix = (text: string) => parseIpPrefix(text) as IpPrefix;

const OWN = ['192.0.2.1/32', '192.0.2.255/32', '198.51.100.7/32', '2001:db8:1::1/128', 'fe80::1/128'].map(
  prefix,
);
const NAT64 = ['2001:db8:64::/96', '3fff:9::/32', '3fff:64:0:100::/64', '3fff:1:2:ab00::/56'].map(prefix);
const ourselves = compileOurselves(OWN, NAT64);

/** Whether it is one of our addresses. */
const TABLE: readonly (readonly [what: string, address: string, expected: boolean])[] = [
  ['an address of an interface', '192.0.2.1', true],
  ['another one', '198.51.100.7', true],
  ['its neighbour', '192.0.2.2', false],
  ['the broadcast address of its network', '192.0.2.255', true],
  ['the limited broadcast address', '255.255.255.255', true],
  ['IPv6', '2001:db8:1::1', true],
  ['its neighbour', '2001:db8:1::2', false],
  ['own link-local address', 'fe80::1', true],
  ["another's link-local address", 'fe80::2', false],
  ['loopback', '127.0.0.1', true],
  ['all of 127/8', '127.255.255.254', true],
  ['just above', '128.0.0.0', false],
  ['loopback', '::1', true],
  ['unspecified, which connect(2) takes for loopback', '0.0.0.0', true],
  ['this network', '0.1.2.3', true],
  ['just above', '1.0.0.0', false],
  ['unspecified', '::', true],
  ['IPv4-mapped', '::ffff:192.0.2.1', true],
  ['IPv4-mapped, in hexadecimal', '::ffff:c000:201', true],
  ['IPv4-mapped loopback', '::ffff:127.0.0.1', true],
  ['IPv4-mapped, not ours', '::ffff:192.0.2.2', false],
  ['IPv4-compatible (deprecated): never delivered', '::192.0.2.1', false],
  ['the well-known prefix, although not configured', '64:ff9b::192.0.2.1', true],
  ['loopback in it', '64:ff9b::127.0.0.1', true],
  ['unspecified in it', '64:ff9b::', true],
  ['broadcast in it', '64:ff9b::192.0.2.255', true],
  ['a stranger in it', '64:ff9b::203.0.113.9', false],
  ['a prefix of 96 bits', '2001:db8:64::192.0.2.1', true],
  ['a stranger in it', '2001:db8:64::192.0.2.2', false],
  ['a prefix of 32 bits', '3fff:9:c000:201::', true],
  ['with a suffix and a u-octet, which are ignored', '3fff:9:c000:201:ff01:2:3:4', true],
  ['a stranger in it', '3fff:9:c000:202::', false],
  ['a prefix of 64 bits', '3fff:64:0:100:c0:2:100:0', true],
  ['with a u-octet and a suffix', '3fff:64:0:100:ffc0:2:1ff:ffff', true],
  ['a stranger in it', '3fff:64:0:100:c0:2:200:0', false],
  ['a prefix of 56 bits', '3fff:1:2:abc0:0:201::', true],
  ['a stranger in it', '3fff:1:2:abc0:0:202::', false],
  ['no address', 'example.com', false],
];

for (const [what, address, expected] of TABLE) {
  test(`${address}: ${what}: ${expected ? 'us' : 'not us'}`, () => {
    assert.equal(isOwnAddress(ourselves, address), expected);
    const bytes = parseIpAddress(address);
    if (bytes === undefined) return;
    assert.equal(
      isOurselves(ourselves, Buffer.concat([Buffer.alloc(3), bytes]), 3),
      expected,
      'at an offset',
    );
    assert.equal(
      isOwnSocketAddress(ourselves, encodeSocketAddress({ address: bytes, port: 8064 })),
      expected,
    );
  });
}

const BITS = [32, 40, 48, 56, 64, 96] as const;

test('every form of an own IPv4 address is ours, whatever the NAT64 prefix; that of another is not', () => {
  const words = fc.tuple(fc.integer({ min: 1, max: 0xfffe }), fc.integer({ min: 0, max: 0xffff_ffff }));
  fc.assert(
    fc.property(
      fc.constantFrom(...BITS),
      words,
      fc.nat(0xffff_ffff),
      fc.nat(0xffff_ffff),
      (bits, [high], own, other) => {
        const address = new Uint8Array(16);
        address.set([0x3f, 0xff, high >> 8, high & 255]);
        const nat64 = { address, prefixBits: bits };
        const compiled = compileOurselves([{ address: mapIpv4(own), prefixBits: 128 }], [nat64]);
        assert.ok(isOurselves(compiled, embedIpv4(nat64, own)));
        assert.ok(isOurselves(compiled, mapIpv4(own)));
        const isOurs = compiled.own.some((each) => prefixContains(each, mapIpv4(other)));
        assert.equal(isOurselves(compiled, embedIpv4(nat64, other)), isOurs);
        assert.equal(isOurselves(compiled, mapIpv4(other)), isOurs);
      },
    ),
  );
});

test('the kernel reports all addresses of this machine, and that loopback is local', () => {
  const own = readOwn();
  const has = (text: string) => own.some((each) => prefixContains(each, parseIpAddress(text)!));
  for (const { address } of Object.values(networkInterfaces()).flatMap((each) => each ?? []))
    assert.ok(has(address), address);
  assert.ok(has('127.9.9.9'));
  assert.ok(!has('203.0.113.254'));
});

test('a listener is notified when NAT64 prefixes change, and only then', () => {
  using followed = followOurselves([]);
  const heard: boolean[] = [];
  const form = '2001:db8:64::127.0.0.1';
  using subscription = followed.onChange((next) => void heard.push(isOwnAddress(next, form)));
  assert.equal(isOwnAddress(followed.current, form), false);
  followed.setPrefixes([prefix('2001:db8:64::/96')]);
  followed.setPrefixes([prefix('2001:db8:64::/96')]);
  assert.deepEqual(heard, [true]);
  assert.equal(isOwnAddress(followed.current, form), true);
  subscription[Symbol.dispose]();
  followed.setPrefixes([]);
  assert.deepEqual(heard, [true]);
});

// Dumps in the kernel's format: nlmsghdr, rtmsg, RTA_TABLE and RTA_DST.

interface Route {
  readonly family: 2 | 10;
  readonly type: number;
  readonly table?: number;
  readonly bits: number;
  readonly destination?: readonly number[];
}

const u16 = (value: number) => [value & 255, value >> 8];
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];

function message(type: number, payload: readonly number[], flags = 2): number[] {
  const padding = Array.from<number>({ length: (4 - (payload.length & 3)) & 3 }).fill(0);
  return [
    ...u32(16 + payload.length),
    ...u16(type),
    ...u16(flags),
    ...u32(1),
    ...u32(0),
    ...payload,
    ...padding,
  ];
}

const routeMessage = ({ family, type, table = 255, bits, destination }: Route, flags = 2) =>
  message(
    24,
    [
      ...[family, bits, 0, 0, table, 2, 254, type, ...u32(0)],
      ...[...u16(8), ...u16(15), ...u32(table)],
      ...(destination === undefined ? [] : [...u16(4 + destination.length), ...u16(1), ...destination]),
    ],
    flags,
  );

const DONE = message(3, u32(0));
const OWN6 = [0x20, 1, 0xd, 0xb8, ...Array.from<number>({ length: 11 }).fill(0), 1];

const DUMPS: readonly (readonly [what: string, bytes: readonly number[], expected: readonly string[]])[] = [
  ['local', routeMessage({ family: 2, type: 2, bits: 32, destination: [192, 0, 2, 1] }), ['192.0.2.1/32']],
  [
    'broadcast',
    routeMessage({ family: 2, type: 3, bits: 32, destination: [192, 0, 2, 255] }),
    ['192.0.2.255/32'],
  ],
  [
    'a whole network (AnyIP)',
    routeMessage({ family: 2, type: 2, bits: 24, destination: [192, 0, 2, 0] }),
    ['192.0.2.0/24'],
  ],
  ['IPv6', routeMessage({ family: 10, type: 2, bits: 128, destination: OWN6 }), ['2001:db8::1/128']],
  ['anycast', routeMessage({ family: 10, type: 4, bits: 128, destination: OWN6 }), ['2001:db8::1/128']],
  ['no destination: everything', routeMessage({ family: 10, type: 2, bits: 0 }), ['::/0']],
  ['unicast', routeMessage({ family: 2, type: 1, bits: 32, destination: [192, 0, 2, 1] }), []],
  ['multicast', routeMessage({ family: 10, type: 5, bits: 8, destination: OWN6 }), []],
  [
    'another table, as transparent proxies use it',
    routeMessage({ family: 2, type: 2, table: 100, bits: 0 }),
    [],
  ],
  [
    'a destination of the other family',
    routeMessage({ family: 2, type: 2, bits: 32, destination: OWN6 }),
    [],
  ],
  [
    'more bits than an address has',
    routeMessage({ family: 2, type: 2, bits: 33, destination: [192, 0, 2, 1] }),
    [],
  ],
  ['another kind of message', message(20, [2, 32, 0, 0]), []],
];

for (const [what, bytes, expected] of DUMPS) {
  test(`local routes: ${what}`, () => {
    const { prefixes, isLast, isInterrupted } = parseLocalRoutes(Uint8Array.from([...bytes, ...DONE]));
    assert.deepEqual(prefixes.map(formatIpPrefix), expected);
    assert.deepEqual([isLast, isInterrupted], [true, false]);
    assert.equal(parseLocalRoutes(Uint8Array.from(bytes)).isLast, false);
  });
}

test('local routes: an interrupted dump is reported', () => {
  const route = routeMessage({ family: 2, type: 2, bits: 32, destination: [192, 0, 2, 1] }, 0x12);
  assert.equal(parseLocalRoutes(Uint8Array.from([...route, ...DONE])).isInterrupted, true);
});
