/** Requests that are refused: no byte of them reaches a server, the answer says why, and the connection is closed. */
import { hostnameOf } from './addresses.ts';
import { CHUNKED, chunked, request } from './forms.ts';
import { type Row, refusedRow } from './row.ts';

const HOST = `Host: ${hostnameOf('a')}`;
/** What an attacker hides: no server may see it. */
export const SMUGGLED = `GET /smuggled HTTP/1.1\r\nHost: ${hostnameOf('b')}\r\n\r\n`;

const post = (fields: readonly string[], body: string) => request({ line: 'POST /', fields, body });
const get = (...lines: string[]) => `${['GET / HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`;
const bad = (title: string, bytes: string) => refusedRow(title, bytes, 400);

/** Two lengths, or a coding that two implementations see differently. */
const LENGTHS: readonly Row[] = [
  bad('CL.TE: Content-Length before chunked', post(['Content-Length: 6', CHUNKED], `0\r\n\r\n${SMUGGLED}`)),
  bad('TE.CL: chunked before Content-Length', post([CHUNKED, 'Content-Length: 4'], chunked(SMUGGLED))),
  refusedRow(
    'TE.TE: chunked and another coding in a second field',
    post([CHUNKED, 'Transfer-Encoding: identity'], chunked(SMUGGLED)),
    [400, 501],
  ),
  refusedRow('TE.TE: chunked twice', post([CHUNKED, CHUNKED], chunked(SMUGGLED)), [400, 501]),
  refusedRow('chunked is not the last coding', post(['Transfer-Encoding: chunked, gzip'], ''), [400, 501]),
  refusedRow('a coding that nobody knows', post(['Transfer-Encoding: xchunked'], chunked('x')), [400, 501]),
  refusedRow('gzip before chunked', post(['Transfer-Encoding: gzip, chunked'], chunked('x')), [400, 501]),
  refusedRow('a coding in quotation marks', post(['Transfer-Encoding: "chunked"'], chunked('x')), [400, 501]),
  refusedRow('an empty coding', post(['Transfer-Encoding:'], chunked('x')), [400, 501]),
  bad('vertical tab before the coding', post(['Transfer-Encoding: \x0bchunked'], chunked('x'))),
  bad('white space before the colon of the coding', post(['Transfer-Encoding : chunked'], chunked('x'))),
  bad(
    'chunked in HTTP/1.0',
    `POST / HTTP/1.0\r\n${HOST}\r\n${CHUNKED}\r\nConnection: keep-alive\r\n\r\n${chunked('x')}`,
  ),
  bad('two lengths that differ', post(['Content-Length: 3', 'Content-Length: 5'], 'abcde')),
  bad('two lengths that agree', post(['Content-Length: 5', 'Content-Length: 5'], 'abcde')),
  bad('a list of lengths', post(['Content-Length: 5, 5'], 'abcde')),
  ...['+5', '-1', '0x5', '5 5', '5;', '', '5.0', '1e1', '9007199254740993', '99999999999999999999'].map(
    (length) => bad(`Content-Length "${length}"`, post([`Content-Length: ${length}`], 'abcde')),
  ),
];

/** Lines that two implementations end at different places. */
const LINES: readonly Row[] = [
  bad('a folded field', get(HOST, 'X-A: 1', ' folded')),
  bad('a coding in a folded line', post(['Transfer-Encoding:', ' chunked'], chunked('x'))),
  bad('the first field is folded', get(' X-A: 1', HOST)),
  bad('a tab folds the Host', get('Host:', `\t${hostnameOf('a')}`)),
  bad('NUL in a value', get(HOST, 'X-A: 1\x002')),
  bad('NUL in a name', get(HOST, 'X-\0A: 1')),
  bad('NUL in the target', `GET /\0 HTTP/1.1\r\n${HOST}\r\n\r\n`),
  bad('NUL in the Host', get(`Host: ${hostnameOf('a')}\0.example.net`)),
  bad('DEL in a value', get(HOST, 'X-A: \x7f')),
  bad('CR without LF in a value', get(HOST, 'X-A: 1\rX-B: 2')),
  bad('LF without CR after a field', `GET / HTTP/1.1\r\n${HOST}\nX-A: 1\r\n\r\n`),
  bad('LF without CR ends the head', `GET / HTTP/1.1\r\n${HOST}\r\n\n`),
  bad('white space before a colon', get(HOST, 'X-A : 1')),
  bad('a field without a colon', get(HOST, 'X-A')),
  bad('a field without a name', get(HOST, ': 1')),
  bad('a name in parentheses', get(HOST, '(X-A): 1')),
  bad('a space in a name', get(HOST, 'X A: 1')),
];

