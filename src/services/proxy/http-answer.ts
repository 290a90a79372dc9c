/** The proxy's own HTTP answers: refusals that say why. */
import { STATUS_CODES } from 'node:http';

/** A complete answer that ends the connection. `withBody` is false for HEAD (RFC 9110 section 9.3.2). */
export function encodeHttpAnswer(status: number, reason: string, withBody = true): Uint8Array {
  const title = `${status} ${STATUS_CODES[status]}`;
  const body = `${title}: ${reason}\n`;
  const head = [
    `HTTP/1.1 ${title}`,
    `Date: ${new Date().toUTCString()}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${withBody ? body : ''}`);
}
