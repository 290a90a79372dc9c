/** Faults that other proxies had: what was reported there, tried here. */
import { hostnameOf } from './addresses.ts';
import { said, serves } from './exchange.ts';
import { type Answer, CHUNKED, type Request, answer, chunked, forwarded, relayed, request } from './forms.ts';
import { type Row, type ServerStep, gets, refused, refusedRow, send } from './row.ts';
import { SMUGGLED } from './rows-refused.ts';

const GET: Request = { line: 'GET /' };
const NEXT: Request = { line: 'GET /next' };
const POST = 'POST /form';
const OK = said('ok');
const SECOND = said('second');
const HOST = `Host: ${hostnameOf('a')}`;

/** The same bytes reach the server, and the connection goes on. */
const passes = (title: string, asks: Request, reaches: Request = asks): Row => ({
  title,
  client: [send(request(asks)), gets(relayed(OK)), send(request(NEXT)), gets(relayed(SECOND))],
  servers: [
    // Whether a POST may use a kept connection is not asked here.
    { at: 'a', steps: serves(reaches, { ...OK, connection: ['Connection: close'] }) },
    { at: 'a', steps: serves(NEXT, SECOND) },
  ],
});

/** What the server sends beyond its answer reaches nobody: the next request goes to another connection. */
const surplus = (title: string, asks: Request, sends: string, clientGets: string): Row => ({
  title,
  client: [send(request(asks)), gets(clientGets), send(request(NEXT)), gets(relayed(SECOND))],
  servers: [
    { at: 'a', steps: [gets(forwarded(asks)), { sends }] },
    { at: 'a', steps: serves(NEXT, SECOND) },
  ],
});

const FORGED = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged';

const NAMED_IN_CONNECTION = [
  'X-Forwarded-For',
  'X-Real-IP',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'Forwarded',
  'Via',
];

const LONG_NAME = `Content-Length0${'a'.repeat(255)}`;

const HEADS: readonly Row[] = [
  passes(
    'Apache CVE-2022-31813, Traefik CVE-2024-45410: Connection names the fields that the proxy adds',
    {
      ...GET,
      fields: [`Connection: keep-alive, ${NAMED_IN_CONNECTION.join(', ')}`, 'X-Forwarded-For: 198.51.100.66'],
    },
    GET,
  ),
  passes(
    'oauth2-proxy CVE-2025-64484: names with underscores',
    {
      ...GET,
      fields: ['X_Forwarded_For: 198.51.100.66', 'Content_Length: 5', 'Transfer_Encoding: chunked'],
    },
    GET,
  ),
  passes('HAProxy CVE-2021-40346: a name of 270 bytes that begins like Content-Length', {
    line: POST,
    fields: [`${LONG_NAME}: `.trim(), `Content-Length: ${SMUGGLED.length}`],
    body: SMUGGLED,
  }),
  passes('Apache CVE-2023-25690: line ends in the target stay encoded', {
    line: 'GET /a%20HTTP/1.1%0d%0aHost:%20b.example.com%0d%0a%0d%0aGET%20/admin',
  }),
  passes('Google TE.0: OPTIONS with chunks', {
    line: 'OPTIONS /',
    fields: [CHUNKED],
    body: chunked(SMUGGLED),
    isLast: true,
  }),
  passes('two slashes at the beginning of the target name no host', { line: 'GET //b.example.com/x' }),
  refusedRow('HAProxy CVE-2023-25725: an empty name', `GET / HTTP/1.1\r\n${HOST}\r\n:\r\nX: 1\r\n\r\n`, 400),
  ...[
    '\xa0chunked',
    '\x85chunked',
    'chunked\xa0',
    'chunked,',
    ',chunked',
    'chunked;q=1',
    'chunked chunked',
    'identity',
    'deflate',
  ].map((coding) =>
    refusedRow(
      `gunicorn CVE-2024-1135 and others: Transfer-Encoding: ${JSON.stringify(coding)}`,
      request({ line: POST, fields: [`Transfer-Encoding: ${coding}`], body: chunked(SMUGGLED) }),
      [400, 501],
    ),
  ),
  ...['http:///x', `http://${hostnameOf('a')}:80:80/`, `http:${hostnameOf('a')}/`, 'http://'].map((target) =>
    refusedRow(
      `a target that begins like an absolute one: ${target}`,
      `GET ${target} HTTP/1.1\r\n${HOST}\r\n\r\n`,
      400,
    ),
  ),
  refusedRow(
    'user information before the host of a target',
    `GET http://${hostnameOf('b')}@${hostnameOf('a')}/ HTTP/1.1\r\n${HOST}\r\n\r\n`,
    400,
  ),
];

