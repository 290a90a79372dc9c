/** The packets that the kernel's program leaves to our thread. */
import { type Bytes, TCP_FLAGS, tcp, udp } from '../../unit/services/nat64/packets.ts';
import { HOST_PORT, MTU4, MTU6, type Pair } from './program-pair.ts';

/** Packets that are left alone, each beside a packet that differs only in the tested property and is translated. */
export const LEFT_ALONE: readonly [title: string, alone: Build, passes: Build][] = [
  ['another port', ({ out }) => udp({ ...out, sourcePort: HOST_PORT + 1 }), ({ out }) => udp(out)],
  [
    'a SYN',
    ({ out }) => tcp({ ...out, flags: TCP_FLAGS.SYN }),
    ({ out }) => tcp({ ...out, flags: TCP_FLAGS.PSH }),
  ],
  [
    'a FIN',
    ({ out }) => tcp({ ...out, flags: TCP_FLAGS.FIN | TCP_FLAGS.ACK }),
    ({ out }) => tcp({ ...out, flags: TCP_FLAGS.ACK }),
  ],
  [
    'a RST from outside',
    ({ back, mapped }) => tcp({ ...back, destinationPort: mapped.tcp, flags: TCP_FLAGS.RST }),
    ({ back, mapped }) => tcp({ ...back, destinationPort: mapped.tcp }),
  ],
  [
    'a hop limit that runs out here',
    ({ out }) => udp({ ...out, hopLimit: 2 }),
    ({ out }) => udp({ ...out, hopLimit: 3 }),
  ],
  [
    'a TTL that runs out here',
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, hopLimit: 2 }),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, hopLimit: 3 }),
  ],
  [
    'a fragment',
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, fragment: 0x2000 }),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, fragment: 0 }),
  ],
  [
    'a later fragment',
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, fragment: 1 }),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, fragment: 0x4000 }),
  ],
  [
    'IPv4 options',
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, options: Uint8Array.of(1, 1, 1, 0) }),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp }),
  ],
  [
    'too big for the IPv4 side',
    ({ out }) => udp({ ...out, data: new Uint8Array(MTU4 - 27) }),
    ({ out }) => udp({ ...out, data: new Uint8Array(MTU4 - 28) }),
  ],
  [
    'too big for the IPv6 side',
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, data: new Uint8Array(MTU6 - 47) }),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp, data: new Uint8Array(MTU6 - 48) }),
  ],
  [
    'a packet that must be fragmented',
    ({ back, mapped }) =>
      udp({ ...back, destinationPort: mapped.udp, fragment: 0, data: new Uint8Array(1233) }),
    ({ back, mapped }) =>
      udp({ ...back, destinationPort: mapped.udp, fragment: 0, data: new Uint8Array(1232) }),
  ],
  [
    'a wrong header checksum',
    ({ back, mapped }) => changed(udp({ ...back, destinationPort: mapped.udp }), 11, 1),
    ({ back, mapped }) => udp({ ...back, destinationPort: mapped.udp }),
  ],
  [
    'UDP without checksum',
    ({ back, mapped }) => {
      const packet = udp({ ...back, destinationPort: mapped.udp });
      packet.set([0, 0], 26);
      return packet;
    },
    // A wrong checksum is left to the receiver.
    ({ back, mapped }) => changed(udp({ ...back, destinationPort: mapped.udp }), 27, 1),
  ],
  [
    'a truncated packet',
    ({ out }) => udp({ ...out, data: new Uint8Array(40) }).subarray(0, 87),
    ({ out }) => udp({ ...out, data: new Uint8Array(40) }),
  ],
  [
    'a wrong UDP length',
    ({ out }) => changed(udp({ ...out, data: new Uint8Array(40) }), 45, 2),
    ({ out }) => udp({ ...out, data: new Uint8Array(40) }),
  ],
  [
    'a TCP header longer than the packet',
    ({ out }) => {
      const packet = tcp(out);
      packet[52] = 0x60;
      return packet;
    },
    ({ out }) => tcp({ ...out, options: new Uint8Array(4).fill(1) }),
  ],
  [
    'a TCP header shorter than the minimum',
    ({ out }) => {
      const packet = tcp(out);
      packet[52] = 0x40;
      return packet;
    },
    ({ out }) => tcp(out),
  ],
];
type Build = (pair: Pair) => Uint8Array;

/** A copy in which some bits of a byte are flipped. */
export function changed(packet: Bytes, at: number, bits: number): Bytes {
  const copy = packet.slice();
  copy[at] ^= bits;
  return copy;
}
