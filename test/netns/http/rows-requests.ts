/** Requests that are passed on: which bytes reach the server. */
import { hostnameOf } from './addresses.ts';
import { CHUNKED, CLOSE, type Request, answer, chunked, forwarded, relayed, request } from './forms.ts';
import { type Row, answered, gets, refused, send } from './row.ts';
import { SMUGGLED } from './rows-refused.ts';

const OK = { body: 'ok' };

/** One request and its answer. */
function passes(title: string, bytes: string, reaches: Request): Row {
  return {
    title,
    client: [send(bytes), gets(relayed(OK))],
    servers: [{ at: reaches.at ?? 'a', steps: [gets(forwarded(reaches)), { sends: answer(OK) }] }],
  };
}

/** The same parts on both sides. */
const passesUnchanged = (title: string, parts: Request): Row => passes(title, request(parts), parts);

const POST = 'POST /form';
const BODIES: readonly Row[] = [
  passesUnchanged('GET', { line: 'GET /?a=b&c=%00', fields: ['User-Agent: x', 'Accept: */*'] }),
  passesUnchanged('HEAD and other methods have their names passed', { line: 'PROPFIND /', fields: [] }),
  passesUnchanged('a body with a length', { line: POST, fields: ['Content-Length: 5'], body: 'hello' }),
  passesUnchanged('a body of 0 bytes', { line: POST, fields: ['Content-Length: 0'] }),
  ...['GET', 'DELETE', 'OPTIONS'].map((method) =>
    passesUnchanged(`a body of ${method}, which a server may leave unread, ends the connection to it`, {
      line: `${method} /`,
      fields: ['Content-Length: 5'],
      body: 'hello',
      isLast: true,
    }),
  ),
  passesUnchanged('a body that looks like a request', {
    line: POST,
    fields: [`Content-Length: ${SMUGGLED.length}`],
    body: SMUGGLED,
  }),
  passesUnchanged('a body with all bytes', {
    line: POST,
    fields: ['Content-Length: 256'],
    body: String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i)),
  }),
  passesUnchanged('chunks', {
    line: POST,
    fields: [CHUNKED],
    body: chunked('hello', 'x'.repeat(300), SMUGGLED),
  }),
  passesUnchanged('chunks with hexadecimal digits of both cases and zeros before them', {
    line: POST,
    fields: [CHUNKED],
    body: `00a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n`,
  }),
  passes(
    'chunked in capitals, after a tab',
    request({ line: POST, fields: ['Transfer-Encoding:\tCHUNKED'], body: chunked('hello') }),
    { line: POST, fields: ['Transfer-Encoding: chunked'], body: chunked('hello') },
  ),
];

const FIELDS: readonly Row[] = [
  passesUnchanged('bytes above 127, and tabs in a value', { line: 'GET /', fields: ['X-A: \xe9\t\xff'] }),
  passesUnchanged('an empty value', { line: 'GET /', fields: ['X-A:'] }),
  passesUnchanged('fields of the same name, in their order', { line: 'GET /', fields: ['X-A: 2', 'X-A: 1'] }),
  passesUnchanged('a name of every allowed character', {
    line: 'GET /',
    fields: ["!#$%&'*+-.^`|~09AZaz: 1"],
  }),
  passes('an empty line before the request', `\r\n${request({ line: 'GET /' })}`, { line: 'GET /' }),
  passes(
    'fields that concern the connection, and those that Connection names',
    request({
      line: 'GET /',
      fields: [
        'Connection: X-Mine, keep-alive, TE',
        'X-Mine: 1',
        'Keep-Alive: timeout=5',
        'Proxy-Connection: keep-alive',
        'TE: trailers',
        'X-Kept: 1',
      ],
    }),
    { line: 'GET /', fields: ['X-Kept: 1'] },
  ),
  passes(
    'an upgrade to HTTP/2',
    request({
      line: 'GET /',
      fields: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
    }),
    { line: 'GET /' },
  ),
];

/** Fields in which servers believe. Every spelling that some server takes for them. */
const CLAIMS = [
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Port',
  'X-Forwarded-Scheme',
  'X-Forwarded-Server',
  'X-Real-IP',
  'Forwarded',
  'Client-IP',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Original-Forwarded-For',
  'X-Originating-IP',
  'X-Remote-IP',
  'X-Remote-Addr',
  'CF-Connecting-IP',
  'True-Client-IP',
  'Fastly-Client-IP',
  'Front-End-Https',
  'Proxy',
];
const spellings = (name: string) => [name, name.toUpperCase().replaceAll('-', '_'), name.replace('-', '_')];
const CLAIM_ROWS: readonly Row[] = CLAIMS.map((name) =>
  passes(
    `${name} cannot be claimed`,
    request({
      line: 'GET /',
      fields: [...spellings(name).map((each) => `${each}: 198.51.100.66`), 'X-Kept: 1'],
    }),
    { line: 'GET /', fields: ['X-Kept: 1'] },
  ),
);

