/** Peers that say nothing; the time-outs are shortened by the configuration of the test. */
import { CLOSE, answer, forwarded, relayed, request } from './forms.ts';
import { type Row, answered, gets, refused, send } from './row.ts';

const LAST = send(request({ line: 'GET /', fields: [CLOSE] }));
const REACHES = gets(forwarded({ line: 'GET /' }));
const UPLOAD = { line: 'POST /', fields: ['Content-Length: 10'], body: 'hello' };

export const SILENT: readonly Row[] = [
  {
    title: 'a server that is silent: 504',
    client: [LAST, ...refused(504)],
    servers: [{ at: 'a', steps: [REACHES] }],
  },
  {
    title: 'a server that is silent within the head of its answer: 504',
    client: [LAST, ...refused(504)],
    servers: [{ at: 'a', steps: [REACHES, { sends: 'HTTP/1.1 200 OK\r\nX-A: ' }] }],
  },
  {
    title: 'a server that is silent after an interim answer: 504',
    client: [LAST, gets(relayed({ status: '102 Processing', fields: [] })), ...refused(504)],
    servers: [{ at: 'a', steps: [REACHES, { sends: answer({ status: '102 Processing', fields: [] }) }] }],
  },
  {
    title: 'a server that is silent within its answer: cut off',
    client: [
      LAST,
      { cutOff: relayed({ fields: ['Content-Length: 10'], connection: [CLOSE], body: 'hello' }) },
    ],
    servers: [
      { at: 'a', steps: [REACHES, { sends: answer({ fields: ['Content-Length: 10'], body: 'hello' }) }] },
    ],
  },
  {
    title: 'a server that does not accept the connection: 504',
    client: [
      send(request({ line: 'GET /', at: 'dead', fields: [CLOSE] })),
      answered([502, 504]),
      'is-closed',
    ],
  },
  {
    title: 'a client that is silent within its head: 408',
    client: [send('GET / HTTP/1.1\r\nHost: a.exam'), ...refused(408)],
  },
  {
    title: 'a client that is silent within its body',
    client: [send(request(UPLOAD)), answered([408, 504]), 'is-closed'],
    servers: [{ at: 'a', steps: [{ getsAtMost: forwarded(UPLOAD) }] }],
  },
];
