/** One of our translators and the kernel's program beside it, with the same flows: shows how each translates a packet. */
import assert from 'node:assert/strict';
import { runClassifier } from '../../../src/os/bpf.ts';
import { COUNTER, NAT64_COUNTERS } from '../../../src/services/nat64/counters.ts';
import { loadFastPath } from '../../../src/services/nat64/kernel/fast-path.ts';
import { TALLIES } from '../../../src/services/nat64/kernel/fast-path-record.ts';
import { Flows } from '../../../src/services/nat64/kernel/fast-path-flows.ts';
import type { Settings } from '../../../src/services/nat64/settings/settings.ts';
import { GSO } from '../../../src/wire/virtio-net.ts';
import { HOST, POOL4 as TEST_POOL4, REMOTE, createHarness } from '../../unit/services/nat64/harness.ts';
import {
  type Bytes,
  PROTOCOL,
  TCP_FLAGS,
  checksum,
  concat,
  readU16,
  tcp,
  u16,
  udp,
} from '../../unit/services/nat64/packets.ts';
import { partial, whole } from '../../unit/services/nat64/frames.ts';

export const ETHERNET_BYTES = 14;
export const REDIRECTED = 7;
export const DROPPED = 2;
export const NEXT = -1;
export const REMOTE6 = '64:ff9b::203.0.113.9';
export const HOST_PORT = 40_000;
export const REMOTE_PORT = 443;
/** The kernel's part decrements for two routers; our thread is the second of them (see fast-path.bpf.c). */
const HOPS_MORE = 1;
const ENOUGH_PACKETS = 12;
export const MTU4 = 1400;
export const MTU6 = 1420;

export const ethernet = (packet: Uint8Array): Bytes =>
  concat(new Uint8Array(12), Uint8Array.from(packet[0] >> 4 === 6 ? [0x86, 0xdd] : [8, 0]), packet);

/** A translator that has handed over a flow of each protocol, and the program that has got them. */
export function createPair(objectFile: string, classes: Partial<Settings> = {}) {
  const cleanUp = new DisposableStack();
  const harness = createHarness({
    settings: { mtu4Bytes: MTU4, mtu6Bytes: MTU6, lowestIpv6MtuBytes: 1280, ...classes },
  });
  // The loopback device: outgoing packets need some device.
  const { maps, programs } = cleanUp.use(loadFastPath({ maxFlows: 16, tunIndex: 1, objectFile }));
  const flows = new Flows(maps, 1024, harness.translator.counters);
  harness.translator.flows = flows;
  const program = programs.get(ETHERNET_BYTES)!;
  const out = { source: HOST, destination: REMOTE6, sourcePort: HOST_PORT, destinationPort: REMOTE_PORT };
  const mapped = { tcp: 0, udp: 0 };
  const first = harness.send(tcp({ ...out, flags: TCP_FLAGS.SYN }));
  assert(first !== undefined);
  mapped.tcp = readU16(first, 20);
  const back = { source: REMOTE, destination: TEST_POOL4, sourcePort: REMOTE_PORT };
  harness.send(tcp({ ...back, destinationPort: mapped.tcp, flags: TCP_FLAGS.SYN | TCP_FLAGS.ACK }));
  for (let i = 0; i < ENOUGH_PACKETS; i++) {
    harness.send(tcp(out));
    const datagram = harness.send(udp(out));
    assert(datagram !== undefined);
    mapped.udp = readU16(datagram, 20);
  }
  assert.equal(harness.counters()['flows-handed-over'], 2);
  return { harness, flows, program, out, back, mapped, [Symbol.dispose]: () => cleanUp.dispose() };
}
export type Pair = ReturnType<typeof createPair>;

/** The packet that the kernel's part made from a packet; undefined if it left the packet alone. */
export function run(program: number, packet: Uint8Array, gsoSizeBytes = 0): Bytes | undefined {
  const { verdict, packet: result } = runClassifier(program, ethernet(packet), gsoSizeBytes);
  if (verdict === NEXT) {
    assert.deepEqual(result, ethernet(packet), 'a packet that is left alone is unchanged');
    return undefined;
  }
  assert.equal(verdict, REDIRECTED);
  return result.slice(ETHERNET_BYTES);
}

/** An IPv4 packet without its identification, which is chosen anew for each packet, and with the checksum corrected for that. */
export function normalised(packet: Bytes): Bytes {
  if (packet[0] >> 4 !== 4) return packet;
  const copy = packet.slice();
  copy.set([0, 0], 4);
  copy.set([0, 0], 10);
  copy.set(u16(checksum(copy.subarray(0, 20))), 10);
  return copy;
}

/** Decrements by the hops that our thread does not count. */
export function withFewerHops(packet: Bytes): Bytes {
  const copy = packet.slice();
  copy[packet[0] >> 4 === 6 ? 7 : 8] -= HOPS_MORE;
  if (packet[0] >> 4 === 4) {
    copy.set([0, 0], 10);
    copy.set(u16(checksum(copy.subarray(0, 20))), 10);
  }
  return copy;
}

/** The translation by our thread of a packet, or of one that stands for several, whose checksum is then left to the device. */
export function translated(harness: Pair['harness'], packet: Bytes, gsoSizeBytes: number): Bytes | undefined {
  if (gsoSizeBytes === 0) return harness.send(packet);
  const isIpv4 = packet[0] >> 4 === 4;
  const isTcp = packet[isIpv4 ? 9 : 6] === PROTOCOL.TCP;
  const type = isTcp ? (isIpv4 ? GSO.TCPV4 : GSO.TCPV6) : GSO.UDP;
  const frames = harness.sendWithOffload(partial(packet, type, gsoSizeBytes));
  assert(frames.length < 2, 'if the kernel passes one packet, our thread passes one packet');
  return frames[0] && whole(frames[0]);
}

export const COUNTED = TALLIES.flat();
export const TRAFFIC = COUNTED.filter((name) => name !== 'drop-fast-path');

/** What the kernel's part has counted since the last call. */
export function fastCounted(
  flows: Flows,
  names: readonly (typeof COUNTED)[number][] = TRAFFIC,
): Record<string, number> {
  const counters = new Float64Array(Object.keys(NAT64_COUNTERS).length);
  flows.count(counters);
  return Object.fromEntries(names.map((name) => [name, counters[COUNTER[name]]]));
}
