/** WebSocket: a tunnel begins with the 101 that the client asked for, and with nothing else. */
import { createHash } from 'node:crypto';
import { MANY, said, serves } from './exchange.ts';
import { type Answer, type Request, answer, forwarded, relayed, request } from './forms.ts';
import { type ClientStep, type Row, type ServerStep, gets, refused, send } from './row.ts';

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

export const WEBSOCKETS: readonly Row[] = [
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
