/** What a server is told about the client of a request: made once for a connection. */
import { formatIpAddress, formatIpv6, mappedIpv4 } from '../ip-address.ts';
import { octetsOf } from './octets.ts';

/** An address as a node in RFC 7239 section 6. */
const formatNode = (address: Uint8Array): string =>
  mappedIpv4(address) === undefined ? `"[${formatIpv6(address)}]"` : formatIpAddress(address);

/**
 * For writeRequestHead: the fields with the client's address. They end within Forwarded, where the authority of the request
 * follows.
 */
export function createClientFields(address: Uint8Array, scheme: 'http' | 'https'): Uint8Array {
  const text = formatIpAddress(address);
  return octetsOf(
    [
      `X-Forwarded-For: ${text}`,
      `X-Real-IP: ${text}`,
      `X-Forwarded-Proto: ${scheme}`,
      `Forwarded: for=${formatNode(address)};proto=${scheme};host="`,
    ].join('\r\n'),
  );
}
