/** Generated fragments of packets: whole sets, in any order, and sets that do not fit together. */
import fc from 'fast-check';
import type { Ends } from './arbitraries.ts';
import { type Bytes, concat, icmp, ip, ipv4, ipv6, tcp, u16, udp } from '../packets.ts';
import { port, mappedPort, common, flags, outbound } from './arbitrary-parts.ts';

const bigData = fc
  .integer({ min: 40, max: 5000 })
  .map((length) => Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255));

/** The same without its UDP checksum, which IPv4 allows, and IPv6 for tunnels. */
function bare(packet: Bytes): Bytes {
  packet.set([0, 0], packet[0] >> 4 === 6 ? 46 : 26);
  return packet;
}

/** The fragments of a packet. Some may be missing, duplicated, or at another offset. */
export function fragmentSets({ hosts, remotes, pool4 }: Ends): fc.Arbitrary<Bytes[]> {
  const host = fc.constantFrom(...hosts);
  const remote = fc.constantFrom(...remotes);
  /** Packets that will be cut into fragments. */
  const bigPacket = fc.oneof(
    fc
      .record({ source: host, remote, sourcePort: port, destinationPort: port, data: bigData, ...common })
      .map((fields) => udp({ ...fields, ...outbound(fields) })),
    fc
      .record({ source: host, remote, sourcePort: port, destinationPort: port, data: bigData, ...common })
      .map((fields) => bare(udp({ ...fields, ...outbound(fields) }))),
    fc
      .record({
        source: host,
        remote,
        sourcePort: port,
        destinationPort: port,
        data: bigData,
        flags,
        ...common,
      })
      .map((fields) => tcp({ ...fields, ...outbound(fields) })),
    fc
      .record({ source: host, remote, protocol: fc.constantFrom(132, 60, 1), payload: bigData, ...common })
      .map((fields) => ip({ ...fields, ...outbound(fields) })),
    fc
      .record({ source: remote, protocol: fc.constantFrom(132, 60, 58), payload: bigData, ...common })
      .map((fields) => ip({ ...fields, destination: pool4 })),
    fc
      .record({
        source: remote,
        sourcePort: port,
        destinationPort: mappedPort,
        data: bigData,
        flags,
        ...common,
      })
      .map((fields) => tcp({ ...fields, destination: pool4 })),
    fc
      .record({ source: remote, sourcePort: port, destinationPort: mappedPort, data: bigData, ...common })
      .map((fields) => bare(udp({ ...fields, destination: pool4 }))),
    fc
      .record({
        source: host,
        remote,
        type: fc.constantFrom(128, 129, 1),
        rest: port,
        data: bigData,
        ...common,
      })
      .map((fields) => icmp({ ...fields, ...outbound(fields), rest: fields.rest * 65536 + 7 })),
    fc
      .record({
        source: fc.constantFrom('10.0.0.1', ...remotes),
        sourcePort: port,
        destinationPort: mappedPort,
        data: bigData,
        ...common,
      })
      .map((fields) => udp({ ...fields, destination: pool4 })),
    fc
      .record({ source: remote, type: fc.constantFrom(0, 8, 3), rest: mappedPort, data: bigData, ...common })
      .map((fields) => icmp({ ...fields, destination: pool4, rest: fields.rest * 65536 + 7 })),
    fc
      .record({
        source: host,
        destination: fc.constant(`64:ff9b::${pool4}`),
        sourcePort: port,
        destinationPort: mappedPort,
        ...common,
        data: bigData,
      })
      .map((fields) => udp(fields)),
  );

  return fc
    .record({
      packet: bigPacket,
      step: fc.constantFrom(40, 552, 1232, 1448, 1480),
      identification: fc.constantFrom(1, 2, 3, 0xdead_beef),
      dontFragment: fc.boolean(),
      hops: fc.array(fc.constantFrom(64, 64, 64, 64, 3, 2, 1, undefined), { minLength: 20, maxLength: 20 }),
      classes: fc.array(fc.constantFrom(0, 1, 2, 3, 0xb8), { minLength: 20, maxLength: 20 }),
      order: fc.array(fc.nat(1000), { minLength: 20, maxLength: 20 }),
      twist: fc.constantFrom('', '', '', 'shift', 'lose', 'twice', 'end', 'atomic'),
    })
    .map(({ packet, step, identification, dontFragment, hops, classes, order, twist }) => {
      const isIpv6 = packet[0] >> 4 === 6;
      const payload = packet.slice(isIpv6 ? 40 : 20);
      const size = twist === 'atomic' ? 65_528 : Math.max(step, Math.ceil(payload.length / 160) * 8);
      const count = Math.ceil(payload.length / size);
      const pieces = Array.from({ length: count }, (_, i) => {
        const shift = twist === 'shift' && i === 1 ? 8 : 0;
        const offset = i * size - shift;
        const isLast = i === count - 1 ? twist !== 'end' : false;
        return piece(
          packet,
          payload.slice(i * size, (i + 1) * size),
          offset,
          !isLast,
          identification,
          dontFragment,
          hops[i % 20],
          classes[i % 20],
        );
      });
      if (twist === 'lose') pieces.splice(order[0] % count, 1);
      if (twist === 'twice') pieces.push(pieces[0]);
      return pieces
        .map((bytes, i) => ({ bytes, at: order[i % 20] < 300 ? order[i % 20] : 1000 + i }))
        .sort((a, b) => a.at - b.at)
        .map(({ bytes }) => bytes);
    });
}

function piece(
  packet: Bytes,
  data: Uint8Array,
  offset: number,
  hasMore: boolean,
  identification: number,
  dontFragment: boolean,
  hopLimit: number | undefined,
  trafficClass: number,
): Bytes {
  if (packet[0] >> 4 === 6) {
    const field = offset + (hasMore ? 1 : 0);
    const header = Uint8Array.from([
      packet[6],
      0,
      ...u16(field),
      ...u16(identification >>> 16),
      ...u16(identification),
    ]);
    return ipv6({
      source: packet.slice(8, 24),
      destination: packet.slice(24, 40),
      protocol: 44,
      payload: concat(header, data),
      hopLimit: hopLimit ?? packet[7],
      trafficClass,
    });
  }
  return ipv4({
    source: packet.slice(12, 16),
    destination: packet.slice(16, 20),
    protocol: packet[9],
    payload: data,
    hopLimit: hopLimit ?? packet[8],
    trafficClass,
    identification: identification & 0xffff,
    fragment: offset / 8 + (hasMore ? 0x2000 : 0) + (dontFragment ? 0x4000 : 0),
  });
}
