/** Clients that go away in the middle of an exchange: nothing of it reaches the next client or request. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ADDRESSES, SERVERS } from './addresses.ts';
import { ask } from './ask.ts';
import { type Request, request } from './forms.ts';

const TURNS = 10;

interface RawServer extends AsyncDisposable {
  /** What each connection has sent. */
  readonly heard: Map<Socket, string>;
  /** Resolves with the connection on which the text arrived. */
  heardOf(text: string): Promise<Socket>;
}

/** A server that answers nothing by itself, except requests with /next in their head. */
async function startRawServer(): Promise<RawServer> {
  const heard = new Map<Socket, string>();
  const server = createServer({ allowHalfOpen: false, noDelay: true }, (socket) => {
    heard.set(socket, '');
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const text = heard.get(socket) + chunk.toString('latin1');
      heard.set(socket, text);
      if (chunk.includes('GET /next')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
    });
  });
  server.listen(80, SERVERS.a);
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

async function startAsking(parts: Request): Promise<Socket> {
  const client = connect({ host: ADDRESSES.proxy, port: 80, localAddress: ADDRESSES.client });
  client.on('error', () => {});
  await once(client, 'connect');
  client.write(request(parts));
  return client;
}

export async function performAnswerOfAnother(): Promise<void> {
  await using server = await startRawServer();
  for (let turn = 0; turn < TURNS; turn++) {
    const client = await startAsking({ line: `GET /secret/${turn}` });
    const serverSide = await server.heardOf(`/secret/${turn}`);
    if (turn % 2 === 0) client.resetAndDestroy();
    else client.destroy();
    // The answer comes after the client has gone, before or after the proxy has noticed.
    if (turn % 3 !== 0) await delay(turn);
    if (serverSide.writable) serverSide.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret');
    const { status, body } = await ask({ at: 'a', path: '/next' });
    assert.equal(`${status} ${body}`, '200 next');
  }
}

export async function performUploadOfAnother(): Promise<void> {
  await using server = await startRawServer();
  for (let turn = 0; turn < TURNS; turn++) {
    const marker = `half ${turn}`;
    const client = await startAsking({
      line: 'POST /upload',
      fields: ['Content-Length: 1000'],
      body: marker,
    });
    const serverSide = await server.heardOf(marker);
    if (turn % 2 === 0) client.resetAndDestroy();
    else client.destroy();
    const { status, body } = await ask({ at: 'a', path: '/next' });
    assert.equal(`${status} ${body}`, '200 next');
    if (!serverSide.destroyed) await once(serverSide, 'close');
    assert.ok(server.heard.get(serverSide)?.endsWith(marker), 'something follows half a body');
  }
}
