/** The parts of every generated packet: few hosts, remotes and ports, so that packets match each other's sessions. */
import fc from 'fast-check';
import { type Bytes, concat, icmp, ipv4, ipv6, tcp, u16, udp } from '../packets.ts';

/** The pool is small enough for inbound packets to find mappings. */
export const PORTS = [40_000, 40_007] as const;
export const port = fc.constantFrom(53, 1024, 40_001, 65_535);
export const mappedPort = fc.integer({ min: PORTS[0] - 1, max: PORTS[1] + 1 });
export const data = fc.uint8Array({ maxLength: 64 }).map((bytes) => concat(bytes));
export const longData = fc
  .integer({ min: 1150, max: 1480 })
  .map((length) => new Uint8Array(length).fill(0x5a));
export const flags = fc.constantFrom(2, 2, 2, 16, 18, 17, 4, 20, 1, 0, 255);
export const common = {
  hopLimit: fc.constantFrom(64, 64, 64, 64, 64, 255, 2, 1, 0),
  trafficClass: fc.integer({ min: 0, max: 255 }),
};
export const anyData = fc.oneof({ weight: 6, arbitrary: data }, { weight: 1, arbitrary: longData });
export const NO_PREFIX_OCTET = '64:ff9b::';
export const outbound = (fields: { source: string; remote: string }) => ({
  source: fields.source,
  destination: `${NO_PREFIX_OCTET}${fields.remote}`,
});
export const fragment = fc.constantFrom(0x4000, 0x4000, 0x4000, 0x4000, 0x4000, 0, 0, 0x2000, 100);
export const options = fc.constantFrom(
  undefined,
  undefined,
  undefined,
  Uint8Array.from([1, 1, 1, 0]),
  Uint8Array.from([131, 3, 4, 0]),
  Uint8Array.from([137, 7, 4, 203, 0, 113, 1, 0]),
  Uint8Array.from([7, 9, 0, 0]),
);
export type WithOptions = { options: Uint8Array | undefined };
export const definedOptions = <T extends WithOptions>({ options, ...rest }: T) =>
  options === undefined ? rest : { ...rest, options };
export const often = <T>(arbitrary: fc.Arbitrary<T>) => ({ weight: 4, arbitrary });
export const tcpOptions = fc.oneof(
  fc.constantFrom([2, 4, 5, 180], [1, 2, 4, 9, 0, 0, 0, 0], [2, 4, 4, 0], [3, 3, 7, 2, 4, 255, 255, 0]),
  fc.constantFrom([2, 3, 1, 0], [2, 4, 0xff], [30, 0, 0, 0], [8, 9, 1, 1]),
);

export function reheader(packet: Bytes, ipOptions: Uint8Array, fragmentField: number): Bytes {
  return ipv4({
    source: packet.slice(12, 16),
    destination: packet.slice(16, 20),
    protocol: packet[9],
    payload: packet.slice(20),
    hopLimit: packet[8],
    trafficClass: packet[1],
    fragment: fragmentField,
    options: ipOptions,
  });
}

/** The quoted packet of an error, with extensions behind it and the length attribute (RFC 4884). */
export function extended(
  quote: Uint8Array,
  extensionBytes: number,
  unit: number,
  factor: number,
  rest: number,
) {
  if (extensionBytes === 0) return { data: quote, rest };
  const length = Math.min(Math.max(Math.ceil(quote.length / unit), 128 / unit), 255);
  const padded = new Uint8Array(length * unit);
  padded.set(quote.slice(0, padded.length));
  const extensions = Uint8Array.from({ length: extensionBytes }, (_, i) => 0x20 + (i & 15));
  return { data: concat(padded, extensions), rest: length * factor };
}

export const asFragment6 = (packet: Bytes, field: number) =>
  ipv6({
    source: packet.slice(8, 24),
    destination: packet.slice(24, 40),
    protocol: 44,
    payload: concat(Uint8Array.from([packet[6], 0, ...u16(field), 0xde, 0xad, 0xbe, 0xef]), packet.slice(40)),
  });

export function quotedPacket(
  source: string,
  destination: string,
  kind: string,
  sourcePort: number,
  destinationPort: number,
  payload: Uint8Array,
  [echoType]: readonly number[],
): Bytes {
  if (kind === 'tcp') return tcp({ source, destination, sourcePort, destinationPort, data: payload });
  if (kind === 'udp') return udp({ source, destination, sourcePort, destinationPort, data: payload });
  const identifier = echoType === 8 ? sourcePort : destinationPort;
  return icmp({ source, destination, type: echoType, rest: identifier * 65536 + 1, data: payload });
}
