/** Packets built and checked in the slow, obvious way, independent of src/. Checksums are correct unless given. */

export type Bytes = Uint8Array<ArrayBuffer>;

export const concat = (...parts: Uint8Array[]): Bytes => Uint8Array.from(parts.flatMap((part) => [...part]));
export const u16 = (value: number): number[] => [(value >> 8) & 255, value & 255];
export const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value & 0xffff)];
export const readU16 = (bytes: Uint8Array, at: number): number => bytes[at] * 256 + bytes[at + 1];
export const readU32 = (bytes: Uint8Array, at: number): number =>
  readU16(bytes, at) * 65536 + readU16(bytes, at + 2);

/** The one's-complement sum of the bytes taken as 16-bit words, folded. */
export function onesSum(...parts: Uint8Array[]): number {
  const bytes = concat(...parts);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i] * 256 + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

export const checksum = (...parts: Uint8Array[]): number => 0xffff - onesSum(...parts);

/** Addresses from text, without the parser of src/: dotted decimal, or IPv6 groups with at most one "::". */
export function address(text: string): Bytes {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number);
  const groups = (part: string) =>
    part === ''
      ? []
      : part
          .split(':')
          .flatMap((group) => (group.includes('.') ? [...address(group)] : u16(parseInt(group, 16))));
  const [head, tail] = text.split('::').map(groups);
  if (tail === undefined) return Uint8Array.from(head);
  return Uint8Array.from([...head, ...Array<number>(16 - head.length - tail.length).fill(0), ...tail]);
}

export const PROTOCOL = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58 } as const;

export function pseudoHeader(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): Bytes {
  return source.length === 4
    ? concat(source, destination, Uint8Array.from([0, protocol, ...u16(length)]))
    : concat(source, destination, Uint8Array.from([...u32(length), 0, 0, 0, protocol]));
}

export interface IpFields {
  readonly source: string | Uint8Array;
  readonly destination: string | Uint8Array;
  /** Protocol or next header. */
  readonly protocol: number;
  readonly payload: Uint8Array;
  readonly hopLimit?: number;
  /** TOS or traffic class. */
  readonly trafficClass?: number;
  // IPv4 only:
  readonly identification?: number;
  readonly fragment?: number;
  readonly options?: Uint8Array;
  // IPv6 only:
  readonly flowLabel?: number;
}

const bytesOf = (value: string | Uint8Array) => (typeof value === 'string' ? address(value) : value);

export function ipv4(fields: IpFields): Bytes {
  const options = fields.options ?? new Uint8Array();
  const headerBytes = 20 + options.length;
  const header = concat(
    Uint8Array.from([
      0x40 | (headerBytes / 4),
      fields.trafficClass ?? 0,
      ...u16(headerBytes + fields.payload.length),
      ...u16(fields.identification ?? 0),
      ...u16(fields.fragment ?? 0x4000),
      fields.hopLimit ?? 64,
      fields.protocol,
      0,
      0,
    ]),
    bytesOf(fields.source),
    bytesOf(fields.destination),
    options,
  );
  header.set(u16(checksum(header)), 10);
  return concat(header, fields.payload);
}

export const ipv6 = (fields: IpFields): Bytes =>
  concat(
    Uint8Array.from([
      ...u32((0x6000_0000 | ((fields.trafficClass ?? 0) << 20) | (fields.flowLabel ?? 0)) >>> 0),
      ...u16(fields.payload.length),
      fields.protocol,
      fields.hopLimit ?? 64,
    ]),
    bytesOf(fields.source),
    bytesOf(fields.destination),
    fields.payload,
  );

/** An IP packet of the family of its addresses. */
export const ip = (fields: IpFields): Bytes =>
  bytesOf(fields.source).length === 4 ? ipv4(fields) : ipv6(fields);

export interface TransportFields extends Omit<IpFields, 'protocol' | 'payload'> {
  readonly data?: Uint8Array;
}

export interface PortFields extends TransportFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
}

function withChecksum(
  fields: TransportFields,
  protocol: number,
  segment: Bytes,
  at: number,
  hasPseudo = true,
): Bytes {
  const [source, destination] = [bytesOf(fields.source), bytesOf(fields.destination)];
  const pseudo = hasPseudo ? pseudoHeader(source, destination, protocol, segment.length) : new Uint8Array();
  const sum = checksum(pseudo, segment);
  segment.set(u16(sum === 0 && protocol === PROTOCOL.UDP ? 0xffff : sum), at);
  return ip({ ...fields, source, destination, protocol, payload: segment });
}

export const TCP_FLAGS = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 } as const;

interface TcpFields extends PortFields {
  readonly flags?: number;
  readonly options?: Uint8Array;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly window?: number;
}