const TARGETS: readonly Row[] = [
  passes(
    'an absolute target takes precedence over Host',
    `GET http://${hostnameOf('b')}/x HTTP/1.1\r\nHost: ${hostnameOf('a')}\r\n\r\n`,
    {
      line: 'GET /x',
      at: 'b',
    },
  ),
  passes(
    'an absolute target without a path',
    `GET http://${hostnameOf('a')} HTTP/1.1\r\nHost: ${hostnameOf('a')}\r\n\r\n`,
    {
      line: 'GET /',
    },
  ),
  passes(
    'OPTIONS with an absolute target without a path',
    `OPTIONS http://${hostnameOf('a')} HTTP/1.1\r\nHost: ${hostnameOf('a')}\r\n\r\n`,
    {
      line: 'OPTIONS *',
    },
  ),
  passesUnchanged('OPTIONS *', { line: 'OPTIONS *' }),
  passesUnchanged('a Host with a port, in capitals, with a dot at its end', {
    line: 'GET /',
    authority: 'A.EXAMPLE.com.:80',
  }),
  {
    title: 'a name that no server has',
    client: [
      send(request({ line: 'GET /', authority: 'nobody.example.net', fields: [CLOSE] })),
      ...refused(421),
    ],
  },
  passes('HTTP/1.2 is served like HTTP/1.1', `GET / HTTP/1.2\r\nHost: ${hostnameOf('a')}\r\n\r\n`, {
    line: 'GET /',
  }),
];

const MAX_FORWARDS: readonly Row[] = [
  ...['OPTIONS', 'TRACE'].map((method) =>
    passes(
      `Max-Forwards of ${method} is one less`,
      request({ line: `${method} /`, fields: ['Max-Forwards: 5'] }),
      { line: `${method} /`, fields: ['Max-Forwards: 4'] },
    ),
  ),
  passesUnchanged('Max-Forwards of GET means nothing', { line: 'GET /', fields: ['Max-Forwards: 5'] }),
  {
    title: 'OPTIONS with Max-Forwards 0 is answered by the proxy',
    client: [send(request({ line: 'OPTIONS /', fields: ['Max-Forwards: 0', CLOSE] })), ...refused(200)],
  },
  {
    title: 'TRACE with Max-Forwards 0 does not reach the server',
    client: [
      send(request({ line: 'TRACE /', fields: ['Max-Forwards: 0', CLOSE] })),
      answered([200, 405, 501]),
      'is-closed',
    ],
  },
];

/**
 * The head and good chunks may have gone to the server when a bad byte is seen, the one after "¦". Then the connection to the
 * server ends without the end of the body.
 */
function badChunk(title: string, body: string): Row {
  const parts = { line: POST, fields: [CHUNKED] };
  const [before, rest] = `5\r\nhello\r\n${body}`.split('¦');
  return {
    title,
    client: [send(request({ ...parts, body: before + rest })), ...refused(400)],
    servers: [{ at: 'a', steps: [{ getsAtMost: forwarded({ ...parts, body: before }) }], isOptional: true }],
  };
}

const CHUNKS: readonly Row[] = [
  badChunk('a size of 17 digits', '1000000000000000¦5\r\nhello\r\n0\r\n\r\n'),
  badChunk('a size of 16 digits', 'fffffffffffffff¦b\r\nhello\r\n0\r\n\r\n'),
  badChunk('a negative size', '¦-5\r\nhello\r\n0\r\n\r\n'),
  badChunk('a size with 0x', '0¦x5\r\nhello\r\n0\r\n\r\n'),
  badChunk('a size with an underscore', '1¦_0\r\n0123456789abcdef\r\n0\r\n\r\n'),
  badChunk('no size', '¦\r\nhello\r\n0\r\n\r\n'),
  badChunk('white space before a size', '¦ 5\r\nhello\r\n0\r\n\r\n'),
  badChunk('a sign before a size', '¦+5\r\nhello\r\n0\r\n\r\n'),
  badChunk('LF without CR after a size', '5¦\nhello\r\n0\r\n\r\n'),
  badChunk('CR without LF after a size', '5\r¦hello\r\n0\r\n\r\n'),
  badChunk('LF without CR after the data', '5\r\nhello¦\n0\r\n\r\n'),
  badChunk('data longer than its size', '5\r\nhello¦!\r\n0\r\n\r\n'),
  badChunk('no line end after the data', '5\r\nhello¦0\r\n\r\n'),
  badChunk('LF in an extension', '5;a=b¦\nc\r\nhello\r\n0\r\n\r\n'),
  badChunk('CR in an extension', '5;a=b\r¦c\r\nhello\r\n0\r\n\r\n'),
  badChunk('NUL in an extension', '5;a=¦\0\r\nhello\r\n0\r\n\r\n'),
  badChunk('an extension of 20 kB', `5;a=${'b'.repeat(20_000)}¦\r\nhello\r\n0\r\n\r\n`),
  badChunk('a request in an extension', `0;¦\n${SMUGGLED}`),
  badChunk('LF without CR after the last chunk', '0¦\n\r\n'),
  badChunk('a trailer with Content-Length', '0\r\nContent-Length: 5\r\n¦\r\n'),
  badChunk('a trailer with Transfer-Encoding', '0\r\nTransfer-Encoding: chunked\r\n¦\r\n'),
  badChunk('a trailer with Host', `0\r\nHost: ${hostnameOf('b')}\r\n¦\r\n`),
  badChunk('a trailer without a colon', '0\r\nX-A\r\n¦\r\n'),
  badChunk('a folded trailer', '0\r\nX-A: 1\r\n¦ 2\r\n\r\n'),
  badChunk('LF without CR after a trailer', '0\r\nX-A: 1¦\n\r\n'),
  badChunk('NUL in a trailer', '0\r\nX-A: ¦\0\r\n\r\n'),
  badChunk('trailers of 20 kB', `0\r\nX-A: ${'b'.repeat(20_000)}¦\r\n\r\n`),
];

export const REQUESTS: readonly Row[] = [
  ...BODIES,
  ...FIELDS,
  ...CLAIM_ROWS,
  ...TARGETS,
  ...MAX_FORWARDS,
  ...CHUNKS,
];
