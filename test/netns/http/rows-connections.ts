/** Connections: kept, pipelined, waiting for 100, ended early, and turned into tunnels. */
import { createHash } from 'node:crypto';
import {
  type Answer,
  CHUNKED,
  CLOSE,
  type Request,
  answer,
  chunked,
  forwarded,
  relayed,
  request,
} from './forms.ts';
import { type ClientStep, type Row, type ServerStep, gets, refused, send } from './row.ts';
import { SMUGGLED } from './rows-refused.ts';

const at = (server: 'a' | 'b', path: string): Request => ({ line: `GET ${path}`, at: server });
const said = (body: string): Answer => ({ body });
/** A server's part: a request and its answer. */
const serves = (asks: Request, tells: Answer): ServerStep[] => [
  gets(forwarded(asks)),
  { sends: answer(tells) },
];
const requests = (...all: Request[]) => send(all.map(request).join(''));
const POST: Request = { line: 'POST /form', fields: ['Content-Length: 5'], body: 'hello' };

const PIPELINES: readonly Row[] = [
  {
    title: 'pipelined requests are answered in order, over one connection to the server',
    client: [
      requests(at('a', '/1'), at('a', '/2'), at('a', '/3')),
      gets(relayed(said('first'))),
      gets(relayed(said('second'))),
      gets(relayed(said('third'))),
    ],
    servers: [
      {
        at: 'a',
        steps: [
          ...serves(at('a', '/1'), said('first')),
          ...serves(at('a', '/2'), said('second')),
          ...serves(at('a', '/3'), said('third')),
        ],
      },
    ],
  },
  {
    title: 'pipelined requests to two servers by their Host are answered in order',
    client: [
      requests(at('a', '/1'), at('b', '/2'), at('a', '/3'), at('b', '/4')),
      gets(relayed(said('first'))),
      gets(relayed(said('second'))),
      gets(relayed(said('third'))),
      gets(relayed(said('fourth'))),
    ],
    servers: [
      {
        at: 'a',
        steps: [...serves(at('a', '/1'), said('first')), ...serves(at('a', '/3'), said('third'))],
      },
      {
        at: 'b',
        steps: [...serves(at('b', '/2'), said('second')), ...serves(at('b', '/4'), said('fourth'))],
      },
    ],
  },
  {
    title: 'pipelined bodies, with a length and in chunks',
    client: [
      requests(POST, { line: 'POST /x', fields: [CHUNKED], body: chunked('hello', 'x') }, at('a', '/3')),
      gets(relayed(said('first'))),
      gets(relayed(said('second'))),
      gets(relayed(said('third'))),
    ],
    // Whether a POST may use a kept connection is not asked here.
    servers: [
      { at: 'a', steps: serves(POST, { ...said('first'), connection: [CLOSE] }) },
      {
        at: 'a',
        steps: serves(
          { line: 'POST /x', fields: [CHUNKED], body: chunked('hello', 'x') },
          { ...said('second'), connection: [CLOSE] },
        ),
      },
      { at: 'a', steps: serves(at('a', '/3'), said('third')) },
    ],
  },
  {
    title: 'a bad request behind a good one: both are answered, in order',
    client: [
      send(`${request(at('a', '/1'))}GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n${SMUGGLED}`),
      gets(relayed(said('first'))),
      ...refused(400),
    ],
    servers: [{ at: 'a', steps: serves(at('a', '/1'), said('first')) }],
  },
  {
    title: 'a request with an unknown name behind a good one',
    client: [
      requests(at('a', '/1'), { line: 'GET /', authority: 'nobody.example.net' }, at('a', '/3')),
      gets(relayed(said('first'))),
      ...refused(421),
    ],
    servers: [{ at: 'a', steps: serves(at('a', '/1'), said('first')) }],
  },
  {
    title: 'what follows a request with Connection: close is no request',
    client: [
      requests({ ...at('a', '/1'), fields: [CLOSE] }, at('b', '/2')),
      gets(relayed({ ...said('first'), connection: [CLOSE] })),
      'is-closed',
    ],
    servers: [{ at: 'a', steps: serves(at('a', '/1'), said('first')) }],
  },
  {
    title: 'a client that has sent all of its requests gets all of its answers',
    client: [
      requests(at('a', '/1'), at('b', '/2')),
      'ends',
      gets(relayed(said('first'))),
      gets(relayed(said('second'))),
      'is-closed',
    ],
    servers: [
      { at: 'a', steps: serves(at('a', '/1'), said('first')) },
      { at: 'b', steps: serves(at('b', '/2'), said('second')) },
    ],
  },
  {
    title: 'a client that ends within a head',
    client: [send('GET / HTTP/1.1\r\nHo'), 'ends', 'is-closed'],
  },
];

