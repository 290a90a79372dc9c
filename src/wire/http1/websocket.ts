/** The opening handshake of WebSocket (RFC 6455 section 4), as seen in the heads of request and response. */
import { FIELD_SHIFT, Field, type MessageHead, Method, Upgrade, latin1Text } from './head.ts';
import { FieldName } from './names.ts';

const VERSION = '13';
/** Base64 of 16 bytes. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
/** Section 1.3. */
export const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The value of the only field of a name; undefined when there is none, or more than one. */
function onlyValue({ fields, fieldCount }: MessageHead, bytes: Uint8Array, id: number): string | undefined {
  let only = -1;
  for (let row = 0; row < fieldCount << FIELD_SHIFT; row += 1 << FIELD_SHIFT) {
    if (fields[row + Field.id] !== id) continue;
    if (only !== -1) return undefined;
    only = row;
  }
  if (only === -1) return undefined;
  return latin1Text(bytes, fields[only + Field.valueStart], fields[only + Field.valueEnd]);
}

/**
 * The key of a request that is a client's opening handshake (section 4.2.1): GET with HTTP/1.1, all fields, no body. undefined
 * for every other request, whatever its Upgrade fields contain.
 */
export function webSocketKey(head: MessageHead, bytes: Uint8Array): string | undefined {
  if (head.upgrade !== Upgrade.websocket || head.method !== Method.get || head.bodyBytes !== 0)
    return undefined;
  if (onlyValue(head, bytes, FieldName.webSocketVersion) !== VERSION) return undefined;
  const key = onlyValue(head, bytes, FieldName.webSocketKey);
  return key !== undefined && KEY.test(key) ? key : undefined;
}

/** Loads node:crypto, which takes 1.1 MB in a thread, only when the first WebSocket arrives. */
const acceptOf = (key: string): string =>
  process
    .getBuiltinModule('node:crypto')
    .createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64');

/**
 * Whether the response opens the tunnel that the request with this key asked for (section 4.1, what a client must validate):
 * only a server that knows WebSocket sends the right Sec-WebSocket-Accept.
 */
export const opensWebSocket = (head: MessageHead, bytes: Uint8Array, key: string): boolean =>
  head.status === 101 &&
  head.upgrade === Upgrade.websocket &&
  onlyValue(head, bytes, FieldName.webSocketAccept) === acceptOf(key);
