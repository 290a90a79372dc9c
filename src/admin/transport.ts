/** How a request arrived: encrypted or not, from this machine or another. */
import type { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import { parseIpAddress, mappedIpv4 } from '../wire/ip-address.ts';

export const isEncrypted = ({ raw: { socket } }: FastifyRequest): boolean =>
  (socket as Partial<TLSSocket>).encrypted === true;

/** Whether a peer is this machine: 127.0.0.0/8 or ::1. An SSH tunnel also ends here. */
export function isLoopback(remoteAddress: string | undefined): boolean {
  const address = parseIpAddress(remoteAddress ?? '');
  if (address === undefined) return false;
  const ipv4 = mappedIpv4(address);
  if (ipv4 !== undefined) return ipv4 >>> 24 === 127;
  return address.every((byte, i) => byte === (i === 15 ? 1 : 0));
}
