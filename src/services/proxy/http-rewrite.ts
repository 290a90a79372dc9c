/** The request head that a server gets (RFC 9110 section 7.6): the client's, less what is hop by hop, plus who asked. */
import { formatIpAddress, formatIpv6, mappedIpv4 } from '../../wire/ip-address.ts';
import type { HttpField, RequestHead } from '../../wire/http-head.ts';

/** RFC 9110 section 7.6.1, with those that name a connection without being named in it. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
  'http2-settings',
]);
/** A client may claim anything: only what we say ourselves may reach the server. */
const CLAIMS = new Set(['forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'host']);
/** Names us in Via: an HTTP-to-HTTP gateway MUST add it to requests (RFC 9110 section 7.6.3). */
const PSEUDONYM = 'tombolo';

/** True for a WebSocket handshake. Other upgrades are not offered: h2c would carry requests past this proxy's eyes. */
export const isWebSocket = ({ connectionOptions, fields, minorVersion }: RequestHead): boolean =>
  minorVersion === 1 &&
  connectionOptions.has('upgrade') &&
  fields.some(({ name, value }) => name.toLowerCase() === 'upgrade' && value.toLowerCase() === 'websocket');

/** An address as RFC 7239 section 6 writes a node. */
function formatNode(address: Uint8Array): string {
  return mappedIpv4(address) === undefined ? `"[${formatIpv6(address)}]"` : formatIpAddress(address);
}

/**
 * The head to send, ending in its empty line; a string of char codes 0 to 255. Host is the authority that was judged.
 * `Connection: close` makes this request the only one: the server MUST NOT process what follows it (RFC 9112
 * section 9.6). The version stays the client's, since the answer passes unread and must be one that it understands.
 */
export function rewriteRequestHead(head: RequestHead, clientAddress: Uint8Array): string {
  const { method, target, minorVersion, authority, connectionOptions } = head;
  const isDropped = ({ name }: HttpField) => {
    const lower = name.toLowerCase();
    return (
      HOP_BY_HOP.has(lower) ||
      CLAIMS.has(lower) ||
      lower.startsWith('x-forwarded-') ||
      connectionOptions.has(lower)
    );
  };
  const kept = head.fields.filter((field) => !isDropped(field)).map(({ name, value }) => `${name}: ${value}`);
  const client = formatIpAddress(clientAddress);
  const connection = isWebSocket(head)
    ? ['Connection: Upgrade', 'Upgrade: websocket']
    : ['Connection: close'];
  const lines = [
    `${method} ${target} HTTP/1.${minorVersion}`,
    `Host: ${authority}`,
    ...kept,
    `X-Forwarded-For: ${client}`,
    'X-Forwarded-Proto: http',
    `X-Forwarded-Host: ${authority}`,
    `Forwarded: for=${formatNode(clientAddress)};host="${authority}";proto=http`,
    `Via: 1.${minorVersion} ${PSEUDONYM}`,
    ...connection,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
