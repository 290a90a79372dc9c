/** Many requests over one kept connection of a client, to a server that ends each of its connections and does not say so. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { type Server, type Socket, createServer } from 'node:net';
import { SERVERS } from './addresses.ts';
import { ask } from './ask.ts';

const REQUESTS = 40;

/** How it ends a connection after its first answer. */
export const ENDINGS = {
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

interface ClosingServer extends AsyncDisposable {
  /** The request lines that it got, whole requests only, in their order. */
  readonly arrived: string[];
}

async function startClosingServer(end: (socket: Socket, answer: string) => void): Promise<ClosingServer> {
  const arrived: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let bytes = '';
    let isAnswered = false;
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.toString('latin1');
      const headEnd = bytes.indexOf('\r\n\r\n') + 4;
      const length = Number(/\r\nContent-Length: (\d+)/i.exec(bytes)?.[1] ?? 0);
      if (headEnd < 4 || bytes.length < headEnd + length) return;
      const line = bytes.slice(0, bytes.indexOf('\r\n'));
      bytes = bytes.slice(headEnd + length);
      arrived.push(line);
      // The handler of the next request, if any, is its end.
      if (isAnswered) return;
      isAnswered = true;
      const body = `answer to ${line}`;
      end(socket, `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
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
export async function performEnding(ending: keyof typeof ENDINGS, method: 'GET' | 'POST'): Promise<void> {
  await using server = await startClosingServer(ENDINGS[ending]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  try {
    for (let i = 0; i < REQUESTS; i++) {
      const body = method === 'POST' ? `body ${i}` : undefined;
      const answer = await ask({ agent, method, path: `/${i}`, at: 'a', body });
      assert.equal(`${answer.status} ${answer.body}`, `200 answer to ${method} /${i} HTTP/1.1`);
      ports.add(answer.localPort);
    }
  } finally {
    agent.destroy();
  }
  assert.equal(ports.size, 1, 'the connection of the client is not kept');
  const wanted = Array.from({ length: REQUESTS }, (_, i) => `${method} /${i} HTTP/1.1`);
  // A GET that crosses the end of a connection is repeated.
  const arrived = method === 'GET' ? [...new Set(server.arrived)] : server.arrived;
  assert.deepEqual(arrived, wanted);
}
