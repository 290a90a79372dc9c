/** One health check: connects like a client that comes through the appliance, and looks at what comes back. */
import { type Socket, connect } from 'node:net';
import { type SecureContext, connect as connectTls, createSecureContext } from 'node:tls';
import type { HealthReason } from '../../../runtime/address-health.ts';
import { type Text, say } from '../../../texts/text.ts';
import { MAX_GREETING_BYTES, readStatusLine } from '../../../wire/greetings.ts';
import { PROXY_V1_UNKNOWN, PROXY_V2_LOCAL } from '../../../wire/proxy-protocol.ts';
import { errorCode, explainConnectError, explainReadError, explainTlsError } from '../../network-words.ts';
import type { HealthTarget } from './targets.ts';

/** late: this process was too busy to see the answer in time, which says nothing about the server. */
export type HealthResult =
  | { readonly kind: 'ok'; readonly latencyMs: number }
  | { readonly kind: 'fail'; readonly reason: HealthReason; readonly detail: Text }
  | { readonly kind: 'late' };

/** A lost SYN is repeated after a second (RFC 6298 section 2.1). */
const TIMEOUT_MS = 3000;
/** A timer that fires so much too late shows that the process was busy. */
const LATE_MS = 500;
const GOODBYE_MS = 1000;

/** A server that expects a PROXY header refuses a connection without one. `mapped`: nobody is mapped, so it is the own address. */
const HEADERS = {
  none: undefined,
  mapped: undefined,
  'proxy-v1': PROXY_V1_UNKNOWN,
  'proxy-v2': PROXY_V2_LOCAL,
};

export type CheckTarget = Pick<
  HealthTarget,
  'address' | 'port' | 'clientAddress' | 'isTls' | 'hostname' | 'request'
>;

type Step = 'connect' | 'tls' | 'answer';

/** Never rejects. If `signal` is aborted, the result is "late". */
export function checkAddress(
  target: CheckTarget,
  signal: AbortSignal,
  timeoutMs = TIMEOUT_MS,
): Promise<HealthResult> {
  const { promise, resolve } = Promise.withResolvers<HealthResult>();
  const { address, port, clientAddress, isTls, request } = target;
  const startedMs = performance.now();
  let step: Step = 'connect';
  const connection = connect({ host: address, port, noDelay: true });
  const sockets: Socket[] = [connection];

  const fail = (error: unknown) => resolve(failureAt(step, error, target));
  const timer = setTimeout(() => {
    const lateMs = performance.now() - startedMs - timeoutMs;
    // What has arrived meanwhile is looked at first.
    setImmediate(() => (lateMs > LATE_MS ? resolve({ kind: 'late' }) : fail({ code: 'ETIMEDOUT' })));
  }, timeoutMs);
  const abort = () => resolve({ kind: 'late' });
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();

  const isWell = () => resolve({ kind: 'ok', latencyMs: tenths(performance.now() - startedMs) });
  const watch = (socket: Socket) =>
    socket
      .on('error', fail)
      .on('end', () => fail({ code: 'ECONNRESET' }))
      .on('close', () => fail({ code: 'ECONNRESET' }));

  function onConnect(): void {
    const header = HEADERS[clientAddress];
    if (header !== undefined) connection.write(header);
    if (isTls) shakeHands();
    else if (request !== undefined) ask(connection);
    else isWell();
  }

  function shakeHands(): void {
    step = 'tls';
    const socket = connectTls({
      socket: connection,
      ...(target.hostname !== undefined && { servername: target.hostname }),
      secureContext: lenientContext(),
      // A certificate that is not valid is a matter of another check.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ALPNProtocols: request === undefined ? ['h2', 'http/1.1'] : ['http/1.1'],
    });
    sockets.push(socket);
    watch(socket).once('secureConnect', () => (request === undefined ? isWell() : ask(socket)));
  }

  function ask(socket: Socket): void {
    step = 'answer';
    const { host, path, expect } = request!;
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text = withoutInterim(text + bytes.toString('latin1'));
      const answer = readStatusLine(text);
      if (answer === 'incomplete' || (answer !== undefined && answer.status < 200)) return;
      if (answer === undefined)
        resolve({ kind: 'fail', reason: 'not-http', detail: say('It answers, but not with HTTP.') });
      else if (isExpected(answer.status, expect)) isWell();
      else resolve({ kind: 'fail', reason: 'status', detail: statusText(answer) });
    });
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: Tombolo health check\r\nAccept: */*\r\nConnection: close\r\n\r\n`,
    );
  }

  watch(connection).once('connect', onConnect);
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    part(sockets);
  });
}

/** Says goodbye in order, so that servers have nothing to log. The error listeners stay: an error may still come. */
function part(sockets: readonly Socket[]): void {
  const last = sockets[sockets.length - 1];
  const destroy = () => void sockets.forEach((socket) => socket.destroy());
  last.removeAllListeners('data').resume();
  if (last.connecting) return destroy();
  last.end(destroy);
  setTimeout(destroy, GOODBYE_MS).unref();
}

/** The text behind complete interim answers (1xx, RFC 9110 section 15.2), which may come before the answer. */
function withoutInterim(text: string): string {
  const end = /^HTTP\/1\.[0-9] 1/.test(text) ? text.indexOf('\r\n\r\n') : -1;
  if (end !== -1) return withoutInterim(text.slice(end + 4));
  return text.slice(0, MAX_GREETING_BYTES);
}

function failureAt(step: Step, error: unknown, { address, port, hostname }: CheckTarget): HealthResult {
  const code = errorCode(error);
  const detail =
    step === 'connect'
      ? explainConnectError(error, `[${address}]:${port}`)
      : step === 'tls'
        ? explainTlsError(error, hostname ?? address)
        : explainReadError(error, say('HTTP answer'));
  return { kind: 'fail', reason: REASONS[code] ?? (step === 'tls' ? 'tls' : 'other'), detail };
}

const REASONS: Readonly<Record<string, HealthReason>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  EACCES: 'unreachable',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
};

const isExpected = (status: number, expect: readonly string[]): boolean =>
  expect.includes(String(status)) || expect.includes(`${Math.floor(status / 100)}xx`);

const statusText = ({ status, reason }: { readonly status: number; readonly reason: string }): Text =>
  say('It answers {said}, which is not expected.', { said: `${status} ${reason}`.trim() });

const tenths = (ms: number): number => Math.round(ms * 10) / 10;

/** Loads no authorities, and takes what old servers offer: only whether the handshake completes counts. */
let context: SecureContext | undefined;
const lenientContext = (): SecureContext =>
  (context ??= createSecureContext({ ca: [], minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }));
