/** The proxy's own HTTP responses: refusals with their reason. */

/** Reason phrases (RFC 9110 section 15, RFC 6585). Not from node:http, which costs the thread 0.6 MB. */
const REASON_PHRASES = {
  200: 'OK',
  301: 'Moved Permanently',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  421: 'Misdirected Request',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
} as const;

/** A status with which the proxy itself responds. */
export type HttpStatus = keyof typeof REASON_PHRASES;

/**
 * A complete response that ends the connection. `withBody` is false for HEAD (RFC 9110 section 9.3.2). `fields`: further header
 * fields, without line ends.
 */
export function encodeHttpAnswer(
  status: HttpStatus,
  reason: string,
  withBody = true,
  fields: readonly string[] = [],
): Uint8Array {
  const title = `${status} ${REASON_PHRASES[status]}`;
  const body = `${title}: ${reason}\n`;
  const head = [
    `HTTP/1.1 ${title}`,
    `Date: ${new Date().toUTCString()}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    ...fields,
    'Connection: close',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${withBody ? body : ''}`);
}