export function tcp(fields: TcpFields): Bytes {
  const { options: tcpOptions = new Uint8Array(), ...rest } = fields;
  const segment = Uint8Array.from([
    ...u16(fields.sourcePort),
    ...u16(fields.destinationPort),
    ...u32(fields.sequence ?? 0x01020304),
    ...u32(fields.acknowledgement ?? 0x05060708),
    (5 + tcpOptions.length / 4) << 4,
    fields.flags ?? TCP_FLAGS.ACK,
    ...u16(fields.window ?? 65_000),
    0,
    0,
    0,
    0,
    ...tcpOptions,
    ...(fields.data ?? []),
  ]);
  return withChecksum(rest, PROTOCOL.TCP, segment, 16);
}

export function udp(fields: PortFields): Bytes {
  const data = fields.data ?? new Uint8Array();
  const segment = Uint8Array.from([
    ...u16(fields.sourcePort),
    ...u16(fields.destinationPort),
    ...u16(8 + data.length),
    0,
    0,
    ...data,
  ]);
  return withChecksum(fields, PROTOCOL.UDP, segment, 6);
}

/** An ICMP message of the family of its addresses; `rest` is the second word of its header. */
export function icmp(
  fields: TransportFields & { readonly type: number; readonly code?: number; readonly rest?: number },
): Bytes {
  const isIpv4 = bytesOf(fields.source).length === 4;
  const message = Uint8Array.from([
    fields.type,
    fields.code ?? 0,
    0,
    0,
    ...u32(fields.rest ?? 0),
    ...(fields.data ?? []),
  ]);
  return withChecksum(fields, isIpv4 ? PROTOCOL.ICMP : PROTOCOL.ICMPV6, message, 2, !isIpv4);
}

/**
 * Fails unless a strict receiver would accept the packet: the lengths agree with each other and with the bytes, the header
 * checksum is correct, and, unless it is a fragment, the transport header is complete and the transport checksum correct.
 * `transportChecksum: false` skips the last check, for packets whose original was wrong.
 */
export function assertWellFormed(
  packet: Uint8Array,
  options: { readonly transportChecksum?: boolean } = {},
): void {
  const fail = (what: string): never => {
    throw new Error(`${what}: ${Buffer.from(packet).toString('hex')}`);
  };
  const version = packet[0] >> 4;
  const headerBytes = version === 4 ? (packet[0] & 15) * 4 : 40;
  if (version !== 4 && version !== 6) fail('version');
  if (packet.length < headerBytes) fail('truncated');
  if (version === 4) {
    if (headerBytes !== 20) fail('options that nobody sent');
    if (readU16(packet, 2) !== packet.length) fail('total length');
    if (onesSum(packet.subarray(0, headerBytes)) !== 0xffff) fail('header checksum');
    const fragment = readU16(packet, 6);
    if ((fragment & 0x8000) !== 0) fail('reserved flag');
    if ((fragment & 0x2000) !== 0 && (packet.length - headerBytes) % 8 !== 0) fail('odd fragment');
    if ((fragment & 0x3fff) !== 0) return;
  } else if (readU16(packet, 4) !== packet.length - 40) fail('payload length');
  if (version === 6 && packet[6] === 44) {
    if (packet.length <= 48 || packet.length > 1500) fail('size of a fragment');
    const field = readU16(packet, 42);
    if ((field & 6) !== 0 || packet[41] !== 0) fail('reserved bits');
    if ((field & 1) !== 0 && (packet.length - 48) % 8 !== 0) fail('odd fragment');
    return;
  }
  if ((version === 4 ? packet[8] : packet[7]) === 0) fail('hop limit');
  const protocol = version === 4 ? packet[9] : packet[6];
  const [source, destination] =
    version === 4
      ? [packet.subarray(12, 16), packet.subarray(16, 20)]
      : [packet.subarray(8, 24), packet.subarray(24, 40)];
  const segment = packet.subarray(headerBytes);
  // Routers do not look into other protocols.
  if (!Object.values(PROTOCOL).includes(protocol as never)) return;
  const minimumBytes = protocol === PROTOCOL.TCP ? 20 : 8;
  if (segment.length < minimumBytes) fail('truncated transport header');
  if (protocol === PROTOCOL.TCP && (segment[12] >> 4 < 5 || (segment[12] >> 4) * 4 > segment.length))
    fail('data offset');
  const udpBytes = readU16(segment, 4);
  if (protocol === PROTOCOL.UDP && (udpBytes < 8 || udpBytes > segment.length)) fail('UDP length');
  if (protocol === PROTOCOL.UDP && readU16(segment, 6) === 0) fail('UDP without checksum');
  if (options.transportChecksum === false) return;
  const covered = protocol === PROTOCOL.UDP ? segment.subarray(0, udpBytes) : segment;
  const pseudo =
    protocol === PROTOCOL.ICMP
      ? new Uint8Array()
      : pseudoHeader(source, destination, protocol, covered.length);
  if (onesSum(pseudo, covered) !== 0xffff) fail('transport checksum');
}