/** What is refused has a body, which is no request. */
const BODIES_OF_REFUSED: readonly Row[] = [
  {
    title: 'nginx CVE-2019-20372: the body of a request that the proxy answers itself',
    client: [
      send(
        request({
          line: 'OPTIONS /',
          fields: ['Max-Forwards: 0', `Content-Length: ${SMUGGLED.length}`],
          body: SMUGGLED,
        }),
      ),
      ...refused(200),
    ],
  },
  {
    title: 'nginx CVE-2019-20372: the body of a request for an unknown name',
    client: [
      send(
        request({
          line: POST,
          authority: 'nobody.example.net',
          fields: [`Content-Length: ${SMUGGLED.length}`],
          body: SMUGGLED,
        }),
      ),
      ...refused(421),
    ],
  },
];

const CONTINUE: Answer = { status: '100 Continue', fields: [] };
const EXPECTS: Request = { line: POST, fields: ['Expect: 100-continue', 'Content-Length: 5'] };
const EXPECTATIONS: readonly Row[] = [
  {
    title: 'Envoy #2563, Traefik #2899: two times 100',
    client: [
      send(request(EXPECTS)),
      gets(relayed(CONTINUE)),
      gets(relayed(CONTINUE)),
      send('hello'),
      gets(relayed(OK)),
    ],
    servers: [
      {
        at: 'a',
        steps: [
          gets(forwarded(EXPECTS)),
          { sends: answer(CONTINUE).repeat(2) },
          gets('hello'),
          { sends: answer(OK) },
        ],
      },
    ],
  },
  passes('Traffic Server #12081: GET that expects 100, and has no body', {
    ...GET,
    fields: ['Expect: 100-continue'],
  }),
  ...['y 100-continue', '100-continue, x', '100-Continue', 'x'].map((expectation) =>
    passes(`"HTTP/1.1 must die": Expect: ${expectation}`, {
      line: POST,
      fields: [`Expect: ${expectation}`, 'Content-Length: 5'],
      body: 'hello',
    }),
  ),
  {
    title: 'HEAD that expects 100 and gets it',
    client: [
      send(request({ line: 'HEAD /', fields: ['Expect: 100-continue'] })),
      gets(relayed(CONTINUE)),
      gets(relayed({ fields: ['Content-Length: 5'] })),
      send(request(NEXT)),
      gets(relayed(SECOND)),
    ],
    servers: [
      {
        at: 'a',
        steps: [
          gets(forwarded({ line: 'HEAD /', fields: ['Expect: 100-continue'] })),
          { sends: answer(CONTINUE) + answer({ fields: ['Content-Length: 5'] }) },
          ...serves(NEXT, SECOND),
        ],
      },
    ],
  },
];

