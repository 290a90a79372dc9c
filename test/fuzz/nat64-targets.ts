/** Outside inputs of NAT64: packets, and the file of stored sessions. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { compileEam } from '../../src/services/nat64/settings/eam.ts';
import { compilePortBlocks } from '../../src/services/nat64/settings/port-blocks.ts';
import { checkFragmentMemory } from '../unit/services/nat64/fragment-invariants.ts';
import { fragments4, fragments6 } from '../unit/services/nat64/rows.ts';
import { sendInBursts } from '../unit/services/nat64/bursts.ts';
import {
  type HarnessOptions,
  OWN4_BESIDE,
  createHarness,
  pool,
  prefixOf,
} from '../unit/services/nat64/harness.ts';
import { restoreSessions } from '../../src/services/nat64/control/restore.ts';
import { removeSessionsUnless } from '../../src/services/nat64/tables/sessions.ts';
import type { Snapshot } from '../../src/services/nat64/control/snapshot.ts';
import { decodeSnapshot, encodeSnapshot } from '../../src/services/nat64/control/snapshot-bytes.ts';
import { CONTROL } from '../../src/services/nat64/tables/tables.ts';
import { address, assertWellFormed, icmp, ip, readU32, tcp, udp } from '../unit/services/nat64/packets.ts';
import type { FuzzTarget } from './target.ts';
import { compileList4 } from '../../src/services/nat64/settings/address-list.ts';
import { createFragmentMemory } from '../../src/services/nat64/tables/fragment-records.ts';

const ISLAND = '2001:db8:1::10';
const INTERNET6 = '64:ff9b::203.0.113.9';
const OUTWARD = { source: ISLAND, destination: INTERNET6, data: new Uint8Array(40) };
const INWARD = { source: '203.0.113.9', destination: '198.51.100.1', data: new Uint8Array(40) };

/** One translator for all packets: the entries that earlier ones left in its tables are part of the input. */
export function nat64Target(
  name: string,
  options: HarnessOptions,
  more: readonly Uint8Array[] = [],
): FuzzTarget {
  const outward = [
    tcp({ ...OUTWARD, sourcePort: 1024, destinationPort: 443, flags: 2 }),
    udp({ ...OUTWARD, sourcePort: 1024, destinationPort: 53 }),
    icmp({ ...OUTWARD, type: 128, rest: 0x1234_0001 }),
  ];
  const harness = createHarness({ ports: [32_768, 32_799], maxSessions: 1024, ...options });
  // The answers of a server to the first packets, and errors that quote them, so that mutations reach sessions.
  const inward = outward.flatMap((packet) => {
    const translated = harness.send(packet);
    assert.ok(translated !== undefined);
    const port = (translated[20] << 8) | translated[21];
    const quoting = { ...INWARD, data: translated.slice(0, 28) };
    return [
      tcp({ ...INWARD, sourcePort: 443, destinationPort: port, flags: 18 }),
      udp({ ...INWARD, sourcePort: 53, destinationPort: port }),
      icmp({ ...INWARD, type: 0, rest: 0x1234_0001 }),
      icmp({ ...quoting, type: 3, code: 4, rest: 1300 }),
      icmp({ ...quoting, type: 11 }),
    ];
  });
  const errors = [1, 2, 3, 4].map((type) =>
    icmp({ ...OUTWARD, data: inward[0].slice(0, 100), type, rest: type === 2 ? 1300 : 0 }),
  );
  let seconds = 0;
  return {
    name,
    seeds: [...outward, ...inward, ...errors, ...more],
    run(bytes) {
      harness.setTime(seconds++ >>> 6);
      const outs = harness.sendAll(bytes);
      if (outs.length === 0 || harness.counted()['icmp-returned'] !== undefined) return;
      for (const out of outs) assertWellFormed(out, { transportChecksum: false });
    },
  };
}

