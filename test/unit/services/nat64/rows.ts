/** Rows of (title, configuration, packets in, packets out, counters), and the parts that most of them use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../../random.ts';
import { HOST, type HarnessOptions, OWN_IPV6, POOL4, REMOTE, createHarness } from './harness.ts';
import { type Bytes, concat, icmp, ip, u16, u32, udp } from './packets.ts';

export const REMOTE6 = `64:ff9b::${REMOTE}`;
/** With one port in the pool, the result is known beforehand. */
export const PORT = 40_000;
export const ONE_PORT: HarnessOptions = { ports: [PORT, PORT] };
export const IDENTIFICATION = seededRandom(1)() & 0xffff;

export const out6 = { source: HOST, destination: REMOTE6, sourcePort: 5000, destinationPort: 53 };
export const out4 = {
  source: POOL4,
  destination: REMOTE,
  sourcePort: PORT,
  destinationPort: 53,
  hopLimit: 63,
  fragment: 0,
  identification: IDENTIFICATION,
};
export const in4 = { source: REMOTE, destination: POOL4, sourcePort: 53, destinationPort: PORT };
export const in6 = {
  source: REMOTE6,
  destination: HOST,
  sourcePort: 53,
  destinationPort: 5000,
  hopLimit: 63,
};
export const data = new TextEncoder().encode('data');

export interface Row {
  readonly title: string;
  readonly config?: HarnessOptions;
  /** Packets that are sent first; their results are not checked. */
  readonly before?: readonly Bytes[];
  readonly packet: Bytes;
  readonly out: Bytes | readonly Bytes[] | undefined;
  /** The counter of the drop, if the packet is dropped. */
  readonly drop?: string;
}

export const error6 = (type: number, code: number, about: Bytes, rest = 0) =>
  icmp({ source: OWN_IPV6, destination: HOST, type, code, rest, data: about.slice(0, 1232) });
export const error4 = (type: number, code: number, about: Bytes, rest = 0) =>
  icmp({
    source: POOL4,
    destination: REMOTE,
    type,
    code,
    rest,
    data: about.slice(0, 548),
    trafficClass: 0xc0,
  });

/** The packet in fragments; each has the data from one offset to the next. */
export function fragments4(
  packet: Bytes,
  offsets: readonly number[],
  identification: number,
  flags = 0,
): Bytes[] {
  return offsets.slice(1).map((to, i) =>
    ip({
      source: packet.slice(12, 16),
      destination: packet.slice(16, 20),
      protocol: packet[9],
      hopLimit: packet[8],
      identification,
      fragment: offsets[i] / 8 + (i === offsets.length - 2 ? 0 : 0x2000) + flags,
      payload: packet.slice(20 + offsets[i], 20 + to),
    }),
  );
}

export function fragments6(packet: Bytes, offsets: readonly number[], identification: number): Bytes[] {
  return offsets.slice(1).map((to, i) => {
    const field = offsets[i] + (i === offsets.length - 2 ? 0 : 1);
    const header = Uint8Array.from([packet[6], 0, ...u16(field), ...u32(identification)]);
    return ip({
      source: packet.slice(8, 24),
      destination: packet.slice(24, 40),
      protocol: 44,
      hopLimit: packet[7],
      payload: concat(header, packet.slice(40 + offsets[i], 40 + to)),
    });
  });
}

/** 1468 bytes with the UDP header. */
export const big = Uint8Array.from({ length: 1460 }, (_, i) => i & 255);
export const bigFragment4 = fragments4(
  udp({ ...in4, data: new Uint8Array(1500) }),
  [0, 1480, 1508],
  7,
  0x4000,
)[0];
/** An extension structure with one object, whose content the translator does not interpret. */
export const EXTENSIONS = Uint8Array.from([0x20, 0, 0x12, 0x34, 0, 8, 1, 1, 1, 2, 3, 4]);
export const padTo = (bytes: Uint8Array, length: number) =>
  concat(bytes, new Uint8Array(length - bytes.length));
export const large6 = udp({ ...out6, data: new Uint8Array(1400) });
export const expired6 = udp({ ...out6, hopLimit: 1 });
export const expired4 = udp({ ...in4, hopLimit: 1 });
export const notAllowed = udp({ ...out6, source: '2001:db8:2::1' });
export const toPrivate = udp({ ...out6, destination: '64:ff9b::192.168.1.1' });
export const sctp6 = ip({ source: HOST, destination: REMOTE6, protocol: 132, payload: new Uint8Array(12) });
export const sctp4 = ip({ source: REMOTE, destination: POOL4, protocol: 132, payload: new Uint8Array(12) });
export const jumbo4 = udp({ ...in4, data: new Uint8Array(1460) });
export const routed6 = ip({
  source: HOST,
  destination: REMOTE6,
  protocol: 43,
  payload: Uint8Array.from([17, 0, 0, 1, 0, 0, 0, 0]),
});
/** A fragment header of a whole datagram, then another extension header, then the ports of UDP. */
export const extendedFragment6 = (extension: number): Bytes =>
  ip({
    source: HOST,
    destination: REMOTE6,
    protocol: 44,
    payload: Uint8Array.from([
      extension,
      0,
      0,
      0,
      0,
      0,
      0,
      7,
      17,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      4,
      1,
      0,
      80,
      0,
      8,
      1,
      1,
    ]),
  });
export const routed4 = udp({ ...in4, options: Uint8Array.from([131, 7, 4, 203, 0, 113, 1, 0]) });

export function zeroChecksum(packet: Bytes): Bytes {
  packet.set([0, 0], 26);
  return packet;
}

export const hexOf = (packet: Uint8Array | undefined) => packet && Buffer.from(packet).toString('hex');

/** Makes one test for each row. */
export function testRows(rows: readonly Row[]): void {
  for (const { title, config, before = [], packet, out, drop } of rows) {
    test(title, () => {
      const harness = createHarness({ ...ONE_PORT, ...config });
      for (const earlier of before) harness.send(earlier);
      harness.counted();
      const expected = out === undefined ? [] : Array.isArray(out) ? out : [out as Bytes];
      assert.deepEqual(harness.sendAll(packet).map(hexOf), expected.map(hexOf));
      const dropped = Object.entries(harness.counted()).filter(([name]) => name.startsWith('drop-'));
      assert.deepEqual(dropped, drop === undefined ? [] : [[drop, 1]]);
    });
  }
}
