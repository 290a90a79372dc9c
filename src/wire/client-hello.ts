/**
 * Reads the server name in a TLS ClientHello and the protocols that it offers, and nothing else: records (RFC 8446 section 5.1),
 * ClientHello (4.1.2), its extensions (4.2), server_name (RFC 6066 section 3) and ALPN (RFC 7301 section 3.1), for every TLS version. The message may span any number of records, and
 * records any number of segments. Parsing is strict: lengths must agree to the byte, and a message that two implementations
 * could read differently (two names) is refused.
 */
import { nameText } from './known-name.ts';
import { TlsAlert, type TlsAlertDescription } from './tls-alert.ts';

/**
 * The maximum size of a ClientHello, record headers included. This one limit bounds memory and work, however the message is
 * split. Usual ones have 0.3 to 2 KB with post-quantum key shares; session tickets that hold client certificates add some KB.
 * nginx and HAProxy stop at 16 KB by default.
 */
export const MAX_CLIENT_HELLO_BYTES = 65_536;

const CONTENT_TYPE_HANDSHAKE = 22;
const HANDSHAKE_CLIENT_HELLO = 1;
const RECORD_HEADER_BYTES = 5;
const HANDSHAKE_HEADER_BYTES = 4;
const MAX_PLAINTEXT_BYTES = 16_384;
const RANDOM_BYTES = 32;
const MAX_SESSION_ID_BYTES = 32;
const EXTENSION_SERVER_NAME = 0;
const EXTENSION_ALPN = 16;
const NAME_TYPE_HOST_NAME = 0;

/** The state of a scan over the records, so that the bytes of a slow client are not scanned twice. */
export interface ClientHelloScan {
  /** Offset of the first record header that is not yet scanned. */
  recordAt: number;
  /** Handshake bytes in the scanned records. */
  gatheredBytes: number;
  /** Type and length of the message, as far as they have arrived: this header may span records too. */
  header: number;
}

export const startClientHelloScan = (): ClientHelloScan => ({ recordAt: 0, gatheredBytes: 0, header: 0 });

export type ClientHelloFault = 'not-tls' | 'malformed' | 'oversized';

export type ClientHelloResult =
  | { readonly kind: 'incomplete' }
  | ClientHello
  /** `alert` is undefined when the client does not speak TLS. */
  | {
      readonly kind: 'refused';
      readonly fault: ClientHelloFault;
      readonly alert: TlsAlertDescription | undefined;
    };

export interface ClientHello extends OfferedProtocols {
  readonly kind: 'complete';
  /** In lower case, without a final dot; undefined when the client named none. */
  readonly serverName: string | undefined;
}

/**
 * The protocols that a client offers (RFC 7301), the one that it prefers first: between two offsets of `offers`, each after its
 * length in one byte. `offers` is null if it offers none. Valid as long as the bytes that were read.
 */
export interface OfferedProtocols {
  readonly offers: Uint8Array | null;
  readonly offersFrom: number;
  readonly offersTo: number;
}

const INCOMPLETE: ClientHelloResult = { kind: 'incomplete' };
const NOT_TLS: ClientHelloResult = { kind: 'refused', fault: 'not-tls', alert: undefined };
const malformed = (alert: TlsAlertDescription): ClientHelloResult => ({
  kind: 'refused',
  fault: 'malformed',
  alert,
});
const UNEXPECTED = malformed(TlsAlert.unexpectedMessage);
const DECODE_ERROR = malformed(TlsAlert.decodeError);
const ILLEGAL_PARAMETER = malformed(TlsAlert.illegalParameter);
const RECORD_OVERFLOW: ClientHelloResult = {
  kind: 'refused',
  fault: 'oversized',
  alert: TlsAlert.recordOverflow,
};
const TOO_LONG: ClientHelloResult = { kind: 'refused', fault: 'oversized', alert: TlsAlert.decodeError };

/**
 * Scans what a client has sent so far, from its first byte. Call again with the same scan when more has arrived. Never throws,
 * whatever the bytes.
 */
export function readClientHello(bytes: Uint8Array, scan: ClientHelloScan): ClientHelloResult {
  for (;;) {
    const { recordAt } = scan;
    const isFirst = recordAt === 0;
    if (bytes.length > recordAt && bytes[recordAt] !== CONTENT_TYPE_HANDSHAKE) {
      return isFirst ? NOT_TLS : UNEXPECTED;
    }
    if (bytes.length > recordAt + 1 && bytes[recordAt + 1] !== 3) return isFirst ? NOT_TLS : DECODE_ERROR;
    if (bytes.length < recordAt + RECORD_HEADER_BYTES) return INCOMPLETE;
    const contentBytes = (bytes[recordAt + 3] << 8) | bytes[recordAt + 4];
    const contentAt = recordAt + RECORD_HEADER_BYTES;
    // RFC 8446 section 5.1: handshake fragments are never empty, and hold 2^14 bytes at most.
    if (contentBytes === 0) return DECODE_ERROR;
    if (contentBytes > MAX_PLAINTEXT_BYTES) return RECORD_OVERFLOW;
    if (contentAt + contentBytes > MAX_CLIENT_HELLO_BYTES) return TOO_LONG;

    // Read the message header as soon as it has arrived, so that invalid data is refused without waiting for the rest.
    const headerMissing = HANDSHAKE_HEADER_BYTES - scan.gatheredBytes;
    const headerHere = Math.min(headerMissing, contentBytes, bytes.length - contentAt);
    let header = scan.header;
    for (let i = 0; i < headerHere; i++) header = ((header << 8) | bytes[contentAt + i]) >>> 0;
    if (
      headerHere === headerMissing &&
      (header >>> 24 !== HANDSHAKE_CLIENT_HELLO || (header & 0xffffff) === 0)
    ) {
      return header >>> 24 === HANDSHAKE_CLIENT_HELLO ? DECODE_ERROR : UNEXPECTED;
    }
    const messageBytes = HANDSHAKE_HEADER_BYTES + (header & 0xffffff);
    if (headerHere >= headerMissing && headerMissing > 0 && messageBytes > MAX_CLIENT_HELLO_BYTES)
      return TOO_LONG;
    if (bytes.length < contentAt + contentBytes) return INCOMPLETE;

    scan.header = header;
    scan.gatheredBytes += contentBytes;
    scan.recordAt = contentAt + contentBytes;
    if (scan.gatheredBytes < HANDSHAKE_HEADER_BYTES || scan.gatheredBytes < messageBytes) continue;
    // Most messages have one record: it is read where it is.
    if (isFirst) return readMessage(bytes, contentAt + HANDSHAKE_HEADER_BYTES, contentAt + messageBytes);
    return readMessage(gather(bytes, scan), HANDSHAKE_HEADER_BYTES, messageBytes);
  }
}

