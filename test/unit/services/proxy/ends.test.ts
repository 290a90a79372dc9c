/** Every order in which two sides can end a connection: what the other one sees, and the bytes that are counted. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { waitUntil } from '../../../../lab/wait.ts';
import { type ProxyOptions, startProxy } from '../../../../src/services/proxy/service.ts';
import { Cleanup, MAPPED, freePort, hostAt, patternBytes } from '../../net/support.ts';
import { captureClientHello } from '../../wire/capture-client-hello.ts';

type Side = 'client' | 'server';
/** "client ends", "server resets", "client says more". */
type Step = `${Side} ${'ends' | 'resets' | 'says more'}`;

/** One side of a connection: how many bytes have arrived, and how it ended. */
interface End {
  readonly socket: Socket;
  bytes: number;
  text: string;
  /** The last bytes. */
  last: string;
  ended: string | undefined;
}

const LAST = 16;

function watch(socket: Socket): End {
  const end: End = { socket, bytes: 0, text: '', last: '', ended: undefined };
  socket.on('data', (chunk: Buffer) => {
    end.bytes += chunk.length;
    if (end.text.length < 1000) end.text += chunk.toString('latin1');
    end.last = (end.last + chunk.toString('latin1')).slice(-LAST);
  });
  socket.on('end', () => (end.ended ??= 'end'));
  socket.on('error', ({ code }: NodeJS.ErrnoException) => (end.ended ??= code));
  socket.on('close', () => (end.ended ??= 'close'));
  return end;
}

const MORE = patternBytes(200_000, 3);

/** Of a connection whose sides have said `upBytes` and `downBytes`. */
interface Pair {
  readonly client: End;
  readonly server: End;
  /** What has reached the server and the client. */
  upBytes: number;
  downBytes: number;
}

async function perform(pair: Pair, step: Step): Promise<void> {
  const [side, what] = step.split(/ (.*)/) as [Side, string];
  const [own, other] = side === 'client' ? [pair.client, pair.server] : [pair.server, pair.client];
  if (what === 'ends') own.socket.end();
  else if (what === 'resets') own.socket.resetAndDestroy();
  else {
    const wanted = other.bytes + MORE.length;
    own.socket.write(MORE);
    if (side === 'client') pair.upBytes += MORE.length;
    else pair.downBytes += MORE.length;
    await waitUntil('all of it', () => other.bytes === wanted);
    return;
  }
  await waitUntil(
    `${other === pair.server ? 'the server' : 'the client'} notices that the ${step}`,
    () => other.ended !== undefined,
  );
}

async function start(cleanup: Cleanup, protocol: 'tls' | 'http') {
  const port = await freePort();
  const servers: End[] = [];
  await cleanup.listen((socket) => void servers.push(watch(socket)), port);
  const options: ProxyOptions = {
    proxy: {
      listen: ['127.0.0.1'],
      listeners: [{ name: 'in', port, protocol }],
      ...MAPPED,
      handshakeTimeoutMs: 60_000,
      responseTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
    },
    hosts: [hostAt('web1', { hostnames: ['example.com'], services: ['in'] })],
  };
  const proxy = cleanup.use(await startProxy(options, cleanup.context));
  const open = async (first: Uint8Array | string): Promise<Pick<Pair, 'client' | 'server'>> => {
    const client = watch(await cleanup.connect(port, { noDelay: true }));
    client.socket.write(first);
    const server = await waitUntil('the server is reached', () => servers[0]);
    return { client, server };
  };
  return { proxy, open };
}

type Counters = ReturnType<Awaited<ReturnType<typeof startProxy>>['counters']>;

/** Counters of ends that are not 0. */
const endsOf = (counters: Counters) =>
  Object.fromEntries(
    Object.entries(counters).filter(
      ([name, value]) => /^(closed|http-(no|bad|answer))/.test(name) && value > 0,
    ),
  );

const RESET = 'ECONNRESET';
const RELAYED: readonly (readonly [
  steps: readonly Step[],
  client: string,
  server: string,
  counter: string,
])[] = [
  [['client ends', 'server ends'], 'end', 'end', 'closed'],
  [['server ends', 'client ends'], 'end', 'end', 'closed'],
  [['client ends', 'server says more', 'server ends'], 'end', 'end', 'closed'],
  [['server ends', 'client says more', 'client ends'], 'end', 'end', 'closed'],
  [
    ['client says more', 'server says more', 'client ends', 'server says more', 'server ends'],
    'end',
    'end',
    'closed',
  ],
  [['client resets'], 'close', RESET, 'closed-reset'],
  [['server resets'], RESET, 'close', 'closed-reset'],
  [['client ends', 'server resets'], RESET, 'end', 'closed-reset'],
  [['server ends', 'client resets'], 'end', RESET, 'closed-reset'],
  [['client ends', 'server says more', 'server resets'], RESET, 'end', 'closed-reset'],
  [['server ends', 'client says more', 'client resets'], 'end', RESET, 'closed-reset'],
];