/** Frames as a TUN device with offloads delivers them: packets that stand for several, and packets sent in bursts. */
export function nat64OffloadTarget(): FuzzTarget {
  const harness = createHarness({ ports: [32_768, 32_799], maxSessions: 1024 });
  const outward = { ...OUTWARD, sourcePort: 1024, destinationPort: 53, data: new Uint8Array(300) };
  const inward = { ...INWARD, sourcePort: 53, destinationPort: 0, data: new Uint8Array(3000) };
  const translated = harness.send(udp(outward));
  assert.ok(translated !== undefined);
  inward.destinationPort = (translated[20] << 8) | translated[21];
  const frame = (packet: Uint8Array, gsoType: number, gsoSize: number, transport: number, checksum: number) =>
    Uint8Array.from([1, gsoType, 0, 0, gsoSize & 255, gsoSize >> 8, transport, 0, checksum, 0, ...packet]);
  return {
    name: 'nat64-offload',
    seeds: [
      frame(tcp({ ...outward, flags: 2 }), 4, 100, 40, 16),
      frame(udp(outward), 5, 100, 40, 6),
      frame(udp(outward), 0, 0, 40, 6),
      frame(udp({ ...inward, fragment: 0 }), 5, 1400, 20, 6),
    ],
    run(bytes) {
      if (bytes.length < 10) return;
      const sent = sendInBursts(harness, [bytes, bytes, bytes]);
      if (harness.counted()['icmp-returned'] !== undefined) return;
      for (const frame of sent) assertWellFormed(frame.slice(10), { transportChecksum: false });
    },
  };
}

/**
 * Fragments in a memory so small that all of them compete for it: for any input, every block stays accounted for. Each input is
 * followed by one of the correct fragments, so that changed fragments meet correct ones.
 */
export function nat64FragmentsTarget(): FuzzTarget {
  const harness = createHarness({ ports: [32_768, 32_799], maxSessions: 1024 });
  const { fragments } = harness.translator;
  const sixes = { ...OUTWARD, sourcePort: 1024, destinationPort: 53, data: new Uint8Array(900) };
  const translated = harness.send(udp(sixes));
  assert.ok(translated !== undefined);
  const port = (translated[20] << 8) | translated[21];
  const fours = { ...INWARD, sourcePort: 53, destinationPort: port, data: new Uint8Array(900) };
  const bare = udp(fours);
  bare.set([0, 0], 26);
  const offsets = [0, 200, 800, 908];
  const seeds = [
    ...fragments6(udp(sixes), offsets, 1),
    ...fragments6(icmp({ ...sixes, type: 128, rest: 0x1234_0001 }), offsets, 2),
    ...fragments4(udp(fours), offsets, 3),
    ...fragments4(bare, offsets, 4),
    ...fragments4(icmp({ ...fours, type: 8, rest: port << 16 }), offsets, 5),
  ];
  const memories = [createFragmentMemory(1, 7, 31), createFragmentMemory(2, 7, 31)];
  [fragments.from4, fragments.from6] = memories;
  let turn = 0;
  return {
    name: 'nat64-fragments',
    seeds,
    run(bytes) {
      harness.setTime(turn >>> 6);
      for (const packet of [bytes, seeds[turn++ % seeds.length]]) {
        const outs = harness.sendAll(packet);
        if (harness.counted()['icmp-returned'] !== undefined) continue;
        for (const out of outs) assertWellFormed(out, { transportChecksum: false });
      }
      if ((turn & 63) === 0) for (const memory of memories) checkFragmentMemory(memory);
    },
  };
}

const MAPPED4 = '192.0.2.9';
const MAPPED6 = '2001:db8:1::99';
/** A node on the IPv4 side, and its representation on the other. */
const NODE4 = '203.0.113.80';
const NODE6 = '2001:db8:9::80';
const SECOND_PREFIX = '2001:db8:64::/96';

/** The same with all settings that are possible beside sessions: address mappings, other prefixes, denied addresses, blocks. */
export function mappedNat64Target(): FuzzTarget {
  const out = { source: MAPPED6, destination: INTERNET6, data: new Uint8Array(40) };
  const back = { source: '203.0.113.9', destination: MAPPED4, data: new Uint8Array(40) };
  const ports = { sourcePort: 1024, destinationPort: 53 };
  const [toHost, fromHost] = [udp({ ...back, ...ports }), udp({ ...out, ...ports })];
  const settings = {
    eam: compileEam([
      { ipv4: prefixOf('192.0.2.0/28'), ipv6: prefixOf('2001:db8:1::90/124') },
      { ipv4: prefixOf(`${MAPPED4}/32`), ipv6: prefixOf(`${MAPPED6}/128`) },
      { ipv4: prefixOf(`${NODE4}/32`), ipv6: prefixOf(`${NODE6}/128`), isOnIpv4Side: true },
    ]),
    denied4: compileList4([prefixOf('203.0.113.128/25')]),
    icmpSources4: Int32Array.of(0x0102_0304, 0x0102_0305),
    portBlocks: compilePortBlocks(8, 128, [prefixOf('2001:db8:1::10/126')], [pool(0, 32_768, 32_799)]),
    isAddressDependent: true,
    answersRefused4: true,
  };
  return nat64Target('nat64-mapped', { extraPrefixes: [SECOND_PREFIX], settings }, [
    toHost,
    fromHost,
    tcp({ ...back, ...ports, flags: 2 }),
    tcp({ ...out, ...ports, flags: 18 }),
    ip({ ...out, protocol: 132, payload: new Uint8Array(32) }),
    ip({ ...back, protocol: 132, payload: new Uint8Array(32) }),
    // From one mapping to another, and errors about such packets.
    udp({ ...out, ...ports, destination: '64:ff9b::192.0.2.5' }),
    icmp({ ...out, source: '2001:db8:ffff::1', data: udp({ ...back, ...ports }), type: 1 }),
    icmp({
      ...out,
      source: '2001:db8:1::95',
      data: udp({ source: INTERNET6, destination: MAPPED6, ...ports }),
      type: 3,
    }),
    icmp({
      ...back,
      source: '198.51.100.254',
      data: udp({ source: MAPPED4, destination: '203.0.113.9', ...ports }),
      type: 11,
    }),
    udp({ ...OUTWARD, ...ports, destination: '2001:db8:64::203.0.113.9' }),
    // Both ends by their mappings, and the appliance's own address.
    udp({ ...out, ...ports, destination: NODE6 }),
    udp({ ...back, ...ports, source: NODE4 }),
    icmp({ ...back, source: NODE4, data: udp({ source: MAPPED4, destination: NODE4, ...ports }), type: 3 }),
    udp({ ...out, ...ports, destination: `64:ff9b::${OWN4_BESIDE}` }),
  ]);
}

