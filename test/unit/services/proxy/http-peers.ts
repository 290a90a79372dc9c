/** A proxy for HTTP between clients and servers that show each message and each connection. */
import type { Socket } from 'node:net';
import type { HostConfig, ProxyConfig } from '../../../../src/config/schema.ts';
import { type ProxyOptions, startProxy } from '../../../../src/services/proxy/service.ts';
import { withoutAddedDate } from '../../../added-date.ts';
import { type Cleanup, MAPPED, freePort, hostAt } from '../../net/support.ts';

/** One side of a connection. Text is Latin-1: one character per byte. */
export class Peer {
  readonly socket: Socket;
  /** What has arrived and was not taken as a message. */
  text = '';
  /** How it ended: "end" by FIN, or the error's code. */
  ended: string | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#change(() => (this.text += chunk.toString('latin1'))));
    socket.on('end', () => this.#change(() => (this.ended ??= 'end')));
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) =>
      this.#change(() => (this.ended ??= code ?? message)),
    );
    socket.on('close', () => this.#change(() => (this.ended ??= 'close')));
  }

  #change(change: () => void): void {
    change();
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.ended !== undefined) throw new Error(`${this.ended} after ${JSON.stringify(this.text)}`);
      await this.#changed.promise;
    }
  }

  write(text: string | Buffer): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }

  /** Writes, and waits until it has left. */
  async push(text: string): Promise<void> {
    await new Promise<void>((resolve) => this.socket.write(Buffer.from(text, 'latin1'), () => resolve()));
  }

  /** The next message, without a Date that the proxy has added. Without a body if it answers a HEAD request. */
  async message(toHead = false): Promise<string> {
    let end = -1;
    await this.until(() => (end = messageEnd(this.text, toHead)) !== -1 || this.ended === 'end');
    if (end === -1) end = this.text.length;
    const message = this.text.slice(0, end);
    this.text = this.text.slice(end);
    return withoutAddedDate(message);
  }

  /** Everything until its end; then `ended` says how it ended. */
  async rest(): Promise<string> {
    while (this.ended === undefined) await this.#changed.promise;
    return withoutAddedDate(this.text);
  }
}

/** Where the message ends, read as simply as possible; -1 if it is not complete, or ends with the connection. */
function messageEnd(text: string, toHead: boolean): number {
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  if (headEnd === 3) return -1;
  const head = text.slice(0, headEnd);
  if (toHead || /^HTTP\/1\.1 (?:1..|204|304) /.test(head)) return headEnd;
  if (/\r\nTransfer-Encoding: chunked\r\n/i.test(head)) return chunksEnd(text, headEnd);
  const length = /\r\nContent-Length: ([0-9]+)\r\n/i.exec(head)?.[1];
  if (length === undefined && head.startsWith('HTTP/')) return -1;
  const end = headEnd + Number(length ?? 0);
  return end <= text.length ? end : -1;
}

/** Where the chunks that begin at `from` end, with their trailer fields; -1 if they are not complete. */
function chunksEnd(text: string, from: number): number {
  const sizeEnd = text.indexOf('\r\n', from) + 2;
  if (sizeEnd === 1) return -1;
  const size = Number.parseInt(text.slice(from, sizeEnd), 16);
  if (size > 0) return chunksEnd(text, sizeEnd + size + 2);
  const end = text.startsWith('\r\n', sizeEnd) ? sizeEnd + 2 : text.indexOf('\r\n\r\n', sizeEnd) + 4;
  return end === 3 ? -1 : end;
}

/** A connection that a server has accepted, and its requests so far. */
export interface Served {
  readonly peer: Peer;
  /** Position among the connections of the server. */
  readonly number: number;
  readonly requests: string[];
}

/** What a server answers; undefined: it writes itself. */
export type Answer = (request: string, served: Served) => string | undefined;

export interface TestServer {
  readonly port: number;
  readonly connections: Served[];
  /** All requests, in the order in which they were complete. */
  readonly requests: string[];
}

/** A server on [::1] that answers request after request. */
export async function serve(cleanup: Cleanup, answer: Answer, port = 0): Promise<TestServer> {
  const connections: Served[] = [];
  const requests: string[] = [];
  const opened = await cleanup.listen((socket) => {
    const served: Served = { peer: new Peer(socket), number: connections.length, requests: [] };
    connections.push(served);
    void takeRequests(served);
  }, port);

  async function takeRequests(served: Served): Promise<void> {
    try {
      for (;;) {
        await served.peer.until(() => served.peer.text !== '');
        const request = await served.peer.message();
        served.requests.push(request);
        requests.push(request);
        const said = answer(request, served);
        if (said !== undefined) served.peer.write(said);
      }
    } catch {
      // Its peer has ended the connection.
      served.peer.socket.end();
    }
  }
  return { port: opened, connections, requests };
}

export const ok = (body: string, fields = ''): string =>
  `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

/** The answer with the path of the request and the number of the connection. */
export const echo: Answer = (request, { number }) => ok(`${request.split(' ')[1]} ${number}`);

export const get = (path: string, host = 'a.example', fields = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;

export const post = (path: string, body: string, host = 'a.example', fields = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

export const bodyOf = (message: string): string => message.slice(message.indexOf('\r\n\r\n') + 4);

/** A host of the configuration whose server listens on the port. */
export const hostOf = (name: string, targetPort: number, fields: Partial<HostConfig> = {}): HostConfig =>
  hostAt(name, {
    hostnames: [`${name}.example`],
    services: [{ listener: 'http', targetPort, clientAddress: fields.clientAddress ?? 'none' }],
    ...fields,
  });

/** A proxy to these hosts. */
export async function proxyTo(
  cleanup: Cleanup,
  hosts: readonly HostConfig[],
  proxyFields: Partial<ProxyConfig> = {},
) {
  const port = await freePort();
  const optionsOf = (hosts: readonly HostConfig[], fields: Partial<ProxyConfig> = {}): ProxyOptions => ({
    proxy: {
      ...MAPPED,
      listen: ['127.0.0.1'],
      listeners: [{ name: 'http', port, protocol: 'http' }],
      ...MAPPED,
      handshakeTimeoutMs: 10_000,
      mappedPrefix: '64:ff9b:1:fffe::/96',
      mappedFallback: 'none',
      responseTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      ...proxyFields,
      ...fields,
    },
    hosts,
  });
  const proxy = cleanup.use(await startProxy(optionsOf(hosts), cleanup.context));
  const connect = async () => {
    const socket = await cleanup.connect(port, { noDelay: true });
    return new Peer(socket);
  };
  /** One request on a connection of its own; the answer. */
  const ask = async (request: string): Promise<string> => {
    const client = await connect();
    client.write(request);
    const answer = await client.message(request.startsWith('HEAD '));
    client.socket.destroy();
    return answer;
  };
  return { port, proxy, connect, ask, optionsOf };
}

/** Resolves with the connection's end, whoever ends it. */
export const closed = async (socket: Socket): Promise<void> => {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
};
