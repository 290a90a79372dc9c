/**
 * Reads the header of the PROXY protocol, versions 1 and 2, at the start of a connection (proxy-protocol.txt of HAProxy;
 * proxy-protocol.ts writes it). Strict: what does not match the specification to the byte is refused, as soon as that is known.
 */
import { crc32c } from './crc32c.ts';
import { mapIpv4, parseIpv4, parseIpv6 } from './ip-address.ts';
import type { Endpoint } from './proxy-protocol.ts';

/** The longest header. Senders stay below 536 bytes (section 2); TLVs with a certificate's name are longer. nginx has this limit. */
export const MAX_PROXY_HEADER_BYTES = 4096;
/** PP2_TYPE_UNIQUE_ID has up to 128 bytes (section 2.2.5). */
export const MAX_UNIQUE_ID_BYTES = 128;

/** Results of `readProxyHeader`, beside the length of the header. */
export const INCOMPLETE = 0;
export const MALFORMED = -1;

export interface ProxyHeader {
  /** null: the header names no client (LOCAL, UNKNOWN, or no TCP), so the ends of the connection itself count. */
  source: Endpoint | null;
  /** What the client dialled; null as above. */
  destination: Endpoint | null;
  uniqueId: Uint8Array | null;
  /** LOCAL or UNKNOWN: the proxy connects for itself, mostly to see whether we are there. */
  isLocal: boolean;
}

export const createProxyHeader = (): ProxyHeader => ({
  source: null,
  destination: null,
  uniqueId: null,
  isLocal: false,
});

const octets = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const SIGNATURE_1 = octets('PROXY ');
const SIGNATURE_2 = octets('\r\n\r\n\0\r\nQUIT\n');
const CR = 13;
const LF = 10;
/** Section 2.1: the longest line, with its end. */
const MAX_LINE_BYTES = 107;

const FIXED_BYTES = 16;
const VERSION_2 = 2;
const COMMAND_LOCAL = 0;
const COMMAND_PROXY = 1;
const FAMILY_UNSPEC = 0;
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;
const TRANSPORT_UNSPEC = 0;
const TRANSPORT_STREAM = 1;
const TRANSPORT_DATAGRAM = 2;
/** By family: unspecified, IPv4, IPv6, Unix. */
const ADDRESS_BLOCK_BYTES = [0, 12, 36, 216];
const TLV_BYTES = 3;
const TLV_CRC32C = 0x03;
const TLV_UNIQUE_ID = 0x05;
const CRC_BYTES = 4;

/**
 * Reads the header at the start of `bytes`, of which `length` have arrived. Its length if it is whole; INCOMPLETE if more is
 * needed; MALFORMED. The bytes of a checksum are set to zero.
 */
export function readProxyHeader(header: ProxyHeader, bytes: Uint8Array, length: number): number {
  header.source = header.destination = header.uniqueId = null;
  header.isLocal = false;
  if (length === 0) return INCOMPLETE;
  const isFirst = bytes[0] === SIGNATURE_1[0];
  if (!startsWith(bytes, length, isFirst ? SIGNATURE_1 : SIGNATURE_2)) return MALFORMED;
  return isFirst ? readVersion1(header, bytes, length) : readVersion2(header, bytes, length);
}

/** Whether the bytes so far agree with the signature. */
function startsWith(bytes: Uint8Array, length: number, signature: Uint8Array): boolean {
  for (let at = 0; at < signature.length && at < length; at++) if (bytes[at] !== signature[at]) return false;
  return true;
}

/** Section 2.1. */
function readVersion1(header: ProxyHeader, bytes: Uint8Array, length: number): number {
  let end = SIGNATURE_1.length;
  while (end < length && bytes[end] !== CR && bytes[end] !== LF) end++;
  // With the two bytes of its end.
  if (end + 2 > MAX_LINE_BYTES) return MALFORMED;
  if (end >= length) return INCOMPLETE;
  if (bytes[end] === LF) return MALFORMED;
  if (end + 1 >= length) return INCOMPLETE;
  if (bytes[end + 1] !== LF) return MALFORMED;
  let line = '';
  for (let at = SIGNATURE_1.length; at < end; at++) line += String.fromCharCode(bytes[at]);
  // "the receiver must ignore anything presented before the CRLF is found"
  header.isLocal = line === 'UNKNOWN' || line.startsWith('UNKNOWN ');
  return header.isLocal || readLine(header, line.split(' ')) ? end + 2 : MALFORMED;
}

function readLine(header: ProxyHeader, words: readonly string[]): boolean {
  const [family, sourceAddress, destinationAddress, sourcePort, destinationPort] = words;
  if (words.length !== 5 || (family !== 'TCP4' && family !== 'TCP6')) return false;
  const source = endpointOf(family, sourceAddress, sourcePort);
  const destination = endpointOf(family, destinationAddress, destinationPort);
  if (source === undefined || destination === undefined) return false;
  header.source = source;
  header.destination = destination;
  return true;
}

