/** TLS alerts (RFC 8446 section 6) without encryption: a server's answer to a ClientHello that it refuses. */

export const TlsAlert = {
  unexpectedMessage: 10,
  recordOverflow: 22,
  illegalParameter: 47,
  accessDenied: 49,
  decodeError: 50,
  internalError: 80,
  missingExtension: 109,
  unrecognizedName: 112,
} as const;

export type TlsAlertDescription = (typeof TlsAlert)[keyof typeof TlsAlert];

const CONTENT_TYPE_ALERT = 21;
const LEVEL_FATAL = 2;

/** The record of a fatal alert: 7 bytes. It has the version of TLS 1.2, which every client accepts before negotiation. */
export const encodeTlsAlert = (description: TlsAlertDescription): Uint8Array<ArrayBuffer> =>
  Uint8Array.of(CONTENT_TYPE_ALERT, 3, 3, 0, 2, LEVEL_FATAL, description);