const REQUEST_TIMEOUT = answer({
  status: '408 Request Timeout',
  fields: ['Content-Length: 0', 'Connection: close'],
});
const ANSWERS: readonly Row[] = [
  surplus(
    'nginx #1427: an interim answer that tells a length has no body',
    GET,
    `HTTP/1.1 100 Continue\r\nContent-Length: 168\r\n\r\n${answer(said(''))}HTTP/1.1 301 Moved Permanently\r\nLocation: https://198.51.100.66/\r\nX-Unused: `,
    relayed(CONTINUE) + relayed(said('')),
  ),
  surplus(
    'HEAD that is answered with a body',
    { line: 'HEAD /' },
    answer(OK) + FORGED,
    relayed(OK).slice(0, -2),
  ),
  surplus(
    '304 that has a body',
    GET,
    `${answer({ status: '304 Not Modified', fields: ['Content-Length: 2'] })}ok${FORGED}`,
    relayed({ status: '304 Not Modified', fields: ['Content-Length: 2'] }),
  ),
  surplus(
    'CL.0: a server that ignores the body takes it for the next request, and answers that, too',
    { line: POST, fields: [`Content-Length: ${SMUGGLED.length}`], body: SMUGGLED },
    answer(OK) + FORGED,
    relayed(OK),
  ),
  {
    title:
      'Apache, HAProxy: 408 ends an idle connection, and is no answer to the GET that it crosses: that is repeated',
    client: [send(request(GET)), gets(relayed(OK)), send(request(NEXT)), gets(relayed(SECOND))],
    servers: [
      {
        at: 'a',
        steps: [...serves(GET, OK), gets(forwarded(NEXT)), { sends: REQUEST_TIMEOUT }, 'ends'],
      },
      { at: 'a', steps: serves(NEXT, SECOND) },
    ],
  },
  {
    title: '408 on a new connection is an answer',
    client: [
      send(request(GET)),
      gets(relayed({ status: '408 Request Timeout', fields: ['Content-Length: 0'] })),
    ],
    servers: [{ at: 'a', steps: [gets(forwarded(GET)), { sends: REQUEST_TIMEOUT }, 'ends'] }],
  },
  ...['', '+2', '0x2', '2 2', '2;', '2.0'].map((length): Row => {
    const steps: ServerStep[] = [
      gets(forwarded(GET)),
      { sends: answer({ fields: [`Content-Length: ${length}`], body: 'ok' }) },
    ];
    return {
      title: `HAProxy CVE-2023-40225 and others: an answer with Content-Length "${length}"`,
      client: [send(request(GET)), ...refused(502)],
      servers: [{ at: 'a', steps }],
    };
  }),
];

/** After the head, and what comes before "¦", the next byte is refused. */
function badChunk(title: string, body: string): Row {
  const parts = { line: POST, fields: [CHUNKED] };
  const [before, rest] = body.split('¦');
  return {
    title,
    client: [send(request({ ...parts, body: before + rest })), ...refused(400)],
    servers: [{ at: 'a', steps: [{ getsAtMost: forwarded({ ...parts, body: before }) }], isOptional: true }],
  };
}
const EXTENDED = `1;x=${'x'.repeat(1000)}\r\nx\r\n`;
const CHUNKS: readonly Row[] = [
  {
    ...badChunk(
      'Go CVE-2023-39326, Node CVE-2024-22019: chunks of one byte with long extensions',
      `${EXTENDED.repeat(18)}¦0\r\n\r\n`,
    ),
    isWholeOnly: true,
  },
  badChunk('Go CVE-2025-22871: LF without CR behind a chunk size', '5¦\nhello\r\n0\r\n\r\n'),
  badChunk('"Funky chunks": the line of an extension ends with LF', `2;¦\nxx\r\n${SMUGGLED}`),
  badChunk(
    '"Funky chunks": two other bytes where the line end of the data belongs',
    '5\r\nhello¦XX3\r\nabc\r\n0\r\n\r\n',
  ),
  ...[
    'X-Forwarded-For',
    'X_Forwarded_For',
    'Authorization',
    'Cookie',
    'Content_Length',
    'Connection',
    'Forwarded',
  ].map((name) =>
    badChunk(
      `lighttpd CVE-2025-12642: a trailer ${name}`,
      `5\r\nhello\r\n0\r\n${name}: 198.51.100.66\r\n¦\r\n`,
    ),
  ),
];

export const REPORTS: readonly Row[] = [
  ...HEADS,
  ...BODIES_OF_REFUSED,
  ...EXPECTATIONS,
  ...ANSWERS,
  ...CHUNKS,
];
