/** A server that keeps what it hears, and whose answers a scenario gives. */
import { once } from 'node:events';
import { type Socket, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SERVERS } from './addresses.ts';
import { answer } from './forms.ts';

export interface RawServer extends AsyncDisposable {
  /** What each connection has sent. */
  readonly heard: Map<Socket, string>;
  /** Resolves with the connection on which the text arrived. */
  heardOf(text: string): Promise<Socket>;
}

/** A server that answers nothing by itself, except requests with /next in their head. */
export async function startRawServer(at: 'a' | 'b' = 'a'): Promise<RawServer> {
  const heard = new Map<Socket, string>();
  const server = createServer({ allowHalfOpen: false, noDelay: true }, (socket) => {
    heard.set(socket, '');
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const text = heard.get(socket) + chunk.toString('latin1');
      heard.set(socket, text);
      if (chunk.includes('GET /next')) socket.write(answer({ body: 'next' }));
    });
  });
  server.listen(80, SERVERS[at]);
  await once(server, 'listening');
  return {
    heard,
    async heardOf(text) {
      const deadline = performance.now() + 15_000;
      for (;;) {
        for (const [socket, all] of heard) if (all.includes(text)) return socket;
        if (performance.now() > deadline) throw new Error(`the server never heard ${text}`);
        await delay(2);
      }
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of heard.keys()) socket.destroy();
    },
  };
}
