/**
 * The PROXY protocol, versions 1 and 2 (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt): a header at the start of
 * a connection that tells the server the client's address.
 */
import { crc32c } from './crc32c.ts';
import { formatIpAddress, formatIpv6, mappedIpv4 } from './ip-address.ts';

export interface Endpoint {
  /** 16 bytes, IPv4 in its mapped form. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** Section 2.1: "PROXY TCP4 192.0.2.1 203.0.113.1 56324 443" and CRLF. */
export function encodeProxyV1(source: Endpoint, destination: Endpoint): Uint8Array<ArrayBuffer> {
  const isIpv4 = bothIpv4(source, destination);
  // Both addresses must have one family: if they differ, the IPv4 address is written in its mapped form.
  const text = ({ address }: Endpoint) => (isIpv4 ? formatIpAddress(address) : formatIpv6(address));
  const line = `PROXY TCP${isIpv4 ? 4 : 6} ${text(source)} ${text(destination)} ${source.port} ${destination.port}\r\n`;
  return Uint8Array.from(line, (character) => character.charCodeAt(0));
}

/** Section 2.1: a connection without a client, such as a health check; the server uses the real endpoints. */
export const PROXY_V1_UNKNOWN = Uint8Array.from('PROXY UNKNOWN\r\n', (character) => character.charCodeAt(0));

// Section 2.2.
const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const VERSION_2_LOCAL = 0x20;
const VERSION_2_PROXY = 0x21;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const FIXED_BYTES = 16;
const TLV_BYTES = 3;
const CRC_BYTES = 4;
const TLV_ALPN = 0x01;
const TLV_AUTHORITY = 0x02;
const TLV_CRC32C = 0x03;
const TLV_UNIQUE_ID = 0x05;

/** Section 2.2, command LOCAL, the equivalent of UNKNOWN in version 1. The family is UNSPEC and no address follows. */
export const PROXY_V2_LOCAL = Uint8Array.of(...SIGNATURE, VERSION_2_LOCAL, 0, 0, 0);

/** What a header of version 2 tells beside the addresses. */
export interface ProxyDetails {
  /** PP2_TYPE_ALPN: the protocol that the client speaks; null if it is not known. */
  readonly protocol: Uint8Array | null;
  /** PP2_TYPE_AUTHORITY: the name that the client asked for (SNI or Host): ASCII, at most 255 characters. */
  readonly authority: string | undefined;
  /** PP2_TYPE_UNIQUE_ID: at most 128 bytes; null for none. */
  readonly uniqueId: Uint8Array | null;
}

/** Section 2.2, with these TLVs and PP2_TYPE_CRC32C. */
export function encodeProxyV2(
  source: Endpoint,
  destination: Endpoint,
  { protocol, authority, uniqueId }: ProxyDetails,
): Uint8Array<ArrayBuffer> {
  const isIpv4 = bothIpv4(source, destination);
  const addressBytes = isIpv4 ? 4 : 16;
  const details =
    sizeOf(protocol?.length) + sizeOf(authority?.length) + sizeOf(uniqueId?.length) + sizeOf(CRC_BYTES);
  const bytes = new Uint8Array(FIXED_BYTES + 2 * addressBytes + 4 + details);
  const view = new DataView(bytes.buffer);
  bytes.set(SIGNATURE);
  bytes[12] = VERSION_2_PROXY;
  bytes[13] = isIpv4 ? TCP_OVER_IPV4 : TCP_OVER_IPV6;
  view.setUint16(14, bytes.length - FIXED_BYTES);
  let at = FIXED_BYTES;
  for (const { address } of [source, destination]) {
    bytes.set(address.subarray(16 - addressBytes), at);
    at += addressBytes;
  }
  view.setUint16(at, source.port);
  view.setUint16(at + 2, destination.port);
  at += 4;
  /** Writes the head of a vector; returns where its value belongs. */
  const begin = (type: number, length: number): number => {
    bytes[at] = type;
    view.setUint16(at + 1, length);
    const valueAt = at + TLV_BYTES;
    at = valueAt + length;
    return valueAt;
  };
  if (protocol !== null) bytes.set(protocol, begin(TLV_ALPN, protocol.length));
  if (authority !== undefined) {
    const valueAt = begin(TLV_AUTHORITY, authority.length);
    for (let i = 0; i < authority.length; i++) bytes[valueAt + i] = authority.charCodeAt(i);
  }
  if (uniqueId !== null) bytes.set(uniqueId, begin(TLV_UNIQUE_ID, uniqueId.length));
  view.setUint32(begin(TLV_CRC32C, CRC_BYTES), crc32c(bytes)); // over the whole header, with this field set to zero
  return bytes;
}

/** The size of a vector with a value of this length; 0 if there is none. */
const sizeOf = (length: number | undefined): number => (length === undefined ? 0 : TLV_BYTES + length);

const bothIpv4 = (a: Endpoint, b: Endpoint) =>
  mappedIpv4(a.address) !== undefined && mappedIpv4(b.address) !== undefined;
