/**
 * Netlink messages (RFC 3549 section 2.3; linux/netlink.h): a header of 16 bytes, the fixed part of the family, attributes. All
 * numbers are in the machine's byte order, which is little-endian on both processors, except those in nfnetlink attributes.
 */

export const NETLINK_HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are flags, not part of an attribute's type. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLM_F_REQUEST = 0x001;
export const NLM_F_ACK = 0x004;
export const NLM_F_DUMP = 0x300;
/** In an answer: the list changed while it was read, so it may be incomplete. */
export const NLM_F_DUMP_INTR = 0x010;

export interface NetlinkHeader {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** The port of the requester: for most programs the process id; 0 is the kernel. */
  readonly portId: number;
}

export interface NetlinkMessage extends NetlinkHeader {
  /** The bytes after the header. */
  readonly body: Uint8Array;
}

/** Attributes by type; if a type occurs several times, the last one. */
export type NetlinkAttributes = ReadonlyMap<number, Uint8Array>;

const align = (bytes: number): number => (bytes + 3) & ~3;
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The header at the beginning of a message, whose rest may be missing; undefined when the header itself is incomplete. */
export function parseNetlinkHeader(bytes: Uint8Array): NetlinkHeader | undefined {
  if (bytes.length < NETLINK_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  return {
    type: view.getUint16(4, true),
    flags: view.getUint16(6, true),
    sequence: view.getUint32(8, true),
    portId: view.getUint32(12, true),
  };
}

/** The messages in the result of one read, up to the first malformed one. They share its memory. */
export function parseNetlinkMessages(bytes: Uint8Array): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let offset = 0; offset + NETLINK_HEADER_BYTES <= bytes.length; ) {
    const rest = bytes.subarray(offset);
    const length = viewOf(rest).getUint32(0, true);
    const header = parseNetlinkHeader(rest);
    if (header === undefined || length < NETLINK_HEADER_BYTES || length > rest.length) break;
    messages.push({ ...header, body: rest.subarray(NETLINK_HEADER_BYTES, length) });
    offset += align(length);
  }
  return messages;
}

/** The attributes from `offset` on, up to the first malformed one. They share the memory. */
export function parseNetlinkAttributes(bytes: Uint8Array, offset = 0): NetlinkAttributes {
  const attributes = new Map<number, Uint8Array>();
  const view = viewOf(bytes);
  for (let at = offset; at + ATTRIBUTE_HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > bytes.length) break;
    attributes.set(
      view.getUint16(at + 2, true) & ATTRIBUTE_TYPE_MASK,
      bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length),
    );
    at += align(length);
  }
  return attributes;
}

/** A number of 4 bytes; `missing` when there is no such attribute, or it has a different size. */
export function attributeU32(attributes: NetlinkAttributes, type: number, missing: number): number {
  const value = attributes.get(type);
  return value?.length === 4 ? viewOf(value).getUint32(0, true) : missing;
}

/** A text up to its zero byte; empty when there is no such attribute. */
export function attributeText(attributes: NetlinkAttributes, type: number): string {
  const value = attributes.get(type) ?? new Uint8Array();
  const end = value.indexOf(0);
  return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
}

/** Builds a message. `parts` (the fixed part, attributes) follow each other, each a multiple of four bytes. */
export function buildNetlinkMessage(
  { type, flags, sequence }: Omit<NetlinkHeader, 'portId'>,
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + align(part.length), NETLINK_HEADER_BYTES);
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  let offset = NETLINK_HEADER_BYTES;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += align(part.length);
  }
  return bytes;
}

export function buildNetlinkAttribute(type: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(align(ATTRIBUTE_HEADER_BYTES + value.length));
  const view = viewOf(bytes);
  view.setUint16(0, ATTRIBUTE_HEADER_BYTES + value.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, ATTRIBUTE_HEADER_BYTES);
  return bytes;
}

export function netlinkU32(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
}

export const netlinkText = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);
