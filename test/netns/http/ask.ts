/** One request through the proxy by node:http, with an agent or a connection of its own. */
import { type Agent, type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { ADDRESSES, type ServerName, hostnameOf } from './addresses.ts';

/** No right answer takes this long, however busy the machine is. */
const TIMEOUT_MS = 30_000;

export interface Question {
  readonly at: ServerName;
  readonly agent?: Agent;
  readonly method?: string;
  readonly path?: string;
  readonly body?: string | Buffer | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** The client's address. */
  readonly from?: string;
  /** A port of the proxy; default: 80. */
  readonly port?: number;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly bytes: Buffer;
  readonly localPort: number | undefined;
}

/** Rejects when the connection fails or the answer is not complete. */
export async function ask(question: Question): Promise<Answered> {
  const {
    at,
    agent,
    method = 'GET',
    path = '/',
    body,
    headers,
    from = ADDRESSES.client,
    port = 80,
  } = question;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const asked = request({
    host: ADDRESSES.proxy,
    port,
    localAddress: from,
    agent: agent ?? false,
    method,
    path,
    headers: { host: hostnameOf(at), ...headers },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  asked.on('response', resolve).on('error', reject);
  asked.end(body);
  const response = await promise;
  const { localPort } = response.socket;
  const bytes = await buffer(response);
  if (!response.complete) throw new Error(`the answer of ${method} ${path} is not complete`);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: bytes.toString('latin1'),
    bytes,
    localPort,
  };
}