describe('a relayed connection (TLS)', () => {
  for (const [steps, client, server, counter] of RELAYED) {
    test(steps.join(', '), async () => {
      await using cleanup = new Cleanup();
      const { proxy, open } = await start(cleanup, 'tls');
      const hello = await captureClientHello({ servername: 'example.com' });
      const pair: Pair = { ...(await open(hello)), upBytes: hello.length, downBytes: 0 };
      await waitUntil('the ClientHello', () => pair.server.bytes === hello.length);
      for (const step of steps) await perform(pair, step);
      await waitUntil('it is closed', () => proxy.status().figures['connections'] === 0);
      await waitUntil('both know', () => pair.client.ended !== undefined && pair.server.ended !== undefined);
      assert.deepEqual([pair.client.ended, pair.server.ended], [client, server]);
      const counters = proxy.counters();
      assert.deepEqual([counters['bytes-up'], counters['bytes-down']], [pair.upBytes, pair.downBytes]);
      assert.deepEqual([pair.server.bytes, pair.client.bytes], [pair.upBytes, pair.downBytes]);
      assert.deepEqual(endsOf(counters), { [counter]: 1 });
    });
  }
});

const BODY = patternBytes(100_000, 4).toString('latin1');
const POST = `POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: ${2 * BODY.length}\r\n\r\n${BODY}`;
const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';
const HALF = `HTTP/1.1 200 OK\r\nContent-Length: ${2 * BODY.length}\r\n\r\n${BODY}`;
const UNTIL_CLOSE = `HTTP/1.1 200 OK\r\n\r\n${BODY}`;
const REFUSED = 'HTTP/1.1 502 Bad Gateway';

/** `says`: what comes before the first step. `gets`: the beginning of what the client gets. */
const EXCHANGES: readonly (readonly [
  what: string,
  says: { readonly client: string; readonly server?: string },
  step: Step,
  expected: {
    readonly gets: string;
    readonly client: string;
    readonly server: string;
    readonly counter: string;
  },
])[] = [
  [
    'in the middle of an upload',
    { client: POST },
    'client ends',
    { gets: '', client: RESET, server: RESET, counter: 'closed-reset' },
  ],
  [
    'in the middle of an upload',
    { client: POST },
    'client resets',
    { gets: '', client: 'close', server: RESET, counter: 'closed-reset' },
  ],
  [
    'in the middle of an upload',
    { client: POST },
    'server ends',
    { gets: REFUSED, client: 'end', server: RESET, counter: 'http-no-answer' },
  ],
  [
    'in the middle of an upload',
    { client: POST },
    'server resets',
    { gets: REFUSED, client: 'end', server: 'close', counter: 'http-no-answer' },
  ],
  [
    'in the middle of an answer',
    { client: GET, server: HALF },
    'client resets',
    { gets: 'HTTP/1.1 200 OK', client: 'close', server: RESET, counter: 'closed-reset' },
  ],
  [
    'in the middle of an answer',
    { client: GET, server: HALF },
    'server ends',
    { gets: 'HTTP/1.1 200 OK', client: RESET, server: RESET, counter: 'http-answer-cut' },
  ],
  [
    'in the middle of an answer',
    { client: GET, server: HALF },
    'server resets',
    { gets: 'HTTP/1.1 200 OK', client: RESET, server: 'close', counter: 'http-answer-cut' },
  ],
  [
    'at the end of an answer that ends with its connection',
    { client: GET, server: UNTIL_CLOSE },
    'server ends',
    { gets: 'HTTP/1.1 200 OK', client: 'end', server: 'end', counter: 'closed' },
  ],
  [
    'in an answer that ends with its connection',
    { client: GET, server: UNTIL_CLOSE },
    'server resets',
    { gets: 'HTTP/1.1 200 OK', client: RESET, server: 'close', counter: 'http-answer-cut' },
  ],
];

describe('an exchange of HTTP', () => {
  for (const [what, says, step, expected] of EXCHANGES) {
    test(`${step} ${what}`, async () => {
      await using cleanup = new Cleanup();
      const { proxy, open } = await start(cleanup, 'http');
      const pair = await open(Buffer.from(says.client, 'latin1'));
      const { client, server } = pair;
      const end = says.client === POST ? BODY.slice(-LAST) : '\r\n\r\n';
      await waitUntil('what the client has said', () => server.last.endsWith(end));
      if (says.server !== undefined) {
        server.socket.write(Buffer.from(says.server, 'latin1'));
        await waitUntil('what the server has said', () => client.last === BODY.slice(-LAST));
      }
      // Exactly what has reached the other side at this moment.
      const passed = { up: server.bytes, down: client.bytes };
      await perform({ ...pair, upBytes: 0, downBytes: 0 }, step);
      if (client.ended === 'end') client.socket.end();
      await waitUntil('both know', () => client.ended !== undefined && server.ended !== undefined);
      await waitUntil('it is closed', () => proxy.status().figures['connections'] === 0);
      assert.deepEqual([client.ended, server.ended], [expected.client, expected.server]);
      assert.equal(client.text.slice(0, expected.gets.length), expected.gets);
      const counters = proxy.counters();
      assert.deepEqual([counters['bytes-up'], counters['bytes-down']], [passed.up, passed.down]);
      assert.deepEqual(endsOf(counters), { [expected.counter]: 1 });
    });
  }
});
