/**
 * The heads that pass (RFC 9110 section 7.6). A server gets the client's, less what is hop by hop, plus who asked; a client
 * that asked for a WebSocket gets the server's, with what becomes of the connection.
 */
import { formatIpAddress, formatIpv6, mappedIpv4 } from '../../wire/ip-address.ts';
import type { HttpField, RequestHead } from '../../wire/http-head.ts';
import type { ResponseHead } from '../../wire/http-response.ts';

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
const CLAIMS = new Set([
  'host',
  'forwarded',
  // Where proxies and content delivery networks say who the client is, and servers believe them.
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
/** Names us in Via: an HTTP-to-HTTP gateway MUST add it to requests (RFC 9110 section 7.6.3). */
const PSEUDONYM = 'tombolo';

/** An address as RFC 7239 section 6 writes a node. */
function formatNode(address: Uint8Array): string {
  return mappedIpv4(address) === undefined ? `"[${formatIpv6(address)}]"` : formatIpAddress(address);
}

/**
 * The head to send, ending in its empty line; a string of char codes 0 to 255. Host is the authority that was judged.
 * `Connection: close` makes this request the only one: the server MUST NOT process what follows it (RFC 9112
 * section 9.6). The version stays the client's, since the answer passes unread and must be one that it understands. Upgrades
 * other than `isWebSocket` are not offered: h2c would carry requests past this proxy's eyes.
 */
export function rewriteRequestHead(
  head: RequestHead,
  clientAddress: Uint8Array,
  isWebSocket: boolean,
): string {
  const { method, target, minorVersion, authority, connectionOptions } = head;
  const isDropped = ({ name }: HttpField) => {
    const lower = name.toLowerCase();
    // CGI and WSGI know both as HTTP_X_FORWARDED_FOR (RFC 3875 section 4.1.18).
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
 * The head of an answer to a WebSocket handshake, ending in its empty line. 101 opens the tunnel; with any other the
 * connection ends, as the client must be told: its server may want to keep it, but no second request would be passed.
 */
export function rewriteResponseHead(head: ResponseHead): string {
  const { status, minorVersion, reason, fields, connectionOptions } = head;
  const isTunnel = status === 101;
  // RFC 9110 section 15.5.22: 426 MUST say which protocol.
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