/** Stateless mode: hosts with embedded IPv4 addresses, and none with sessions. */
export function statelessNat64Target(): FuzzTarget {
  const embed = (text: string) => `2001:db8:64::${text}`;
  const ports = { sourcePort: 1024, destinationPort: 53, data: new Uint8Array(40) };
  const settings = {
    isStateless: true,
    embedded4: compileList4([prefixOf('192.0.2.128/25')]),
    pools: [],
    poolAddresses: new Int32Array(),
    isOwnAddress: [],
  };
  const out = { source: embed('192.0.2.130'), destination: embed('203.0.113.9') };
  const back = { source: '203.0.113.9', destination: '192.0.2.130' };
  const harness = createHarness({ prefix: '2001:db8:64::/96', allow: ['2001:db8::/32'], settings });
  return {
    name: 'nat64-stateless',
    seeds: [
      udp({ ...out, ...ports }),
      udp({ ...back, ...ports }),
      udp({ ...out, ...ports, destination: embed('192.0.2.131') }),
      icmp({ ...out, data: udp({ source: out.destination, destination: out.source, ...ports }), type: 1 }),
      icmp({ ...back, data: udp({ source: back.destination, destination: back.source, ...ports }), type: 3 }),
    ],
    run(bytes) {
      for (const out of harness.sendAll(bytes)) assertWellFormed(out, { transportChecksum: false });
    },
  };
}

/** The file of kept sessions. Half of the time the checksum is corrected, so that its content is restored. */
export function snapshotTarget(): FuzzTarget {
  const addresses = Int32Array.of(readU32(address('198.51.100.1'), 0) | 0, ...Array<number>(15).fill(0));
  const host = [0, 4, 8, 12].map((at) => readU32(address(ISLAND), at) | 0);
  const snapshot: Snapshot = {
    savedAtMs: 1_700_000_000_000,
    prefixes: ['64:ff9b::/96'],
    addresses,
    bib: Int32Array.of(...host, (1024 << 16) | 40_000, 1, ...host, (1024 << 16) | 40_001, 2),
    sessions: Int32Array.of(0, 0x0102_0304, (443 << 16) | 3, 7000, 1, 0x0102_0304, 53 << 16, 200),
  };
  const { translator } = createHarness({ maxSessions: 1024, allow: ['::/0'] });
  return {
    name: 'nat64-snapshot',
    seeds: [encodeSnapshot(snapshot)],
    run(bytes) {
      if (bytes.length >= 48 && (bytes[bytes.length - 1] & 1) === 0)
        bytes.set(createHash('sha256').update(bytes.subarray(48)).digest(), 16);
      const decoded = decodeSnapshot(bytes);
      if (typeof decoded === 'string') return;
      const prefixes = decoded.prefixes.map((_, i) => (i === 0 ? 0 : -1));
      restoreSessions(translator, { snapshot: decoded, prefixes, elapsedSeconds: 0 });
      removeSessionsUnless(translator.tables, () => false, 0);
      assert.equal(translator.tables.control[CONTROL.SESSION_COUNT], 0);
      assert.equal(translator.tables.control[CONTROL.BIB_COUNT], 0);
    },
  };
}
