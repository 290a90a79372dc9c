/** Clients of HTTP/1.0, with and without keep-alive. */
import { CHUNKED, CLOSE, answer, chunked, forwarded, relayed, request } from './forms.ts';
import { type ClientStep, type Row, type ServerStep, gets, refused, send } from './row.ts';

const KEEP_ALIVE = 'Connection: keep-alive';
const OK = { body: 'ok' };
const HTTP10 = { line: 'GET /', version: '1.0' } as const;
const REACHES10 = gets(forwarded(HTTP10));
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
export const OLD_CLIENTS: readonly Row[] = [
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
