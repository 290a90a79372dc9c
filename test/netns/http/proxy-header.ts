/** Servers that get a PROXY header: a connection to them belongs to one client, and is kept for its requests. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { type Socket, createServer } from 'node:net';
import { ADDRESSES, SERVERS } from './addresses.ts';
import { ask } from './ask.ts';

const REQUESTS = 10;

/** Answers each request of a connection with the address in its PROXY header. */
async function startServer() {
  const heard = new Map<Socket, string>();
  const server = createServer({ noDelay: true }, (socket) => {
    heard.set(socket, '');
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      const text = heard.get(socket) + chunk.toString('latin1');
      heard.set(socket, text);
      if (!text.endsWith('\r\n\r\n')) return;
      const client = /^PROXY TCP4 (\S+) /.exec(text)?.[1] ?? 'nobody';
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${client.length}\r\n\r\n${client}`);
    });
  });
  server.listen(80, SERVERS.a);
  await once(server, 'listening');
  return {
    heard,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of heard.keys()) socket.destroy();
    },
  };
}

/** Two clients in turn, each with its own connection and with new ones. */
export async function performProxyHeaders(): Promise<void> {
  await using server = await startServer();
  const clients = [ADDRESSES.client, ADDRESSES.hostile].map((from) => ({
    from,
    agent: new Agent({ keepAlive: true, maxSockets: 1 }),
  }));
  for (let i = 0; i < REQUESTS; i++) {
    for (const { from, agent } of clients) {
      assert.equal((await ask({ at: 'a', path: `/${i}`, from, agent })).body, from);
      assert.equal((await ask({ at: 'a', path: `/new/${i}`, from })).body, from);
    }
  }
  for (const { agent } of clients) agent.destroy();
  const connections = [...server.heard.values()];
  for (const text of connections) {
    const headers = text.split('PROXY TCP4 ').length - 1;
    assert.ok(text.startsWith('PROXY TCP4 ') && headers === 1, `${headers} PROXY headers:\n${text}`);
    const [line] = text.split('\r\n');
    const [, , from, to, , port] = line.split(' ');
    assert.deepEqual([to, port], [ADDRESSES.proxy, '80']);
    const told = new Set([...text.matchAll(/^X-Forwarded-For: (.*)\r$/gm)].map(([, address]) => address));
    assert.deepEqual([...told], [from], 'requests of another client');
  }
  // Each client's kept connection has one of its own; each new connection of a client, too.
  assert.equal(connections.length, clients.length * (1 + REQUESTS));
}
