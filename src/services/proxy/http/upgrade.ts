/** The opening handshake of WebSocket (RFC 6455 section 4), as seen in the heads of request and response. */
import {
  FIELD_SHIFT,
  Field,
  type MessageHead,
  Method,
  Upgrade,
  latin1Text,
} from '../../../wire/http1/head.ts';
import { FieldName, type FieldNameId } from '../../../wire/http1/names.ts';

const VERSION = '13';
/** Base64 of 16 bytes. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The value of the only field with this name; undefined if there is none, or more than one. */
function onlyValue(head: MessageHead, bytes: Uint8Array, id: FieldNameId): string | undefined {
  const { fields, fieldCount } = head;
  let found = -1;
  for (let row = 0; row < fieldCount << FIELD_SHIFT; row += 1 << FIELD_SHIFT) {
    if (fields[row + Field.id] !== id) continue;
    if (found !== -1) return undefined;
    found = row;
  }
  if (found === -1) return undefined;
  return latin1Text(bytes, fields[found + Field.valueStart], fields[found + Field.valueEnd]);
}

/**
 * The key of a request that is a client's opening handshake (section 4.2.1): GET with HTTP/1.1, all fields, no body. undefined
 * for every other request, whatever its Upgrade fields contain.
 */
export function webSocketKey(head: MessageHead, bytes: Uint8Array): string | undefined {
  const { method, minorVersion, bodyBytes, upgrade } = head;
  if (upgrade !== Upgrade.websocket || method !== Method.get || minorVersion !== 1 || bodyBytes !== 0)
    return undefined;
  if (onlyValue(head, bytes, FieldName.webSocketVersion) !== VERSION) return undefined;
  const key = onlyValue(head, bytes, FieldName.webSocketKey);
  return key !== undefined && KEY.test(key) ? key : undefined;
}

/** Loads node:crypto, which takes 1.1 MB in this thread, only when the first WebSocket arrives. */
const acceptOf = (key: string): string =>
  process
    .getBuiltinModule('node:crypto')
    .createHash('sha1')
    .update(key + GUID)
    .digest('base64');

/** Whether the response (101) opens the tunnel that the request with this key asked for: what a client must check (section 4.1). */
export const opensWebSocket = (head: MessageHead, bytes: Uint8Array, key: string): boolean =>
  head.minorVersion === 1 &&
  head.upgrade === Upgrade.websocket &&
  onlyValue(head, bytes, FieldName.webSocketAccept) === acceptOf(key);
