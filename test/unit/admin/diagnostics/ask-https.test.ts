/** The question over HTTPS, to servers on loopback with and without HTTP/2. */
import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, type ServerHttp2Stream, createSecureServer } from 'node:http2';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Server, createServer as createTlsServer } from 'node:tls';
import { listen, selfSigned } from '../../servers.ts';
import { askHttps } from '../../../../src/admin/diagnostics/ask-https.ts';
import type { ProbeTarget } from '../../../../src/services/check.ts';

const NAMES = ['example.com', '*.example.com'];
const pair = selfSigned(...NAMES);

async function ask(
  t: TestContext,
  server: Pick<Server, 'on' | 'listen' | 'close' | 'address'>,
  authority?: string,
  timeoutMs = 5000,
) {
  const target: ProbeTarget = {
    service: 'https',
    address: '::1',
    port: await listen(t, server),
    expects: 'https',
    hostnames: ['example.com'],
    clientAddress: 'none',
  };
  const options = { now: new Date(), signal: AbortSignal.timeout(20_000), timeoutMs };
  return askHttps(target, 'example.com', authority, options);
}

const http2Server = (statusOf: (authority: string) => number) =>
  createSecureServer(pair).on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.respond({ ':status': statusOf(headers[':authority'] ?? '') }, { endStream: true });
  });

test('the names of the certificate, and the answer to a request for another name', async (t) => {
  const statusOf = (authority: string) => (authority === 'shop.example.com' ? 421 : 200);
  const seen = { names: NAMES, isHttp2: true };
  assert.deepEqual(await ask(t, http2Server(statusOf), 'shop.example.com'), { ...seen, status: 421 });
  assert.deepEqual(await ask(t, http2Server(statusOf), 'www.example.com'), { ...seen, status: 200 });
  assert.deepEqual(await ask(t, http2Server(statusOf)), { ...seen, status: undefined });
});

test('a server without HTTP/2 is not asked', async (t) => {
  const server = createTlsServer({ ...pair, ALPNProtocols: ['http/1.1'] });
  const expected = { names: NAMES, isHttp2: false, status: undefined };
  assert.deepEqual(await ask(t, server, 'shop.example.com'), expected);
});

test('a server that resets the stream, ends the connection or is silent has no answer', async (t) => {
  const expected = { names: NAMES, isHttp2: true, status: undefined };
  const reset = createSecureServer(pair).on('stream', (stream) => stream.close(8));
  assert.deepEqual(await ask(t, reset, 'shop.example.com'), expected);
  const gone = createSecureServer(pair).on('stream', (stream) => stream.session?.destroy());
  assert.deepEqual(await ask(t, gone, 'shop.example.com'), expected);
  const silent = createSecureServer(pair).on('stream', () => {});
  assert.deepEqual(await ask(t, silent, 'shop.example.com', 300), expected);
});

test('no TLS, or nobody there: there is nothing to say', async (t) => {
  assert.equal(
    await ask(t, createServer((socket) => void socket.end('SSH-2.0-x\r\n')) as unknown as Server),
    undefined,
  );
});
