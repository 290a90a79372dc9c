/** The opening handshake of WebSocket (RFC 6455 section 4), as seen in the heads of request and response. */
import { type HttpField, type RequestHead, fieldValues, listMembers } from './http-head.ts';
import type { ResponseHead } from './http-response.ts';

export { WEBSOCKET_GUID } from './http1/websocket.ts';

const VERSION = '13';
/** Base64 of 16 bytes. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const only = (fields: readonly HttpField[], name: string): string | undefined => {
  const values = fieldValues(fields, name);
  return values.length === 1 ? values[0] : undefined;
};

const asksUpgrade = ({ connectionOptions, fields }: Pick<RequestHead, 'connectionOptions' | 'fields'>) =>
  connectionOptions.has('upgrade') &&
  fieldValues(fields, 'upgrade').flatMap(listMembers).includes('websocket');

/**
 * The key of a request that is a client's opening handshake (section 4.2.1): GET with HTTP/1.1, all fields, no body. undefined
 * for every other request, whatever its Upgrade fields contain.
 */
export function webSocketKey(head: RequestHead): string | undefined {
  const { method, minorVersion, contentLength, fields } = head;
  if (method !== 'GET' || minorVersion !== 1 || contentLength !== 0 || !asksUpgrade(head)) return undefined;
  if (only(fields, 'sec-websocket-version') !== VERSION) return undefined;
  const key = only(fields, 'sec-websocket-key');
  return key !== undefined && KEY.test(key) ? key : undefined;
}

/**
 * Whether the response opens the tunnel that the request asked for (section 4.1, what a client must validate). `accept` is
 * base64(SHA-1(key + WEBSOCKET_GUID)), which only a server that knows WebSocket sends.
 */
export const opensWebSocket = (head: ResponseHead, accept: string): boolean =>
  head.status === 101 &&
  head.minorVersion === 1 &&
  asksUpgrade(head) &&
  only(head.fields, 'sec-websocket-accept') === accept;
