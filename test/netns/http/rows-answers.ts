/** Answers of servers: which bytes reach the client, and what becomes of the connections. */
import { type Answer, CHUNKED, CLOSE, answer, chunked, forwarded, relayed, request } from './forms.ts';
import { type Row, type ServerStep, gets, send } from './row.ts';

const GET = { line: 'GET /' };
const HEAD = { line: 'HEAD /' };
/** A client that ends after one answer. */
const LAST = { line: 'GET /', fields: [CLOSE] };
const ASKS = send(request(GET));
const REACHES = gets(forwarded(GET));
const KEEP_ALIVE = 'Connection: keep-alive';
const OK = { body: 'ok' };
const NEXT = { line: 'GET /next' };

/** Both connections are kept after this answer: the next request takes the same ones. */
function kept(title: string, parts: Answer, asks = GET): Row {
  return {
    title,
    client: [
      send(request(asks)),
      gets(relayed(parts)),
      send(request(NEXT)),
      gets(relayed({ body: 'second' })),
    ],
    servers: [
      {
        at: 'a',
        steps: [
          gets(forwarded(asks)),
          { sends: answer(parts) },
          gets(forwarded(NEXT)),
          { sends: answer({ body: 'second' }) },
        ],
      },
    ],
  };
}

/** The client's connection is kept, the server's is not used again. */
function keptByTheClientOnly(
  title: string,
  sends: string,
  clientGets: string,
  after: readonly ServerStep[] = [],
): Row {
  return {
    title,
    client: [ASKS, gets(clientGets), send(request(NEXT)), gets(relayed({ body: 'second' }))],
    servers: [
      { at: 'a', steps: [REACHES, { sends }, ...after] },
      { at: 'a', steps: [gets(forwarded(NEXT)), { sends: answer({ body: 'second' }) }] },
    ],
  };
}

/** The client's connection ends with the answer. */
const closes = (title: string, sends: string, clientGets: string, asks = GET): Row => ({
  title,
  client: [send(request(asks)), gets(clientGets), 'is-closed'],
  servers: [{ at: 'a', steps: [gets(forwarded(asks === LAST ? GET : asks)), { sends }, 'ends'] }],
});

const LENGTHS: readonly Row[] = [
  kept('a length', { body: 'hello' }),
  kept('a length of 0', { body: '' }),
  kept('chunks', { fields: [CHUNKED], body: chunked('hello', 'x'.repeat(3000), 'y') }),
  kept('chunks with an extension and trailers', {
    fields: [CHUNKED, 'Trailer: X-Sum'],
    body: '5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
  }),
  kept('another coding before chunked', {
    fields: ['Transfer-Encoding: gzip,chunked'],
    body: chunked('hello', 'y'),
  }),
  kept('204', { status: '204 No Content', fields: [] }),
  kept('304 that tells a length has no body', {
    status: '304 Not Modified',
    fields: ['ETag: "x"', 'Content-Length: 5'],
  }),
  kept('304 that tells chunks has no body', { status: '304 Not Modified', fields: ['ETag: "x"', CHUNKED] }),
  kept('HEAD that tells a length has no body', { fields: ['Content-Length: 5'] }, HEAD),
  kept('HEAD that tells chunks has no body', { fields: [CHUNKED] }, HEAD),
  kept('HEAD that tells no length', { fields: ['X-A: 1'] }, HEAD),
  kept('a Date of the server', {
    fields: ['Date: Tue, 15 Nov 1994 08:12:31 GMT', 'Content-Length: 2'],
    body: 'ok',
  }),
  kept('an error of the server', { status: '500 Internal Server Error', body: 'sorry' }),
  kept('a status that nobody knows', { status: '299 Whatever', body: 'x' }),
  kept('a status without a reason', { status: '200 ', body: 'x' }),
  kept('a list of lengths that agree is one length', { fields: ['Content-Length: 5'], body: 'hello' }),
  kept('bytes above 127 in a field', { fields: ['X-A: \xe9', 'Content-Length: 1'], body: '\xff' }),
  kept('several cookies, in their order', {
    fields: ['Set-Cookie: a=1', 'Set-Cookie: b=2', 'Content-Length: 0'],
  }),
];

const UNTIL_CLOSE: readonly Row[] = [
  closes(
    'an answer until close',
    answer({ fields: ['X-A: 1'], body: 'until the end' }),
    relayed({ fields: ['X-A: 1'], connection: [CLOSE], body: 'until the end' }),
  ),
  closes(
    'an answer of HTTP/1.0 until close',
    answer({ fields: [], body: 'until the end', version: '1.0' }),
    relayed({ fields: [], body: 'until the end', version: '1.0', connection: [CLOSE] }),
  ),
  closes('an empty answer until close', answer({ fields: [] }), relayed({ fields: [], connection: [CLOSE] })),
];

