/** struct sockaddr_in and sockaddr_in6 as bytes. */
import { mappedIpv4, mapIpv4, ipv4At } from '../wire/ip-address.ts';
export { formatSocketAddress } from '../wire/ip-address.ts';
import { AF_INET, AF_INET6, pinned } from './libc.ts';

/** Room for either family. */
export const SOCKADDR_BYTES = 28;

export interface SocketAddress {
  /** 16 bytes, IPv4 in its mapped form. */
  readonly address: Uint8Array;
  readonly port: number;
}

/**
 * A sockaddr for an address and port. An IPv4 (mapped) address becomes a sockaddr_in, any other a sockaddr_in6.
 * The length of the result is the socklen_t to pass; its first two bytes (native order) are the family.
 */
export function encodeSocketAddress({ address, port }: SocketAddress): Uint8Array<ArrayBuffer> {
  const isIpv4 = mappedIpv4(address) !== undefined;
  const bytes = pinned(isIpv4 ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isIpv4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  if (isIpv4) bytes.set(address.subarray(12), 4);
  else bytes.set(address, 8);
  return bytes;
}

/** The address and port of a sockaddr that the kernel wrote at `offset`. Throws on any other family. */
export function decodeSocketAddress(bytes: Uint8Array, offset = 0): SocketAddress {
  const family = bytes[offset] | (bytes[offset + 1] << 8);
  const port = (bytes[offset + 2] << 8) | bytes[offset + 3];
  if (family === AF_INET) return { address: mapIpv4(ipv4At(bytes, offset + 4)), port };
  if (family === AF_INET6) return { address: bytes.slice(offset + 8, offset + 24), port };
  throw new Error(`decodeSocketAddress: address family ${family}, expected ${AF_INET} or ${AF_INET6}`);
}
