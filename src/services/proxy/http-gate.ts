/**
 * The gate of an HTTP listener: the Host of a request selects the server. Each connection carries one request: its head is
 * rewritten, its body and the response pass unchanged. Data after the body (of known length or chunked) is discarded, so
 * nothing reaches a server without having been checked. A WebSocket handshake is handled like this too, until its server has
 * responded with 101.
 */

import {
  type Examiner,
  type Gate,
  MORE,
  type Refusal,
  RESET,
  type Route,
  type ServerFailure,
  type Verdict,
} from '../../net/gate.ts';
import type { SourceOf } from '../../net/mapped-source.ts';
import { appendOpening, createOpeningBytes, keepOpening } from '../../net/opening-bytes.ts';
import { isChunkedComplete, scanChunked, startChunkedScan } from '../../wire/chunked-body.ts';
import {
  MAX_REQUEST_HEAD_BYTES,
  type RequestFault,
  type RequestHead,
  findHeadEnd,
  parseRequestHead,
} from '../../wire/http-head.ts';
import { webSocketKey } from '../../wire/websocket.ts';
import type { ProxyCounterIndex } from './counters.ts';
import { RETRY_AFTER_SECONDS, type Refused, decide, locationOf } from './decide.ts';
import type { HostTable } from './host-table.ts';
import { type HttpStatus, encodeHttpAnswer } from './http-answer.ts';
import { rewriteRequestHead } from './http-rewrite.ts';
import { createWebSocketAnswer } from './websocket-answer.ts';
import { type PeerOf, buildPreamble } from './preamble.ts';

/** RFC 9113 section 3.4: the preface of a client with prior knowledge of HTTP/2. Its first line has no Host for routing. */
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\n';

const SERVER_FAILURES: Record<ServerFailure, [status: HttpStatus, reason: string]> = {
  refused: [502, 'the server refused the connection'],
  unreachable: [502, 'the server cannot be reached'],
  timeout: [504, 'the server did not answer in time'],
  'no-socket': [503, 'the proxy has no more sockets'],
  ourselves: [502, 'the address of the server is that of this proxy itself'],
  'no-answer': [502, 'the server closed the connection without an answer'],
};

const refuse = (
  counter: number,
  status: HttpStatus,
  reason: string,
  withBody = true,
  fields: readonly string[] = [],
): Refusal => ({
  counter,
  answer: encodeHttpAnswer(status, reason, withBody, fields),
  reset: false,
});

/** The answer to a request that does not reach a server. */
function refuseDecided(
  decided: Refused,
  { host, target, method }: RequestHead,
  index: ProxyCounterIndex,
): Refusal {
  const withBody = method !== 'HEAD';
  switch (decided.refused) {
    case 'redirect': {
      const { status, port } = decided.redirect;
      const location = locationOf(host, port, target);
      const reason = `this site is at ${location}`;
      return refuse(index['http-redirected'], status, reason, withBody, [`Location: ${location}`]);
    }
    case 'not-allowed':
      return refuse(index['refused-http-not-allowed'], 403, `your address may not reach ${host}`, withBody);
    case 'maintenance': {
      const reason = `${host} is in maintenance`;
      const retry = [`Retry-After: ${RETRY_AFTER_SECONDS}`];
      return refuse(index['refused-http-maintenance'], 503, reason, withBody, retry);
    }
    default:
      // 421 (RFC 9110 section 15.5.20): the problem is not a missing resource, as with 404, but the wrong server.
      return refuse(index['refused-http-unknown-host'], 421, `no server here has the name ${host}`, withBody);
  }
}

