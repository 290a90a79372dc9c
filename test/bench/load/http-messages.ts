/** The requests of the web clients, and the answer of the web server to each of them. */

/** What the server answers: the size of a small page. */
export const BODY = 'tombolo '.repeat(128);

/** The head that curl sends, and the one that Chromium sends for a page of a site with a session cookie. */
export const HEADS = {
  plain: ['User-Agent: curl/8.14.1', 'Accept: */*'],
  browser: [
    'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
    'sec-ch-ua-mobile: ?0',
    'sec-ch-ua-platform: "Linux"',
    'Upgrade-Insecure-Requests: 1',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
    'Sec-Fetch-Site: same-origin',
    'Sec-Fetch-Mode: navigate',
    'Sec-Fetch-User: ?1',
    'Sec-Fetch-Dest: document',
    'Referer: http://www.example.com/articles/2026/11/a-page-before-this-one.html',
    'Accept-Encoding: gzip, deflate',
    'Accept-Language: en-GB,en;q=0.9,de;q=0.8',
    'Cookie: session=5c1f0e7b9a3d4f2e8b6a7c9d0e1f2a3b; theme=dark; consent=necessary%2Cstatistics; last=1764540000',
    'If-Modified-Since: Mon, 30 Nov 2026 08:00:00 GMT',
  ],
} as const;

export function encodeRequest(serverName: string, head: keyof typeof HEADS, isKept: boolean): Uint8Array {
  const connection = isKept ? 'keep-alive' : 'close';
  const lines = ['GET / HTTP/1.1', `Host: ${serverName}`, `Connection: ${connection}`, ...HEADS[head]];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** What has arrived of an answer. */
export interface Arriving {
  text: string;
}

/**
 * Adds bytes to an answer. 'more' if it is not complete yet; then whether the server keeps the connection or closes it. Throws if
 * it is not the right answer.
 */
export function addToAnswer(arriving: Arriving, bytes: Uint8Array): 'more' | 'kept' | 'closing' {
  const text = arriving.text + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  arriving.text = text;
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return 'more';
  const bodyBytes = text.length - headEnd - 4;
  if (bodyBytes < BODY.length && BODY.startsWith(text.slice(headEnd + 4))) return 'more';
  if (!text.startsWith('HTTP/1.1 200') || !text.endsWith(BODY) || bodyBytes !== BODY.length)
    throw new Error(`not the right answer: ${text}`);
  arriving.text = '';
  return /\r\nconnection: *close\r\n/i.test(text) ? 'closing' : 'kept';
}