const UPLOAD: Request = { line: 'POST /upload', fields: ['Content-Length: 5'] };
const EXPECTS: Request = { ...UPLOAD, fields: ['Expect: 100-continue', 'Content-Length: 5'] };
const CONTINUE: Answer = { status: '100 Continue', fields: [] };
const TOO_LARGE: Answer = { status: '413 Content Too Large', body: 'no' };
const TOLD_CLOSE = { connection: [CLOSE] };

const CONTINUES: readonly Row[] = [
  {
    title: '100: the client waits for it, then the body passes',
    client: [send(request(EXPECTS)), gets(relayed(CONTINUE)), send('hello'), gets(relayed(said('ok')))],
    servers: [
      {
        at: 'a',
        steps: [
          gets(forwarded(EXPECTS)),
          { sends: answer(CONTINUE) },
          gets('hello'),
          { sends: answer(said('ok')) },
        ],
      },
    ],
  },
  {
    title: '100: a client that does not wait',
    client: [
      send(request({ ...EXPECTS, body: 'hello' })),
      gets(relayed(CONTINUE)),
      gets(relayed(said('ok'))),
    ],
    servers: [
      {
        at: 'a',
        steps: [
          gets(forwarded(EXPECTS)),
          { sends: answer(CONTINUE) },
          gets('hello'),
          { sends: answer(said('ok')) },
        ],
      },
    ],
  },
  {
    title: '100: the server answers at once and never says 100; the body that does not come is no request',
    client: [
      send(request(EXPECTS)),
      gets(relayed({ status: '417 Expectation Failed', body: 'no', ...TOLD_CLOSE })),
      send(SMUGGLED),
      'is-closed',
    ],
    servers: [
      {
        at: 'a',
        steps: [
          gets(forwarded(EXPECTS)),
          { sends: answer({ status: '417 Expectation Failed', body: 'no' }) },
          // What a client sends after it may still be taken for the body.
          { getsAtMost: SMUGGLED.slice(0, 5) },
        ],
      },
    ],
    isWholeOnly: true,
  },
];

