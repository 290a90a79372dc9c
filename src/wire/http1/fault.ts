/** Why a message is refused. Constants: a refusal allocates nothing, and a fault is recognised by identity. */

export interface HttpFault {
  readonly kind: 'malformed' | 'no-host' | 'oversized' | 'unsupported';
  /** With which the proxy answers: 502 for every fault of a response. */
  readonly status: 400 | 421 | 431 | 501 | 502 | 505;
  readonly reason: string;
}

const malformed = (reason: string): HttpFault => ({ kind: 'malformed', status: 400, reason });
const unsupported = (status: 421 | 501 | 505, reason: string): HttpFault => ({
  kind: 'unsupported',
  status,
  reason,
});

export const RequestFault = {
  noRequest: malformed('this is no HTTP request'),
  requestLine: malformed('the request line is malformed'),
  /** The preface of a client with prior knowledge of HTTP/2 (RFC 9113 section 3.4). Its first line names no host. */
  http2Preface: unsupported(505, 'HTTP/2 without TLS is not spoken here; use HTTP/1.1'),
  version: unsupported(505, 'this version of HTTP is not spoken here; use HTTP/1.1'),
  bareLf: malformed('a line of the head ends with LF instead of CR LF'),
  bareCr: malformed('a line of the head holds a CR without LF'),
  fold: malformed('a header field is folded over two lines'),
  noColon: malformed('a header field has no colon'),
  fieldName: malformed('a header field has a malformed name'),
  fieldValue: malformed('a header field holds a control character'),
  tooManyFields: {
    kind: 'oversized',
    status: 431,
    reason: 'the request has more than 128 header fields',
  },
  oversized: {
    kind: 'oversized',
    status: 431,
    reason: 'the head of the request is longer than 16384 bytes',
  },
  lengthAndCoding: malformed('Content-Length and Transfer-Encoding exclude each other'),
  codingInHttp10: malformed('Transfer-Encoding does not exist in HTTP/1.0'),
  coding: unsupported(501, 'the only transfer coding spoken here is "chunked"'),
  lengths: malformed('there is more than one Content-Length'),
  length: malformed('Content-Length is not a number of bytes'),
  hosts: malformed('there is more than one Host field'),
  host: malformed('the Host field is malformed'),
  noHost: {
    kind: 'no-host',
    status: 400,
    reason: 'the request has no Host field: it names no server',
  },
  target: malformed('the request target is malformed'),
  scheme: unsupported(421, 'the scheme of the request target is not served on this port'),
  connect: unsupported(501, 'CONNECT is not offered: this is no forward proxy'),
  nominated: malformed('Connection names a field that is meant for every recipient'),
  options: malformed('Connection names too many options'),
  chunks: malformed('the chunked body is malformed'),
} as const satisfies Record<string, HttpFault>;

const answer = (reason: string): HttpFault => ({ kind: 'malformed', status: 502, reason });

export const ResponseFault = {
  statusLine: answer('the status line is malformed'),
  bareLf: answer('a line of the head ends with LF instead of CR LF'),
  bareCr: answer('a line of the head holds a CR without LF'),
  fold: answer('a header field is folded over two lines'),
  noColon: answer('a header field has no colon'),
  fieldName: answer('a header field has a malformed name'),
  fieldValue: answer('a header field holds a control character'),
  tooManyFields: {
    kind: 'oversized',
    status: 502,
    reason: 'the response has more than 128 header fields',
  },
  oversized: {
    kind: 'oversized',
    status: 502,
    reason: 'the head of the response is longer than 16384 bytes',
  },
  lengthAndCoding: answer('Content-Length and Transfer-Encoding exclude each other'),
  codingInHttp10: answer('Transfer-Encoding does not exist in HTTP/1.0'),
  lengths: answer('there is more than one Content-Length'),
  length: answer('Content-Length is not a number of bytes'),
  nominated: answer('Connection names a field that is meant for every recipient'),
  options: answer('Connection names too many options'),
  chunks: answer('the chunked body is malformed'),
} as const satisfies Record<string, HttpFault>;
