/** Requests to the API of an appliance, over HTTP, or over HTTPS with a certificate that is identified by its fingerprint. */
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';

// An import would also load undici: 55 ms (admin/listeners.ts).
const { request: httpRequest } = process.getBuiltinModule('node:http');

export interface Target {
  readonly url: URL;
  readonly token: string | undefined;
  /** SHA-256 of the certificate, "AB:CD:..."; undefined: it must be signed by an authority that this machine trusts. */
  readonly fingerprint: string | undefined;
}

/** The appliance refused the request, or could not be reached (status 0). */
export class RequestError extends Error {
  readonly status: number;
  readonly answer: unknown;
  constructor(status: number, message: string, answer?: unknown, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.answer = answer;
  }
}

export interface Client {
  /** The JSON of a response. Rejects with a RequestError. */
  call<Answer>(method: 'GET' | 'POST', path: string, body?: unknown, timeoutMs?: number): Promise<Answer>;
  /** The bytes of a response. */
  bytes(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Buffer>;
  /** Calls back for each event of a stream, until it ends or `signal` aborts. */
  stream(path: string, onEvent: (event: string, data: unknown) => void, signal: AbortSignal): Promise<void>;
}

const ANSWER_TIMEOUT_MS = 120_000;

export function createClient(target: Target): Client {
  const { url, token } = target;

  async function send(
    method: string,
    path: string,
    body: unknown,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const options: RequestOptions = {
      method,
      path,
      host: hostOf(url),
      port: portOf(url),
      ...(signal !== undefined && { signal }),
      headers: {
        host: url.host,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(payload !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(payload),
        }),
      },
    };
    try {
      // The certificate is checked before any byte of the request, which contains the token, is sent.
      const socket = url.protocol === 'https:' ? await connectTls(target) : undefined;
      return await new Promise<IncomingMessage>((resolve, reject) => {
        const request = httpRequest(
          { ...options, ...(socket !== undefined && { createConnection: () => socket }) },
          resolve,
        );
        request.setTimeout(timeoutMs, () => request.destroy(new Error('no answer in time')));
        request.on('error', reject);
        request.end(payload);
      });
    } catch (cause) {
      throw new RequestError(0, `could not reach ${url.origin}: ${(cause as Error).message}`, undefined, {
        cause,
      });
    }
  }

  async function bytes(
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
    timeoutMs = ANSWER_TIMEOUT_MS,
  ): Promise<Buffer> {
    const response = await send(method, path, body, timeoutMs);
    const content = await collect(response);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return content;
    throw refusal(status, content.toString('utf8'), response.headers.location);
  }

  return {
    bytes,
    async call<Answer>(method: 'GET' | 'POST', path: string, body?: unknown, timeoutMs?: number) {
      const content = await bytes(method, path, body, timeoutMs);
      return (content.length === 0 ? null : JSON.parse(content.toString('utf8'))) as Answer;
    },
    async stream(path, onEvent, signal) {
      const response = await send('GET', path, undefined, ANSWER_TIMEOUT_MS, signal);
      const status = response.statusCode ?? 0;
      if (status !== 200) throw refusal(status, (await collect(response)).toString('utf8'), undefined);
      let text = '';
      response.setEncoding('utf8');
      try {
        for await (const chunk of response) {
          text += chunk as string;
          const blocks = text.split('\n\n');
          text = blocks.pop() ?? '';
          for (const block of blocks) readBlock(block, onEvent);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}

const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');
const portOf = ({ port, protocol }: URL): number =>
  port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);

async function connectTls({ url, fingerprint }: Target): Promise<TLSSocket> {
  const host = hostOf(url);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = tlsConnect({
    host,
    port: portOf(url),
    ...(/[a-z]/i.test(host) && !host.includes(':') && { servername: host }),
    rejectUnauthorized: fingerprint === undefined,
  });
  socket.once('error', reject);
  socket.once('secureConnect', resolve);
  await promise;
  socket.off('error', reject);
  const seen = socket.getPeerX509Certificate()?.fingerprint256;
  if (fingerprint !== undefined && seen !== fingerprint) {
    socket.destroy();
    throw new Error(`its certificate has the fingerprint ${seen}, expected ${fingerprint}`);
  }
  return socket;
}

/** The fingerprint of the first certificate in a PEM file. Throws when there is none. */
export const fingerprintOf = (pem: string): string => {
  const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(pem);
  if (certificate === null) throw new Error('there is no certificate in it');
  return new X509Certificate(certificate[0]).fingerprint256;
};

async function collect(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function refusal(status: number, text: string, location: string | undefined): RequestError {
  if (status >= 300 && status < 400) {
    return new RequestError(status, `the appliance wants to be asked at ${location}: give that with --url`);
  }
  try {
    const answer = JSON.parse(text) as { message?: unknown };
    if (typeof answer.message === 'string') return new RequestError(status, answer.message, answer);
  } catch {
    // It is not an appliance, or has a different version.
  }
  return new RequestError(status, `unexpected answer with status ${status}: ${text.slice(0, 200)}`);
}

function readBlock(block: string, onEvent: (event: string, data: unknown) => void): void {
  const fields = new Map(block.split('\n').map((line) => line.split(/: ?(.*)/s) as [string, string]));
  const [event, data] = [fields.get('event'), fields.get('data')];
  if (event !== undefined && data !== undefined) onEvent(event, JSON.parse(data));
}
