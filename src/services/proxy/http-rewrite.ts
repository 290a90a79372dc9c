/**
 * Rewrites heads (RFC 9110 section 7.6). The server gets the client's head without hop-by-hop fields, plus the client's
 * address. A client that asked for a WebSocket gets the server's head with the right Connection field.
 */
import { formatIpAddress, formatIpv6, mappedIpv4 } from '../../wire/ip-address.ts';
import type { HttpField, RequestHead } from '../../wire/http-head.ts';
import type { ResponseHead } from '../../wire/http-response.ts';

/** RFC 9110 section 7.6.1, and fields that concern a connection without being listed in Connection. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'upgrade',
  'http2-settings',
]);
/** A client may claim anything, so only our own values may reach the server. */
const CLAIMS = new Set([
  'host',
  'forwarded',
  // Fields in which proxies and content delivery networks report the client, and which servers trust.
  'client-ip',
  'cf-connecting-ip',
  'cf-connecting-ipv6',
  'fastly-client-ip',
  'true-client-ip',
  'x-azure-clientip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-envoy-external-address',
  'x-original-forwarded-for',
  'x-originating-ip',
  'x-real-ip',
  'x-remote-addr',
  'x-remote-ip',
]);
/** Our name in Via: an HTTP-to-HTTP gateway MUST add it to requests (RFC 9110 section 7.6.3). */
const PSEUDONYM = 'tombolo';

/** An address as a node in RFC 7239 section 6. */
function formatNode(address: Uint8Array): string {
  return mappedIpv4(address) === undefined ? `"[${formatIpv6(address)}]"` : formatIpAddress(address);
}

/**
 * The head to send, with its final empty line; a string of char codes 0 to 255. Host is the authority that was checked.
 * `Connection: close` makes this request the only one: the server MUST NOT process anything after it (RFC 9112 section 9.6).
 * The client's version is kept, because the response passes unread and the client must understand it. Upgrades other than
 * `isWebSocket` are not offered: h2c would carry requests that this proxy cannot check.
 */
export function rewriteRequestHead(
  head: RequestHead,
  clientAddress: Uint8Array,
  isWebSocket: boolean,
): string {
  const { method, target, minorVersion, authority, connectionOptions } = head;
  const isDropped = ({ name }: HttpField) => {
    const lower = name.toLowerCase();
    // CGI and WSGI give both the name HTTP_X_FORWARDED_FOR (RFC 3875 section 4.1.18).
    const known = lower.replaceAll('_', '-');
    return (
      HOP_BY_HOP.has(lower) ||
      CLAIMS.has(known) ||
      known.startsWith('x-forwarded-') ||
      connectionOptions.has(lower)
    );
  };
  const kept = head.fields.filter((field) => !isDropped(field)).map(({ name, value }) => `${name}: ${value}`);
  const client = formatIpAddress(clientAddress);
  const connection = isWebSocket ? ['Connection: Upgrade', 'Upgrade: websocket'] : ['Connection: close'];
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

const UPGRADE_REQUIRED = 426;

/**
 * The head of a response to a WebSocket handshake, with its final empty line. 101 opens the tunnel. After any other response
 * the connection is closed, and the client must be told so: the server may want to keep it, but no second request would be
 * passed on.
 */
export function rewriteResponseHead(head: ResponseHead): string {
  const { status, minorVersion, reason, fields, connectionOptions } = head;
  const isTunnel = status === 101;
  // RFC 9110 section 15.5.22: 426 MUST name the protocol.
  const keepsUpgrade = isTunnel || status === UPGRADE_REQUIRED;
  const isDropped = (lower: string) =>
    lower === 'upgrade'
      ? !keepsUpgrade
      : HOP_BY_HOP.has(lower) ||
        connectionOptions.has(lower) ||
        // RFC 9110 section 8.6 and RFC 9112 section 6.1: a 1xx MUST NOT have them.
        (isTunnel && (lower === 'content-length' || lower === 'transfer-encoding'));
  const kept = fields.filter(({ name }) => !isDropped(name.toLowerCase()));
  const options = [...(isTunnel ? [] : ['close']), ...(keepsUpgrade ? ['Upgrade'] : [])];
  const lines = [
    `HTTP/1.${minorVersion} ${status} ${reason}`,
    ...kept.map(({ name, value }) => `${name}: ${value}`),
    `Connection: ${options.join(', ')}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