export function createHttpGate(
  table: HostTable,
  index: ProxyCounterIndex,
  peerOf: PeerOf,
  sourceOf: SourceOf,
): Gate {
  const refuseFault = ({ kind, status, reason }: RequestFault): Verdict => ({
    kind: 'refuse',
    refusal: refuse(index[`refused-http-${kind}`], status, reason),
  });

  /** For a body whose end is marked in its bytes: the part that has arrived, undefined when malformed, and what may follow. */
  function chunkedUpload(arrived: Uint8Array): Upload {
    const scan = startChunkedScan();
    const length = scanChunked(scan, arrived);
    if (length < 0) return { body: undefined, uploadBytes: 0 };
    const body = arrived.subarray(0, length);
    if (isChunkedComplete(scan)) return { body, uploadBytes: 0 };
    const malformedCounter = index['refused-http-malformed'];
    return { body, uploadBytes: -1, upload: { push: (chunk) => scanChunked(scan, chunk), malformedCounter } };
  }

  function routeRequest(head: RequestHead, headBytes: number, bytes: Uint8Array, clientFd: number): Verdict {
    const client = peerOf(clientFd);
    if (client === undefined) return { kind: 'refuse', refusal: RESET };
    const backend = decide(table, head.host, client.address, head.target);
    if (backend.refused !== null) {
      const server = backend.backend?.name ?? null;
      return { kind: 'refuse', refusal: refuseDecided(backend, head, index), name: head.host, server };
    }
    const key = webSocketKey(head);
    const { contentLength } = head;
    const arrived = bytes.subarray(headBytes);
    const { body, ...upload } =
      contentLength === undefined ? chunkedUpload(arrived) : boundedUpload(arrived, contentLength);
    if (body === undefined) {
      const reason = 'the chunked body is malformed';
      return refuseFault({ kind: 'malformed', status: 400, reason });
    }
    const text = Buffer.from(rewriteRequestHead(head, client.address, key !== undefined), 'latin1');
    const preamble = buildPreamble(backend, client, clientFd, head.host, Buffer.concat([text, body]));
    if (preamble === undefined) return { kind: 'refuse', refusal: RESET };
    return {
      kind: 'route',
      counter: index['http-routed'],
      name: head.host,
      route: {
        server: backend.name,
        serverAddress: backend.serverAddress,
        addresses: backend.addresses,
        source: backend.clientAddress === 'mapped' ? sourceOf(client) : undefined,
        preamble,
        ...upload,
        oneExchange: true,
        withoutBody: head.method === 'HEAD',
        ...(key !== undefined && {
          answer: createWebSocketAnswer(key, index),
          // A client MUST wait for the response (RFC 6455 section 4.1); data that arrives before it is held back.
          tunnelled: arrived.slice(),
        }),
      },
    };
  }

  function begin(): Examiner {
    const opening = createOpeningBytes();
    let scanned = 0;
    return {
      push(chunk, clientFd): Verdict {
        const bytes = appendOpening(opening, chunk);
        const headBytes = findHeadEnd(bytes, scanned - 3);
        if (
          headBytes > MAX_REQUEST_HEAD_BYTES ||
          (headBytes === -1 && bytes.length >= MAX_REQUEST_HEAD_BYTES)
        ) {
          const reason = `the head of the request is longer than ${MAX_REQUEST_HEAD_BYTES} bytes`;
          return refuseFault({ kind: 'oversized', status: 431, reason });
        }
        if (headBytes === -1) {
          scanned = bytes.length;
          keepOpening(opening, bytes);
          // A client with another protocol gets the error at once, not at the deadline.
          return isNoRequest(bytes)
            ? refuseFault({ kind: 'malformed', status: 400, reason: 'this is no HTTP request' })
            : MORE;
        }
        if (headBytes === HTTP2_PREFACE.length && startsWith(bytes, HTTP2_PREFACE)) {
          const reason = 'HTTP/2 without TLS is not spoken here; use HTTP/1.1';
          return refuseFault({ kind: 'unsupported', status: 505, reason });
        }
        const head = parseRequestHead(bytes.subarray(0, headBytes));
        return 'kind' in head ? refuseFault(head) : routeRequest(head, headBytes, bytes, clientFd);
      },
      timedOut: () => ({
        counter: -1,
        answer: encodeHttpAnswer(408, 'the request took too long'),
        reset: false,
      }),
    };
  }

  return {
    begin,
    route: null,
    serverFailed(route, failure) {
      const [status, reason] = SERVER_FAILURES[failure];
      const counter = failure === 'no-answer' ? index['http-no-answer'] : -1;
      return refuse(counter, status, reason, route.withoutBody !== true);
    },
  };
}

/** The part of a request's body that has arrived, and what may follow it. */
type Upload = Pick<Route, 'uploadBytes' | 'upload'> & { readonly body: Uint8Array | undefined };

function boundedUpload(arrived: Uint8Array, contentLength: number): Upload {
  const body = arrived.subarray(0, contentLength);
  return { body, uploadBytes: contentLength - body.length };
}

const startsWith = (bytes: Uint8Array, text: string) =>
  bytes.length >= text.length &&
  Array.from(text).every((character, i) => bytes[i] === character.charCodeAt(0));

/** True when the first byte can start neither a method nor an empty line before it. */
const isNoRequest = (bytes: Uint8Array) => !(bytes[0] === 13 || (bytes[0] > 32 && bytes[0] < 127));
