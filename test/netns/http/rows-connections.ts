/** Kept connections: pipelined requests, and bodies larger than every buffer. */
import { MANY, said, serves } from './exchange.ts';
import { type Answer, CHUNKED, CLOSE, type Request, chunked, relayed, request } from './forms.ts';
import { type Row, gets, refused, send } from './row.ts';
import { SMUGGLED } from './rows-refused.ts';

const at = (server: 'a' | 'b', path: string): Request => ({ line: `GET ${path}`, at: server });
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

export const CONNECTIONS: readonly Row[] = [...SIZES, ...PIPELINES];
