/**
 * The server's answer to a WebSocket handshake. Only its 101 makes a tunnel of the connection; with any other answer it was
 * one request, and what the client sends behind it goes nowhere.
 */
import { type AnswerExaminer, type AnswerVerdict, MORE } from '../../net/gate.ts';
import { appendOpening, createOpeningBytes, keepOpening } from '../../net/opening-bytes.ts';
import { findHeadEnd } from '../../wire/http-head.ts';
import { MAX_RESPONSE_HEAD_BYTES, type ResponseHead, parseResponseHead } from '../../wire/http-response.ts';
import { WEBSOCKET_GUID, opensWebSocket } from '../../wire/websocket.ts';
import type { ProxyCounterIndex } from './counters.ts';
import { encodeHttpAnswer } from './http-answer.ts';
import { rewriteResponseHead } from './http-rewrite.ts';

const SWITCHING_PROTOCOLS = 101;

/** Loads node:crypto, which takes 1.1 MB in this thread, when the first WebSocket comes. */
const acceptOf = (key: string): string =>
  process
    .getBuiltinModule('node:crypto')
    .createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64');

/** The judge of one answer to the handshake with this Sec-WebSocket-Key. */
export function createWebSocketAnswer(key: string, index: ProxyCounterIndex): AnswerExaminer {
  const opening = createOpeningBytes();
  /** Where the head begins that is not complete: 1xx responses may come before the last one (RFC 9110 section 15.2). */
  let start = 0;
  let scanned = 0;

  const refuse = (reason: string): AnswerVerdict => ({
    kind: 'refuse',
    refusal: { counter: index['http-bad-answer'], answer: encodeHttpAnswer(502, reason), reset: false },
  });

  function judge(head: ResponseHead, bytes: Uint8Array, end: number): AnswerVerdict {
    const isTunnel = opensWebSocket(head, acceptOf(key));
    if (head.status === SWITCHING_PROTOCOLS && !isTunnel)
      return refuse('the server switched to a protocol that was not asked for');
    const length = !isTunnel && typeof head.body === 'number' ? head.body : undefined;
    // What a server sends behind its answer is another answer, to a request that nobody made.
    const rest = bytes.subarray(end, length === undefined ? bytes.length : end + length);
    const text = Buffer.from(rewriteResponseHead(head), 'latin1');
    return {
      kind: 'pass',
      counter: isTunnel ? index['http-upgraded'] : -1,
      bytes: Buffer.concat([bytes.subarray(0, start), text, rest]),
      isTunnel,
      remainingBytes: length === undefined ? -1 : length - rest.length,
    };
  }

  return {
    push(chunk) {
      const bytes = appendOpening(opening, chunk);
      for (;;) {
        const end = findHeadEnd(bytes, Math.max(start, scanned - 3));
        if ((end === -1 ? bytes.length : end) > MAX_RESPONSE_HEAD_BYTES)
          return refuse(`the head of the answer is longer than ${MAX_RESPONSE_HEAD_BYTES} bytes`);
        if (end === -1) {
          scanned = bytes.length;
          keepOpening(opening, bytes);
          return MORE;
        }
        const head = parseResponseHead(bytes.subarray(start, end));
        if ('fault' in head) return refuse(`the server's answer is malformed: ${head.fault}`);
        if (head.status >= 200 || head.status === SWITCHING_PROTOCOLS) return judge(head, bytes, end);
        start = scanned = end;
      }
    },
  };
}