/** What the request is for. */
const TARGETS: readonly Row[] = [
  bad('no Host', get()),
  bad('no Host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'),
  bad('an empty Host', get('Host:')),
  bad('two Hosts', get(HOST, `Host: ${hostnameOf('b')}`)),
  bad('two Hosts that agree', get(HOST, HOST)),
  bad('user information in the Host', get(`Host: user@${hostnameOf('a')}`)),
  bad('a path in the Host', get(`Host: ${hostnameOf('a')}/x`)),
  bad('a list in the Host', get(`Host: ${hostnameOf('a')}, ${hostnameOf('b')}`)),
  bad('a space in the Host', get(`Host: ${hostnameOf('a')} ${hostnameOf('b')}`)),
  bad('a port that is no number', get(`Host: ${hostnameOf('a')}:x`)),
  bad('a port that is too large', get(`Host: ${hostnameOf('a')}:65536`)),
  bad('Connection names the Host', get(HOST, 'Connection: Host')),
  bad('Connection names Content-Length', post(['Content-Length: 5', 'Connection: content-length'], 'abcde')),
  bad('a target without a slash', `GET x HTTP/1.1\r\n${HOST}\r\n\r\n`),
  bad('an asterisk for GET', `GET * HTTP/1.1\r\n${HOST}\r\n\r\n`),
  bad('a fragment in the target', `GET /#x HTTP/1.1\r\n${HOST}\r\n\r\n`),
  bad('a bad Host beside an absolute target', `GET http://${hostnameOf('a')}/ HTTP/1.1\r\nHost: x/y\r\n\r\n`),
  refusedRow('CONNECT', `CONNECT ${hostnameOf('a')}:22 HTTP/1.1\r\n${HOST}\r\n\r\n`, [400, 405, 501]),
  refusedRow('the scheme https', `GET https://${hostnameOf('a')}/ HTTP/1.1\r\n${HOST}\r\n\r\n`, 421),
];

/** Judged at its first line: the time-out for a whole head is longer than these rows wait. */
const FIRST_LINES: readonly Row[] = [
  bad('SSH', 'SSH-2.0-OpenSSH_9.2\r\n'),
  bad('SMTP', 'EHLO mail.example.net\r\n'),
  bad('HTTP/0.9', 'GET /\r\n'),
  bad('HTTP/0.9 with a bare LF', 'GET /\n'),
  bad('LF without CR after the request line', 'GET / HTTP/1.1\n'),
  bad('a TLS ClientHello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  bad('a space too many in the request line', 'GET  / HTTP/1.1\r\n'),
  bad('a tab in the request line', 'GET\t/ HTTP/1.1\r\n'),
  bad('white space after the version', 'GET / HTTP/1.1 \r\n'),
  bad('white space before the method', ' GET / HTTP/1.1\r\n'),
  bad('a version in lower case', 'GET / http/1.1\r\n'),
  bad('a version of three digits', 'GET / HTTP/1.10\r\n'),
  bad('another protocol', 'GET / ICAP/1.1\r\n'),
  refusedRow('HTTP/2.0', 'GET / HTTP/2.0\r\n', [400, 505]),
  refusedRow('the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]),
];

const MANY_BYTES = 'x'.repeat(1000);
const SIZES: readonly Row[] = [
  {
    ...refusedRow('a target of 20 kB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n\r\n`, [414, 431]),
    isWholeOnly: true,
  },
  {
    ...refusedRow(
      'fields of 20 kB',
      get(HOST, ...Array.from({ length: 20 }, (_, i) => `X-${i}: ${MANY_BYTES}`)),
      431,
    ),
    isWholeOnly: true,
  },
  {
    ...refusedRow('1000 fields', get(HOST, ...Array.from({ length: 1000 }, (_, i) => `X-${i}: 1`)), 431),
    isWholeOnly: true,
  },
];

export const REFUSED: readonly Row[] = [...LENGTHS, ...LINES, ...TARGETS, ...FIRST_LINES, ...SIZES];
