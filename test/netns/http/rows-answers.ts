/** Answers of servers: which bytes reach the client, and what becomes of the connections. */
import { type Answer, CHUNKED, CLOSE, answer, chunked, forwarded, relayed, request } from './forms.ts';
import { type ClientStep, type Row, type ServerStep, gets, refused, send } from './row.ts';

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

/** The answer is not usable, and no byte of it reaches the client. */
const bad = (title: string, sends: string, after: readonly ServerStep[] = ['ends']): Row => ({
  title,
  client: [send(request(LAST)), ...refused(502)],
  servers: [{ at: 'a', steps: [REACHES, { sends }, ...after] }],
});

const BAD: readonly Row[] = [
  bad('no answer at all', '', ['ends']),
  bad('a reset instead of an answer', '', ['resets']),
  bad('half a head', 'HTTP/1.1 200 OK\r\nContent-Le'),
  bad('an interim answer and no other', early('102 Processing').slice(0, -2)),
  bad('no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', []),
  bad('HTTP/0.9', '<html>hello</html>\n', []),
  bad('HTTP/2', 'HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  bad('a status of four digits', answer({ status: '2000 OK', ...OK })),
  bad('a status below 100', answer({ status: '099 OK', ...OK })),
  bad('a status above 599', answer({ status: '600 OK', ...OK })),
  bad('LF without CR', answer(OK).replaceAll('\r\n', '\n'), []),
  bad('NUL in a field', answer({ fields: ['X-A: \0', 'Content-Length: 2'], body: 'ok' })),
  bad('a folded field', answer({ fields: ['X-A: 1\r\n 2', 'Content-Length: 2'], body: 'ok' })),
  bad('CR without LF in a field', answer({ fields: ['X-A: 1\r2', 'Content-Length: 2'], body: 'ok' })),
  bad('a field without a colon', answer({ fields: ['X-A', 'Content-Length: 2'], body: 'ok' })),
  bad('two lengths that differ', answer({ fields: ['Content-Length: 2', 'Content-Length: 3'], body: 'ok' })),
  bad('a length that is no number', answer({ fields: ['Content-Length: 2x'], body: 'ok' })),
  bad('a negative length', answer({ fields: ['Content-Length: -2'], body: 'ok' })),
  bad('a length and chunks', answer({ fields: ['Content-Length: 2', CHUNKED], body: chunked('ok') })),
  bad('chunks in HTTP/1.0', answer({ fields: [CHUNKED], body: chunked('ok'), version: '1.0' })),
  bad('fields of 20 kB', answer({ fields: [`X-A: ${'x'.repeat(20_000)}`, 'Content-Length: 2'], body: 'ok' })),
  bad(
    '101 that nobody asked for',
    answer({ status: '101 Switching Protocols', fields: ['Connection: Upgrade', 'Upgrade: websocket'] }),
  ),
  bad(
    'Connection names Content-Length',
    answer({ fields: ['Content-Length: 2', 'Connection: content-length'], body: 'ok' }),
  ),
];

/** The head has gone to the client when the fault is seen. So the client must see that the answer is not complete. */
const cutOff = (
  title: string,
  sends: string,
  mayGet: string,
  after: readonly ServerStep[] = ['ends'],
): Row => ({
  title,
  client: [ASKS, { cutOff: mayGet }],
  servers: [{ at: 'a', steps: [REACHES, { sends }, ...after] }],
});
const CHUNKS = { fields: [CHUNKED] };
/** In one piece with the head, a bad byte (the one after "¦") is seen before the client gets anything; later it can only be cut off. */
const badChunks = (title: string, body: string): readonly Row[] => {
  const [before, rest] = body.split('¦');
  const good = '5\r\nhello\r\n';
  return [
    bad(`${title}, in one piece with the head`, answer({ ...CHUNKS, body: good + before + rest }), []),
    {
      title: `${title}, later`,
      client: [ASKS, gets(relayed({ ...CHUNKS, body: good })), 'signals', { cutOff: before }],
      servers: [
        {
          at: 'a',
          steps: [
            REACHES,
            { sends: answer({ ...CHUNKS, body: good }) },
            'awaits-signal',
            { sends: before + rest },
          ],
        },
      ],
    },
  ];
};

const CUT_OFF: readonly Row[] = [
  cutOff(
    'the server ends before the length is reached',
    answer({ fields: ['Content-Length: 10'], body: 'hello' }),
    relayed({ fields: ['Content-Length: 10'], body: 'hello' }),
  ),
  cutOff(
    'the server resets before the length is reached',
    answer({ fields: ['Content-Length: 10'], body: 'hello' }),
    relayed({ fields: ['Content-Length: 10'], body: 'hello' }),
    ['resets'],
  ),
  cutOff(
    'the server ends within chunks',
    answer({ ...CHUNKS, body: '5\r\nhello\r\n' }),
    relayed({ ...CHUNKS, body: '5\r\nhello\r\n' }),
  ),
  ...badChunks('a chunk size that is too large', '1000000000000000¦5\r\n'),
  ...badChunks('a chunk size that is no number', '¦x\r\n'),
  ...badChunks('LF without CR after a chunk size', '5¦\nhello\r\n0\r\n\r\n'),
  ...badChunks('data longer than its chunk size', '5\r\nhello¦!\r\n0\r\n\r\n'),
  ...badChunks('a trailer without a colon', '0\r\nX-A¦\r\n\r\n'),
];

const HTTP10 = { line: 'GET /', version: '1.0' } as const;
const REACHES10 = gets(forwarded(HTTP10));
/** A client of HTTP/1.0, with or without keep-alive. */
function oldClient(title: string, sends: string, clientGets: string, isKept: boolean, ends = false): Row {
  const asks = { ...HTTP10, ...(isKept && { fields: [KEEP_ALIVE] }) };
  const once: ClientStep[] = [send(request(asks)), gets(clientGets)];
  const serverOnce: ServerStep[] = [REACHES10, { sends }, ...(ends ? (['ends'] as const) : [])];
  return {
    title: `HTTP/1.0: ${title}`,
    client: isKept ? [...once, ...once] : [...once, 'is-closed'],
    servers: isKept ? [{ at: 'a', steps: [...serverOnce, ...serverOnce] }] : [{ at: 'a', steps: serverOnce }],
  };
}
const OLD_CLIENTS: readonly Row[] = [
  oldClient('closed after the answer', answer(OK), relayed({ ...OK, connection: [CLOSE] }), false),
  oldClient(
    'kept when it asks for it, and told',
    answer(OK),
    relayed({ ...OK, connection: [KEEP_ALIVE] }),
    true,
  ),
  oldClient(
    'chunks arrive without their framing',
    answer({ fields: [CHUNKED], body: chunked('hello', 'x'.repeat(5000), 'world') }),
    relayed({ fields: [], body: `hello${'x'.repeat(5000)}world`, connection: [CLOSE] }),
    false,
  ),
  {
    title: 'HTTP/1.0: chunks end the connection even when it should be kept',
    client: [
      send(request({ ...HTTP10, fields: [KEEP_ALIVE] })),
      gets(relayed({ fields: [], body: 'hello', connection: [CLOSE] })),
      'is-closed',
    ],
    servers: [
      {
        at: 'a',
        steps: [
          REACHES10,
          {
            sends: answer({
              fields: [CHUNKED, 'Trailer: X-Sum'],
              body: '5;a\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
            }),
          },
        ],
      },
    ],
  },
  oldClient(
    'an answer until close',
    answer({ fields: [], body: 'hello' }),
    relayed({ fields: [], body: 'hello', connection: [CLOSE] }),
    false,
    true,
  ),
  {
    title: 'HTTP/1.0: another coding before chunked is nothing that it knows',
    client: [send(request(HTTP10)), ...refused(502)],
    servers: [
      {
        at: 'a',
        steps: [
          REACHES10,
          { sends: answer({ fields: ['Transfer-Encoding: gzip, chunked'], body: chunked('hello') }) },
        ],
      },
    ],
  },
  {
    title: 'HTTP/1.0: Expect means nothing',
    client: [
      send(
        request({ line: 'POST /', version: '1.0', fields: ['Expect: 100-continue', 'Content-Length: 5'] }),
      ),
      send('hello'),
      gets(relayed({ ...OK, connection: [CLOSE] })),
      'is-closed',
    ],
    servers: [
      {
        at: 'a',
        steps: [
          gets(forwarded({ line: 'POST /', version: '1.0', fields: ['Content-Length: 5'], body: 'hello' })),
          { sends: answer(OK) },
        ],
      },
    ],
  },
];

const CLOSED: readonly Row[] = [
  {
    title: 'a server that refuses connections: 502',
    client: [send(request({ line: 'GET /', at: 'closed', fields: [CLOSE] })), ...refused(502)],
  },
  {
    title: 'HEAD to a server that refuses connections: 502 without a body',
    client: [
      send(request({ line: 'HEAD /', at: 'closed', fields: [CLOSE] })),
      gets({ status: 502, isHead: true }),
      'is-closed',
    ],
  },
];

export const ANSWERS: readonly Row[] = [
  ...LENGTHS,
  ...UNTIL_CLOSE,
  ...ENDS,
  ...FIELDS,
  ...INTERIM,
  ...BAD,
  ...CUT_OFF,
  ...OLD_CLIENTS,
  ...CLOSED,
];
