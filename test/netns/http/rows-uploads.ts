/** Uploads: clients that wait for 100, and servers that answer before the end. */
import { MANY, said } from './exchange.ts';
import { type Answer, CHUNKED, CLOSE, type Request, answer, forwarded, relayed, request } from './forms.ts';
import { type Row, gets, send } from './row.ts';
import { SMUGGLED } from './rows-refused.ts';

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

export const UPLOADS: readonly Row[] = [...CONTINUES, ...EARLY];