const MANY = 'x'.repeat(300_000);
const BIG: Request = { line: 'POST /upload', fields: [`Content-Length: ${MANY.length * 4}`] };
const EARLY: readonly Row[] = [
  ...(['stays', 'ends'] as const).map(
    (manner): Row => ({
      title: `413 in the middle of an upload; the server ${manner === 'ends' ? 'ends its connection' : 'reads on'}`,
      client: [
        send(request(BIG) + MANY),
        gets(relayed({ ...TOO_LARGE, ...TOLD_CLOSE })),
        send(MANY),
        'is-closed',
      ],
      servers: [
        {
          at: 'a',
          steps: [
            gets(forwarded(BIG)),
            'ignores-the-rest',
            { sends: answer(TOO_LARGE) },
            ...(manner === 'ends' ? (['ends'] as const) : []),
          ],
        },
      ],
      isWholeOnly: true,
    }),
  ),
  {
    title: '413 in the middle of chunks',
    client: [
      send(`${request({ line: 'POST /upload', fields: [CHUNKED] })}ffff\r\n${'x'.repeat(1000)}`),
      gets(relayed({ ...TOO_LARGE, ...TOLD_CLOSE })),
      send('x'.repeat(1000)),
      'is-closed',
    ],
    servers: [
      {
        at: 'a',
        steps: [
          gets(forwarded({ line: 'POST /upload', fields: [CHUNKED] })),
          'ignores-the-rest',
          { sends: answer(TOO_LARGE) },
        ],
      },
    ],
    isWholeOnly: true,
  },
];

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
const FIELDS = [`Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Version: 13'];
const HANDSHAKE: Request = { line: 'GET /chat', fields: FIELDS, upgrade: 'websocket' };
const UPGRADE = 'Upgrade: websocket';
const TO_UPGRADE = 'Connection: Upgrade';
const PROOF = `Sec-WebSocket-Accept: ${ACCEPT}`;
const switches = (fields = [PROOF, UPGRADE], connection = [TO_UPGRADE]): Answer => ({
  status: '101 Switching Protocols',
  fields,
  connection,
});
const REQUIRED: Answer = {
  status: '426 Upgrade Required',
  fields: ['Content-Length: 0', UPGRADE],
  connection: [TO_UPGRADE],
};
/** A request that would reach another virtual host of the server, past every judgement. */
const FORGED = 'GET /admin HTTP/1.1\r\nHost: secret.example.com\r\nX-Forwarded-For: 198.51.100.66\r\n\r\n';

const badSwitch = (title: string, tells: Answer, asks = HANDSHAKE): Row => ({
  title: `WebSocket: ${title}`,
  client: [send(request(asks) + FORGED), ...refused(502)],
  servers: [{ at: 'a', steps: [gets(forwarded(asks)), { sends: answer(tells) }] }],
});

/** The handshake was one ordinary request: what follows it is judged as such, and the forged Host has no server. */
const noSwitch = (title: string, tells: Answer): Row => ({
  title: `WebSocket: ${title}`,
  client: [send(request(HANDSHAKE)), gets(relayed(tells)), send(FORGED), ...refused(421)],
  servers: [{ at: 'a', steps: serves(HANDSHAKE, tells) }],
});

const tunnel = (client: ClientStep[], server: ServerStep[]): Pick<Row, 'client' | 'servers'> => ({
  client: [send(request(HANDSHAKE)), gets(relayed(switches())), ...client],
  servers: [{ at: 'a', steps: [gets(forwarded(HANDSHAKE)), { sends: answer(switches()) }, ...server] }],
});

const WEBSOCKETS: readonly Row[] = [
  {
    title: 'WebSocket: after 101 everything passes, both ways',
    ...tunnel(
      [send(`up ${FORGED}`), gets(`down ${MANY}`), 'ends', gets('last'), 'is-closed'],
      [gets(`up ${FORGED}`), { sends: `down ${MANY}` }, { sends: 'last' }, 'ends'],
    ),
  },
  {
    title: 'WebSocket: the server ends the tunnel',
    ...tunnel([gets('bye'), 'is-closed'], [{ sends: 'bye' }, 'ends']),
  },
  {
    title: 'WebSocket: nothing of what a client sends before 101 reaches the server before it',
    client: [
      send(`${request(HANDSHAKE)}early`),
      'signals',
      gets(relayed(switches())),
      gets('heard early'),
      'is-closed',
    ],
    servers: [
      {
        at: 'a',
        steps: [
          gets(forwarded(HANDSHAKE)),
          'awaits-signal',
          'got-nothing-more',
          { sends: answer(switches()) },
          gets('early'),
          { sends: 'heard early' },
          'ends',
        ],
      },
    ],
  },
  noSwitch('200 is one ordinary answer', said('no socket here')),
  noSwitch('403 is one ordinary answer', { status: '403 Forbidden', body: 'no' }),
  {
    title: 'WebSocket: 200 in one piece with what the client sent at once',
    client: [send(request(HANDSHAKE) + FORGED), gets(relayed(said('no socket here'))), ...refused(421)],
    servers: [{ at: 'a', steps: serves(HANDSHAKE, said('no socket here')) }],
  },
  {
    title: 'WebSocket: 426 tells which protocol is wanted',
    client: [send(request(HANDSHAKE)), gets(relayed(REQUIRED))],
    servers: [{ at: 'a', steps: serves(HANDSHAKE, REQUIRED) }],
  },
  badSwitch('101 to another protocol', switches([PROOF, 'Upgrade: h2c'])),
  badSwitch('101 without Upgrade', switches([PROOF])),
  badSwitch('101 without Connection', switches([PROOF, UPGRADE], [])),
  badSwitch('101 without the proof that the server knows WebSocket', switches([UPGRADE])),
  badSwitch('101 with another proof', switches([`Sec-WebSocket-Accept: ${KEY}`, UPGRADE])),
  ...(
    [
      ['no key', { ...HANDSHAKE, fields: FIELDS.slice(1) }],
      ['another version', { ...HANDSHAKE, fields: [FIELDS[0], 'Sec-WebSocket-Version: 8'] }],
      ['a key that is no key', { ...HANDSHAKE, fields: ['Sec-WebSocket-Key: x', FIELDS[1]] }],
      ['POST', { ...HANDSHAKE, line: 'POST /chat', fields: [...FIELDS, 'Content-Length: 0'] }],
    ] as const
  ).map(
    ([title, asks]): Row => ({
      title: `WebSocket: ${title}: no handshake, so an ordinary request`,
      client: [
        send(request({ ...asks, fields: [...asks.fields] }) + FORGED),
        gets(relayed(said('plain'))),
        ...refused(421),
      ],
      servers: [
        {
          at: 'a',
          steps: serves({ line: asks.line, fields: [...asks.fields] }, said('plain')),
        },
      ],
    }),
  ),
  {
    title: 'WebSocket: Upgrade without Connection is no handshake',
    client: [
      send(request({ line: 'GET /chat', fields: ['Upgrade: websocket', ...FIELDS] }) + FORGED),
      gets(relayed(said('plain'))),
      ...refused(421),
    ],
    servers: [{ at: 'a', steps: serves({ line: 'GET /chat', fields: FIELDS }, said('plain')) }],
  },
];

const FIELDS_120 = [...Array.from({ length: 119 }, (_, i) => `X-${i}: ${i}`), 'Content-Length: 2'];
const LARGE: Request = { line: 'POST /large', fields: [`Content-Length: ${MANY.length}`], body: MANY };
const TINY = chunked(...'x'.repeat(20_000));
/** Bodies larger than every buffer, and what follows them in the same piece. */
const SIZES: readonly Row[] = [
  {
    title: 'a large upload, and a pipelined request behind it',
    client: [requests(LARGE, at('a', '/2')), gets(relayed(said('first'))), gets(relayed(said('second')))],
    servers: [
      {
        at: 'a',
        steps: [...serves(LARGE, said('first')), ...serves(at('a', '/2'), said('second'))],
      },
    ],
    isWholeOnly: true,
  },
  {
    title: 'large answers to pipelined requests, in order',
    client: [
      requests(at('a', '/1'), at('b', '/2'), at('a', '/3')),
      gets(relayed(said(`first ${MANY}`))),
      gets(relayed({ fields: [CHUNKED], body: chunked(`second ${MANY}`, MANY) })),
      gets(relayed(said(`third ${MANY}`))),
    ],
    servers: [
      {
        at: 'a',
        steps: [
          ...serves(at('a', '/1'), said(`first ${MANY}`)),
          ...serves(at('a', '/3'), said(`third ${MANY}`)),
        ],
      },
      { at: 'b', steps: serves(at('b', '/2'), { fields: [CHUNKED], body: chunked(`second ${MANY}`, MANY) }) },
    ],
  },
  {
    title: 'an answer until close that is large',
    client: [
      requests(at('a', '/1')),
      gets(relayed({ fields: [], body: MANY.repeat(4), connection: [CLOSE] })),
      'is-closed',
    ],
    servers: [{ at: 'a', steps: [...serves(at('a', '/1'), { fields: [], body: MANY.repeat(4) }), 'ends'] }],
  },
  {
    title: 'chunks of one byte, both ways',
    client: [
      requests({ line: 'POST /tiny', fields: [CHUNKED], body: TINY }),
      gets(relayed({ fields: [CHUNKED], body: TINY })),
    ],
    servers: [
      {
        at: 'a',
        steps: serves(
          { line: 'POST /tiny', fields: [CHUNKED], body: TINY },
          { fields: [CHUNKED], body: TINY },
        ),
      },
    ],
    isWholeOnly: true,
  },
  {
    title: 'chunks of one byte to a client of HTTP/1.0',
    client: [
      send(request({ line: 'GET /', version: '1.0' })),
      gets(relayed({ fields: [], body: 'x'.repeat(20_000), connection: [CLOSE] })),
      'is-closed',
    ],
    servers: [
      { at: 'a', steps: serves({ line: 'GET /', version: '1.0' }, { fields: [CHUNKED], body: TINY }) },
    ],
  },
  {
    title: 'large chunks to a client of HTTP/1.0',
    client: [
      send(request({ line: 'GET /', version: '1.0' })),
      gets(relayed({ fields: [], body: MANY + MANY, connection: [CLOSE] })),
      'is-closed',
    ],
    servers: [
      {
        at: 'a',
        steps: serves({ line: 'GET /', version: '1.0' }, { fields: [CHUNKED], body: chunked(MANY, MANY) }),
      },
    ],
  },
  {
    title: '500 pipelined requests, of which most come while the first is answered',
    client: [
      requests(...Array.from({ length: 500 }, (_, i) => at(i % 2 === 0 ? 'a' : 'b', `/${i}`))),
      ...Array.from({ length: 500 }, (_, i) => gets(relayed(said(`answer ${i}`)))),
    ],
    servers: (['a', 'b'] as const).map((server, odd) => ({
      at: server,
      steps: Array.from({ length: 250 }, (_, i) =>
        serves(at(server, `/${2 * i + odd}`), said(`answer ${2 * i + odd}`)),
      ).flat(),
    })),
    isWholeOnly: true,
  },
  ...[14_000, 15_900].map((bytes): Row => {
    const field = `X-Long: ${'x'.repeat(bytes)}`;
    const asks: Request = { line: 'GET /', fields: [field] };
    const tells: Answer = { ...said('ok'), fields: [field, 'Content-Length: 2'] };
    return {
      title: `heads of ${bytes} bytes, both ways`,
      client: [requests(asks, at('a', '/2')), gets(relayed(tells)), gets(relayed(said('second')))],
      servers: [{ at: 'a', steps: [...serves(asks, tells), ...serves(at('a', '/2'), said('second'))] }],
      isWholeOnly: true,
    };
  }),
  {
    title: 'an answer of 120 fields',
    client: [requests(at('a', '/1')), gets(relayed({ fields: FIELDS_120, body: 'ok' }))],
    servers: [{ at: 'a', steps: serves(at('a', '/1'), { fields: FIELDS_120, body: 'ok' }) }],
  },
];

export const CONNECTIONS: readonly Row[] = [...SIZES, ...PIPELINES, ...CONTINUES, ...EARLY, ...WEBSOCKETS];
