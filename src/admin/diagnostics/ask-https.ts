/** One question over HTTPS, for checks: which names the certificate has, and what a request for another name is answered. */
import { type TLSSocket, connect as connectTls } from 'node:tls';
import type { HttpsSeen, ProbeTarget } from '../../services/check.ts';
import { namesOf } from './certificate.ts';
import { type ProbeOptions, eventOf, openConnection } from './probe.ts';

/**
 * Connects for `hostname`. If the server speaks HTTP/2 and `authority` is given, requests that name over this connection.
 * undefined if there is no TLS connection. Rejects only if the signal is aborted.
 */
export async function askHttps(
  target: ProbeTarget,
  hostname: string,
  authority: string | undefined,
  options: ProbeOptions,
): Promise<HttpsSeen | undefined> {
  let socket: TLSSocket | undefined;
  try {
    socket = connectTls({
      socket: await openConnection(target, options),
      servername: hostname,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    await eventOf(socket, 'secureConnect', options);
    const names = namesOf(socket.getPeerX509Certificate()?.subjectAltName);
    const isHttp2 = socket.alpnProtocol === 'h2';
    const status =
      isHttp2 && authority !== undefined ? await statusOf(socket, hostname, authority, options) : undefined;
    return { names, isHttp2, status };
  } catch {
    options.signal.throwIfAborted();
    return undefined;
  } finally {
    socket?.destroy();
  }
}

/** The status of a HEAD request; undefined if the server ends the stream or the connection instead, or is silent. */
async function statusOf(
  socket: TLSSocket,
  hostname: string,
  authority: string,
  { timeoutMs, signal }: ProbeOptions,
): Promise<number | undefined> {
  // Loaded only when the check runs.
  const http2 = process.getBuiltinModule('node:http2');
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const session = http2.connect(`https://${hostname}`, { createConnection: () => socket });
  const timer = setTimeout(() => resolve(undefined), timeoutMs);
  const giveUp = () => resolve(undefined);
  signal.addEventListener('abort', giveUp, { once: true });
  session.on('error', giveUp).on('close', giveUp);
  const stream = session.request({
    ':method': 'HEAD',
    ':path': '/',
    ':scheme': 'https',
    ':authority': authority,
    'user-agent': 'Tombolo check',
  });
  stream.on('error', giveUp).on('close', giveUp);
  stream.on('response', (headers) => resolve(headers[':status']));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
    session.destroy();
  }
}