const ENDS: readonly Row[] = [
  closes(
    'the client wants to close: it is told so',
    answer(OK),
    relayed({ ...OK, connection: [CLOSE] }),
    LAST,
  ),
  closes(
    'the client wants to close, after chunks',
    answer({ fields: [CHUNKED], body: chunked('ok') }),
    relayed({ fields: [CHUNKED], body: chunked('ok'), connection: [CLOSE] }),
    LAST,
  ),
  keptByTheClientOnly(
    'the server wants to close: its client is not told',
    answer({ ...OK, connection: [CLOSE] }),
    relayed(OK),
    ['ends'],
  ),
  keptByTheClientOnly(
    'the server of HTTP/1.0 tells a length and closes',
    answer({ ...OK, version: '1.0' }),
    relayed({ ...OK, version: '1.0' }),
    ['ends'],
  ),
  {
    title: 'the server of HTTP/1.0 keeps its connection',
    client: [
      ASKS,
      gets(relayed({ ...OK, version: '1.0' })),
      send(request(NEXT)),
      gets(relayed({ ...OK, version: '1.0' })),
    ],
    servers: [
      {
        at: 'a',
        steps: [
          REACHES,
          { sends: answer({ ...OK, version: '1.0', connection: [KEEP_ALIVE] }) },
          gets(forwarded(NEXT)),
          { sends: answer({ ...OK, version: '1.0', connection: [KEEP_ALIVE] }) },
        ],
      },
    ],
  },
  keptByTheClientOnly('the server ends an idle connection', answer(OK), relayed(OK), [
    'ends',
    // The next request may cross the end, and is then repeated.
    'ignores-the-rest',
  ]),
  {
    title: 'the server resets an idle connection',
    client: [ASKS, gets(relayed(OK)), 'signals', send(request(NEXT)), gets(relayed(OK))],
    servers: [
      { at: 'a', steps: [REACHES, { sends: answer(OK) }, 'ignores-the-rest', 'awaits-signal', 'resets'] },
      { at: 'a', steps: [gets(forwarded(NEXT)), { sends: answer(OK) }] },
    ],
  },
  keptByTheClientOnly(
    'more than the length: the surplus reaches nobody, and the connection is not used again',
    `${answer(OK)}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`,
    relayed(OK),
  ),
  keptByTheClientOnly(
    'more than the last chunk',
    `${answer({ fields: [CHUNKED], body: chunked('ok') })}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`,
    relayed({ fields: [CHUNKED], body: chunked('ok') }),
  ),
  keptByTheClientOnly(
    'a body of 204',
    `${answer({ status: '204 No Content', fields: [] })}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`,
    relayed({ status: '204 No Content', fields: [] }),
  ),
];

const FIELDS: readonly Row[] = [
  {
    title: 'fields that concern the connection, and those that Connection names',
    client: [ASKS, gets(relayed({ fields: ['X-Kept: 1', 'Content-Length: 2'], body: 'ok' }))],
    servers: [
      {
        at: 'a',
        steps: [
          REACHES,
          {
            sends: answer({
              fields: [
                'Connection: X-Mine, keep-alive',
                'X-Mine: 1',
                'Keep-Alive: timeout=60',
                'Proxy-Connection: keep-alive',
                'Upgrade: h2c',
                'X-Kept: 1',
                'Content-Length: 2',
              ],
              body: 'ok',
            }),
          },
        ],
      },
    ],
  },
];

const early = (status: string, fields: string[] = []) => answer({ status, fields });
const earlyRelayed = (status: string, fields: string[] = []) => relayed({ status, fields });
const INTERIM: readonly Row[] = [
  {
    title: '103 before the answer',
    client: [ASKS, gets(earlyRelayed('103 Early Hints', ['Link: </a.css>; rel=preload'])), gets(relayed(OK))],
    servers: [
      {
        at: 'a',
        steps: [REACHES, { sends: [early('103 Early Hints', ['Link: </a.css>; rel=preload']), answer(OK)] }],
      },
    ],
  },
  {
    title: '20 interim answers in one piece with the answer',
    client: [
      ASKS,
      ...Array.from({ length: 20 }, () => gets(earlyRelayed('102 Processing'))),
      gets(relayed(OK)),
    ],
    servers: [{ at: 'a', steps: [REACHES, { sends: early('102 Processing').repeat(20) + answer(OK) }] }],
  },
  {
    title: 'an interim answer is nothing that a client of HTTP/1.0 knows',
    client: [
      send(request({ ...GET, version: '1.0' })),
      gets(relayed({ ...OK, connection: [CLOSE] })),
      'is-closed',
    ],
    servers: [
      {
        at: 'a',
        steps: [
          gets(forwarded({ ...GET, version: '1.0' })),
          { sends: early('103 Early Hints') + answer(OK) },
        ],
      },
    ],
  },
];

export const ANSWERS: readonly Row[] = [...LENGTHS, ...UNTIL_CLOSE, ...ENDS, ...FIELDS, ...INTERIM];