function endpointOf(family: 'TCP4' | 'TCP6', address: string, port: string): Endpoint | undefined {
  if (!/^(?:0|[1-9][0-9]{0,4})$/.test(port) || Number(port) > 65535) return undefined;
  const ipv4 = family === 'TCP4' ? parseIpv4(address) : undefined;
  const parsed = family === 'TCP6' ? parseIpv6(address) : ipv4 === undefined ? undefined : mapIpv4(ipv4);
  return parsed && { address: parsed, port: Number(port) };
}

const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at] << 8) | bytes[at + 1];

/** Section 2.2. */
function readVersion2(header: ProxyHeader, bytes: Uint8Array, length: number): number {
  if (length <= SIGNATURE_2.length) return INCOMPLETE;
  const command = bytes[12] & 15;
  if (bytes[12] >> 4 !== VERSION_2 || command > COMMAND_PROXY) return MALFORMED;
  if (length < 14) return INCOMPLETE;
  const family = bytes[13] >> 4;
  const transport = bytes[13] & 15;
  // "discard the protocol block including the family which is ignored"
  const isKnown = family < ADDRESS_BLOCK_BYTES.length && transport <= TRANSPORT_DATAGRAM;
  if (command === COMMAND_PROXY && !isKnown) return MALFORMED;
  if (length < FIXED_BYTES) return INCOMPLETE;
  const end = FIXED_BYTES + uint16(bytes, 14);
  if (end > MAX_PROXY_HEADER_BYTES) return MALFORMED;
  // Where the vectors begin is only known if the family and so the length of the addresses is.
  const hasAddresses =
    command !== COMMAND_LOCAL && family !== FAMILY_UNSPEC && transport !== TRANSPORT_UNSPEC;
  const tlvsAt = FIXED_BYTES + ADDRESS_BLOCK_BYTES[hasAddresses ? family : FAMILY_UNSPEC];
  if (hasAddresses && tlvsAt > end) return MALFORMED;
  if (length < end) return INCOMPLETE;
  header.isLocal = command === COMMAND_LOCAL;
  if (!hasAddresses) return end;
  if (!readTlvs(header, bytes, tlvsAt, end)) return MALFORMED;
  if (header.uniqueId?.length === 0) header.uniqueId = null; // it tells no connection from another
  const isTcp = transport === TRANSPORT_STREAM && (family === FAMILY_IPV4 || family === FAMILY_IPV6);
  if (isTcp) readAddresses(header, bytes, family === FAMILY_IPV4 ? 4 : 16);
  return end;
}

function readAddresses(header: ProxyHeader, bytes: Uint8Array, addressBytes: number): void {
  const ports = FIXED_BYTES + 2 * addressBytes;
  header.source = { address: addressAt(bytes, FIXED_BYTES, addressBytes), port: uint16(bytes, ports) };
  header.destination = {
    address: addressAt(bytes, FIXED_BYTES + addressBytes, addressBytes),
    port: uint16(bytes, ports + 2),
  };
}

function addressAt(bytes: Uint8Array, at: number, addressBytes: number): Uint8Array {
  const address = copyOf(bytes, at, at + addressBytes);
  return addressBytes === 16 ? address : mapIpv4(((uint16(address, 0) << 16) | uint16(address, 2)) >>> 0);
}

/** Not `slice`, which only copies if the bytes are no Buffer. */
function copyOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const copy = new Uint8Array(to - from);
  copy.set(bytes.subarray(from, to));
  return copy;
}

/** The vectors between two offsets: the checksum is verified, the unique id is kept, the others are skipped. */
function readTlvs(header: ProxyHeader, bytes: Uint8Array, from: number, end: number): boolean {
  let checksumAt = -1;
  for (let at = from; at < end; ) {
    if (at + TLV_BYTES > end) return false;
    const type = bytes[at];
    const valueAt = at + TLV_BYTES;
    const next = valueAt + uint16(bytes, at + 1);
    if (next > end) return false;
    if (type === TLV_CRC32C) {
      if (checksumAt !== -1 || next - valueAt !== CRC_BYTES) return false;
      checksumAt = valueAt;
    } else if (type === TLV_UNIQUE_ID) {
      if (header.uniqueId !== null || next - valueAt > MAX_UNIQUE_ID_BYTES) return false;
      header.uniqueId = copyOf(bytes, valueAt, next);
    }
    at = next;
  }
  return checksumAt === -1 || isChecksumRight(bytes, checksumAt, end);
}

/** Section 2.2.3: over the whole header, with this field set to zero. */
function isChecksumRight(bytes: Uint8Array, at: number, end: number): boolean {
  const told = ((uint16(bytes, at) << 16) | uint16(bytes, at + 2)) >>> 0;
  bytes.fill(0, at, at + CRC_BYTES);
  return crc32c(bytes.subarray(0, end)) === told;
}

/** A unique id for people: as it is if it is printable ASCII, else in hexadecimal. Empty for one without bytes. */
export function formatUniqueId(id: Uint8Array): string {
  const isText = id.every((byte) => byte > 0x20 && byte < 0x7f);
  return isText ? String.fromCharCode(...id) : `0x${Buffer.from(id).toString('hex')}`;
}