/** The contents of all scanned records, joined. */
function gather(bytes: Uint8Array, { recordAt, gatheredBytes }: ClientHelloScan): Uint8Array {
  const joined = new Uint8Array(gatheredBytes);
  let filled = 0;
  for (let at = 0; at < recordAt; ) {
    const contentBytes = (bytes[at + 3] << 8) | bytes[at + 4];
    joined.set(bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + contentBytes), filled);
    filled += contentBytes;
    at += RECORD_HEADER_BYTES + contentBytes;
  }
  return joined;
}

const uint16 = (bytes: Uint8Array, at: number) => (bytes[at] << 8) | bytes[at + 1];

/** The body of a ClientHello, between two offsets. */
function readMessage(body: Uint8Array, from: number, end: number): ClientHelloResult {
  let at = from + 2 + RANDOM_BYTES; // legacy_version, random
  if (at + 1 > end) return DECODE_ERROR;
  const sessionIdBytes = body[at];
  at += 1 + sessionIdBytes;
  if (sessionIdBytes > MAX_SESSION_ID_BYTES || at + 2 > end) return DECODE_ERROR;
  const cipherBytes = uint16(body, at);
  at += 2 + cipherBytes;
  if (cipherBytes < 2 || cipherBytes % 2 !== 0 || at + 1 > end) return DECODE_ERROR;
  const compressionBytes = body[at];
  at += 1 + compressionBytes;
  if (compressionBytes < 1 || at > end) return DECODE_ERROR;
  if (at === end) return complete(undefined, body, -1, -1); // before TLS 1.3 extensions may be absent
  if (at + 2 > end || at + 2 + uint16(body, at) !== end) return DECODE_ERROR;
  at += 2;

  let nameAt = -1;
  let nameBytes = 0;
  let offersAt = -1;
  let offersTo = -1;
  while (at < end) {
    if (at + 4 > end) return DECODE_ERROR;
    const type = uint16(body, at);
    const length = uint16(body, at + 2);
    at += 4;
    if (at + length > end) return DECODE_ERROR;
    if (type === EXTENSION_SERVER_NAME) {
      // RFC 8446 section 4.2: no extension may occur twice. Two implementations could read different names.
      if (nameAt !== -1) return ILLEGAL_PARAMETER;
      nameAt = at;
      nameBytes = length;
    } else if (type === EXTENSION_ALPN) {
      if (offersAt !== -1) return ILLEGAL_PARAMETER;
      if (!isProtocolList(body, at, at + length)) return DECODE_ERROR;
      offersAt = at + 2;
      offersTo = at + length;
    }
    at += length;
  }
  if (nameAt === -1) return complete(undefined, body, offersAt, offersTo);
  return readServerName(body, nameAt, nameAt + nameBytes, offersAt, offersTo);
}

const complete = (
  serverName: string | undefined,
  body: Uint8Array,
  offersFrom: number,
  offersTo: number,
): ClientHello => ({
  kind: 'complete',
  serverName,
  offers: offersFrom === -1 ? null : body,
  offersFrom,
  offersTo,
});

/** RFC 7301 section 3.1: ProtocolName protocol_name_list<2..2^16-1>, none of them empty. */
function isProtocolList(body: Uint8Array, from: number, end: number): boolean {
  if (from + 4 > end || from + 2 + uint16(body, from) !== end) return false;
  let at = from + 2;
  while (at < end && body[at] !== 0) at += 1 + body[at];
  return at === end;
}

/** A ServerNameList between two offsets: exactly one host name (RFC 6066 defines no other type). */
function readServerName(
  body: Uint8Array,
  from: number,
  end: number,
  offersFrom: number,
  offersTo: number,
): ClientHelloResult {
  if (from + 5 > end || from + 2 + uint16(body, from) !== end) return DECODE_ERROR;
  if (body[from + 2] !== NAME_TYPE_HOST_NAME) return DECODE_ERROR;
  const start = from + 5;
  const length = uint16(body, from + 3);
  if (length === 0 || start + length > end) return DECODE_ERROR;
  // RFC 6066 section 3: "MUST NOT contain more than one name of the same name_type".
  if (start + length < end) return ILLEGAL_PARAMETER;
  // A NUL or control character is not valid in a server name, and could end a C string in other software.
  for (let at = start; at < end; at++) if (body[at] <= 32 || body[at] >= 127) return ILLEGAL_PARAMETER;
  // RFC 6066: "without a trailing dot"; accepted, as every server does.
  const nameEnd = length > 1 && body[end - 1] === 46 ? end - 1 : end;
  return complete(nameText(body, start, nameEnd), body, offersFrom, offersTo);
}
