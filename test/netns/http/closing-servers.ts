/** Many requests over one kept connection of a client, to a server that ends each of its connections and does not say so. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { type Server, type Socket, createServer } from 'node:net';
import { SERVERS } from './addresses.ts';
import { ask } from './ask.ts';

const REQUESTS = 40;

/** How it ends a connection with or after its last answer, the first or the third. */
const MANNERS = {
  'with the answer': (socket: Socket, answer: string) => void socket.end(answer),
  'right after the answer': (socket: Socket, answer: string) =>
    void socket.write(answer, () => setImmediate(() => socket.end())),
  'some milliseconds after the answer': (socket: Socket, answer: string) =>
    void socket.write(answer, () => setTimeout(() => socket.end(), Math.random() * 8)),
  'by a reset some milliseconds after the answer': (socket: Socket, answer: string) =>
    void socket.write(answer, () => setTimeout(() => socket.resetAndDestroy(), 1 + Math.random() * 8)),
  'when the next request arrives': (socket: Socket, answer: string) => {
    socket.write(answer);
    socket.once('data', () => socket.end());
  },
  'by a reset when the next request arrives': (socket: Socket, answer: string) => {
    socket.write(answer);
    socket.once('data', () => socket.resetAndDestroy());
  },
} as const satisfies Record<string, (socket: Socket, answer: string) => void>;
type Manner = keyof typeof MANNERS;

export interface Ending {
  readonly title: string;
  readonly manner: Manner;
  /** How many answers a connection gives. */
  readonly answers: number;
}

/** After its first answer in every manner; after a later one as servers with a limit of requests do. */
export const ENDINGS: readonly Ending[] = [
  ...(Object.keys(MANNERS) as Manner[]).map((manner) => ({ title: manner, manner, answers: 1 })),
  ...(['with the answer', 'right after the answer', 'some milliseconds after the answer'] as const).flatMap(
    (manner) => [2, 3].map((answers) => ({ title: `${manner} to request ${answers}`, manner, answers })),
  ),
];

/** The methods of the requests, again and again. */
export const METHODS = {
  GETs: ['GET'],
  POSTs: ['POST'],
  // So that a POST finds a connection that has served others.
  'GETs and POSTs': ['GET', 'GET', 'POST'],
} as const satisfies Record<string, readonly string[]>;

interface ClosingServer extends AsyncDisposable {
  /** The request lines that it got, whole requests only, in their order. */
  readonly arrived: string[];
}

async function startClosingServer({ manner, answers }: Ending): Promise<ClosingServer> {
  const arrived: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let bytes = '';
    let answered = 0;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.toString('latin1');
      const headEnd = bytes.indexOf('\r\n\r\n') + 4;
      const length = Number(/\r\nContent-Length: (\d+)/i.exec(bytes)?.[1] ?? 0);
      if (headEnd < 4 || bytes.length < headEnd + length) return;
      const line = bytes.slice(0, bytes.indexOf('\r\n'));
      bytes = bytes.slice(headEnd + length);
      arrived.push(line);
      // The handler of the next request, if any, is its end.
      if (answered === answers) return;
      answered++;
      const body = `answer to ${line}`;
      const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      if (answered < answers) socket.write(answer);
      else MANNERS[manner](socket, answer);
    });
  });
  server.listen(80, SERVERS.a);
  await once(server, 'listening');
  return {
    arrived,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** All are answered with their own answer. POSTs arrive exactly once. */
export async function performEnding(ending: Ending, methods: readonly string[]): Promise<void> {
  await using server = await startClosingServer(ending);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  const sent = Array.from({ length: REQUESTS }, (_, i) => ({
    method: methods[i % methods.length],
    path: `/${i}`,
  }));
  try {
    for (const { method, path } of sent) {
      const body = method === 'POST' ? `body of ${path}` : undefined;
      const answer = await ask({ agent, method, path, at: 'a', body });
      assert.equal(`${answer.status} ${answer.body}`, `200 answer to ${method} ${path} HTTP/1.1`);
      ports.add(answer.localPort);
    }
  } finally {
    agent.destroy();
  }
  assert.equal(ports.size, 1, 'the connection of the client is not kept');
  // A GET that crosses the end of a connection is repeated.
  const arrived = server.arrived.filter(
    (line, i) => !line.startsWith('GET') || server.arrived.indexOf(line) === i,
  );
  assert.deepEqual(
    arrived,
    sent.map(({ method, path }) => `${method} ${path} HTTP/1.1`),
  );
}
