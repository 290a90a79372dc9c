/** Answers of servers that cannot be used, and servers that give none. */
import { type Answer, CHUNKED, CLOSE, answer, chunked, forwarded, relayed, request } from './forms.ts';
import { type Row, type ServerStep, gets, refused, send } from './row.ts';

const GET = { line: 'GET /' };
/** A client that ends after one answer. */
const LAST = { line: 'GET /', fields: [CLOSE] };
const ASKS = send(request(GET));
const REACHES = gets(forwarded(GET));
const OK: Answer = { body: 'ok' };
const INTERIM = answer({ status: '102 Processing', fields: [] });

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
  bad('an interim answer and no other', INTERIM.slice(0, -2)),
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

export const BAD_ANSWERS: readonly Row[] = [...BAD, ...CUT_OFF, ...CLOSED];
