/** Connects to one port of a server like a client that comes through the appliance, and reports what it saw. */
import { type Socket, connect } from 'node:net';
import { type SecureContext, type TLSSocket, connect as connectTls, createSecureContext } from 'node:tls';
import { type Greeting, readSmtpGreeting, readSshBanner, readStatusLine } from '../../wire/greetings.ts';
import { PROXY_V1_UNKNOWN, PROXY_V2_LOCAL } from '../../wire/proxy-protocol.ts';
import type { FindingState } from '../contract/checks.ts';
import type { ProbeFound } from './found.ts';
import { type CertificateFacts, judgeCertificate, namesOf, toCertificateReport } from './certificate.ts';
import type { ProbeTarget } from '../../services/check.ts';
import {
  errorCode,
  explainConnectError,
  explainReadError,
  explainTlsError,
} from '../../services/network-words.ts';
import { type Text, sentences, say } from '../../texts/text.ts';

export interface ProbeOptions {
  readonly now: Date;
  readonly signal: AbortSignal;
  /** For each step: connection, TLS handshake, answer. */
  readonly timeoutMs: number;
}

const HEADERS = {
  none: undefined,
  mapped: undefined,
  'proxy-v1': PROXY_V1_UNKNOWN,
  'proxy-v2': PROXY_V2_LOCAL,
};
/** What a server answers to a request that it considers malformed, or meant for another server. */
const SUSPICIOUS_STATUS = new Set([400, 421]);

/** Made once: loading the authorities that Node trusts takes time and memory. */
let sharedContext: SecureContext | undefined;

/** The reports of one port, TCP first. Rejects only if `signal` is aborted. */
export async function probeTarget(target: ProbeTarget, options: ProbeOptions): Promise<ProbeFound[]> {
  const report = reporter(target);
  const where = `[${target.address}]:${target.port}`;
  const startedMs = performance.now();
  let socket: Socket;
  try {
    socket = await openConnection(target, options);
  } catch (error) {
    options.signal.throwIfAborted();
    return [report('tcp', 'fail', explainConnectError(error, where))];
  }
  const connected = report('tcp', 'ok', say('Takes connections.'), { latencyMs: since(startedMs) });
  try {
    return [connected, ...(await PROBES[target.expects](socket, target, options))];
  } finally {
    socket.destroy();
  }
}

/** The report for a server at an own address: no client reaches it through the appliance, so nothing is probed. */
export const ownAddressReport = (target: ProbeTarget): ProbeFound =>
  reporter(target)(
    'tcp',
    'fail',
    say('{address} is an address of this appliance itself: the appliance never connects to it.', {
      address: target.address,
    }),
  );

type Probe = (socket: Socket, target: ProbeTarget, options: ProbeOptions) => Promise<ProbeFound[]>;

const PROBES: Readonly<Record<ProbeTarget['expects'], Probe>> = {
  http: async (socket, target, options) => [await askHttp(socket, target, options)],
  ssh: async (socket, target, options) => [await hearSsh(socket, target, options)],
  https: (socket, target, options) => probeTls(socket, target, options, askHttp),
  smtps: (socket, target, options) => probeTls(socket, target, options, hearSmtp),
  tls: (socket, target, options) => probeTls(socket, target, options, undefined),
};

/** A handshake for the main name, and the protocol inside it. For HTTPS also a handshake for each further name. */
async function probeTls(
  socket: Socket,
  target: ProbeTarget,
  options: ProbeOptions,
  inside: ((socket: Socket, target: ProbeTarget, options: ProbeOptions) => Promise<ProbeFound>) | undefined,
): Promise<ProbeFound[]> {
  const [hostname, ...others] = target.hostnames;
  if (hostname === undefined) {
    const detail = say('Only wildcard names lead here, so there is no name to ask for.');
    return [reporter(target)('tls', 'unknown', detail)];
  }
  const first = await shakeHands(socket, hostname, target, options);
  const reports = [first.report];
  if (inside !== undefined && first.socket !== undefined)
    reports.push(await inside(first.socket, target, options));
  first.socket?.destroy();
  // Clients of the other protocols use one name; browsers use each of them. A silent server would be silent for each name, and
  // would take the full timeout each time.
  for (const other of target.expects === 'https' && !first.isSilent ? others : []) {
    reports.push(await probeFurtherName(other, target, options));
  }
  return reports;
}

async function probeFurtherName(
  hostname: string,
  target: ProbeTarget,
  options: ProbeOptions,
): Promise<ProbeFound> {
  try {
    using connection = disposable(await openConnection(target, options));
    const { report, socket } = await shakeHands(connection.socket, hostname, target, options);
    socket?.destroy();
    return report;
  } catch (error) {
    options.signal.throwIfAborted();
    const detail = explainConnectError(error, `[${target.address}]:${target.port}`);
    return reporter(target)('tls', 'fail', detail, { hostname });
  }
}

interface Handshake {
  readonly report: ProbeFound;
  /** undefined if the handshake failed. */
  readonly socket: TLSSocket | undefined;
  /** It failed because there was no answer. */
  readonly isSilent: boolean;
}

async function shakeHands(
  connection: Socket,
  hostname: string,
  target: ProbeTarget,
  options: ProbeOptions,
): Promise<Handshake> {
  const report = reporter(target);
  const startedMs = performance.now();
  sharedContext ??= createSecureContext();
  const socket = connectTls({
    socket: connection,
    servername: hostname,
    secureContext: sharedContext,
    // Checked here: a wrong certificate is a finding, not an error.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(target.expects === 'https' ? { ALPNProtocols: ['http/1.1'] } : {}),
  });
  try {
    await eventOf(socket, 'secureConnect', options);
  } catch (error) {
    options.signal.throwIfAborted();
    socket.destroy();
    const detail = sentences(explainTlsError(error, hostname), headerHint(target));
    const isSilent = errorCode(error) === 'ETIMEDOUT';
    return { report: report('tls', 'fail', detail, { hostname }), socket: undefined, isSilent };
  }
  const isSilent = false;
  const latencyMs = since(startedMs);
  const facts = factsOf(socket, target.hostnames);
  if (facts === undefined) {
    const detail = say('It shows no certificate.');
    return { report: report('tls', 'fail', detail, { hostname, latencyMs }), socket, isSilent };
  }
  const alternatives = target.expects === 'https' ? [] : target.hostnames;
  const { state, detail, matches } = judgeCertificate(facts, hostname, alternatives, options.now);
  const certificate = toCertificateReport(facts, matches);
  return { report: report('tls', state, detail, { hostname, latencyMs, certificate }), socket, isSilent };
}

function factsOf(socket: TLSSocket, hostnames: readonly string[]): CertificateFacts | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const isSelfSigned = certificate.checkIssued(certificate);
  return {
    names: namesOf(certificate.subjectAltName),
    issuer: certificate.issuer.split('\n').at(-1) ?? '',
    validFrom: certificate.validFromDate,
    expiresAt: certificate.validToDate,
    // An expired certificate is not "authorized" either, whoever signed it. Its date reports that.
    trust: socket.authorized || isExpiry(socket) ? 'trusted' : isSelfSigned ? 'self-signed' : 'untrusted',
    matching: hostnames.filter((name) => certificate.checkHost(name) !== undefined),
  };
}

const isExpiry = ({ authorizationError }: TLSSocket) =>
  /CERT_(HAS_EXPIRED|NOT_YET_VALID)/.test(String(authorizationError));

async function askHttp(socket: Socket, target: ProbeTarget, options: ProbeOptions): Promise<ProbeFound> {
  const report = reporter(target);
  const [hostname] = target.hostnames;
  if (hostname === undefined) {
    return report('http', 'unknown', say('Only wildcard names lead here, so there is no name to ask for.'));
  }
  const startedMs = performance.now();
  socket.write(
    `HEAD / HTTP/1.1\r\nHost: ${hostname}\r\nUser-Agent: Tombolo health check\r\nConnection: close\r\n\r\n`,
  );
  try {
    const answer = await readGreeting(socket, readStatusLine, options);
    const latencyMs = since(startedMs);
    if (answer === undefined) {
      return report('http', 'fail', sentences(say('It answers, but not with HTTP.'), headerHint(target)), {
        hostname,
        latencyMs,
      });
    }
    const { status, reason } = answer;
    const said = `${status} ${reason}`.trim();
    if (status >= 500)
      return report('http', 'fail', say('The site answers with an error: {said}.', { said }), {
        hostname,
        latencyMs,
      });
    if (SUSPICIOUS_STATUS.has(status)) {
      return report(
        'http',
        'warn',
        sentences(say('It refuses the request: {said}.', { said }), headerHint(target)),
        {
          hostname,
          latencyMs,
        },
      );
    }
    return report('http', 'ok', say('Answers {said}.', { said }), { hostname, latencyMs });
  } catch (error) {
    options.signal.throwIfAborted();
    const detail = sentences(explainReadError(error, say('HTTP answer')), headerHint(target));
    return report('http', 'fail', detail, { hostname });
  }
}

async function hearSsh(socket: Socket, target: ProbeTarget, options: ProbeOptions): Promise<ProbeFound> {
  const report = reporter(target);
  const startedMs = performance.now();
  try {
    const banner = await readGreeting(socket, readSshBanner, options);
    const latencyMs = since(startedMs);
    if (banner === undefined)
      return report('ssh', 'fail', say('It answers, but not with SSH.'), { latencyMs });
    return report('ssh', 'ok', say('Greets as {software}.', { software: banner.software }), { latencyMs });
  } catch (error) {
    options.signal.throwIfAborted();
    return report('ssh', 'fail', explainReadError(error, say('SSH greeting')));
  }
}

async function hearSmtp(socket: Socket, target: ProbeTarget, options: ProbeOptions): Promise<ProbeFound> {
  const report = reporter(target);
  const startedMs = performance.now();
  try {
    const greeting = await readGreeting(socket, readSmtpGreeting, options);
    const latencyMs = since(startedMs);
    socket.write('QUIT\r\n');
    if (greeting === undefined)
      return report('smtp', 'fail', say('It answers, but not with SMTP.'), { latencyMs });
    const said = `${greeting.code} ${greeting.text}`.trim();
    return greeting.code === 220
      ? report('smtp', 'ok', say('Greets with {said}.', { said }), { latencyMs })
      : report('smtp', 'fail', say('It takes no mail: {said}.', { said }), { latencyMs });
  } catch (error) {
    options.signal.throwIfAborted();
    return report('smtp', 'fail', explainReadError(error, say('SMTP greeting')));
  }
}

/** The connection. The PROXY header that the server expects has already been sent. */
export async function openConnection(target: ProbeTarget, options: ProbeOptions): Promise<Socket> {
  const socket = connect({ host: target.address, port: target.port, noDelay: true });
  try {
    await eventOf(socket, 'connect', options);
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const header = HEADERS[target.clientAddress];
  if (header !== undefined) socket.write(header);
  return socket;
}

/** Resolves with the event. Rejects with the socket's error, with ECONNRESET if it is closed, with ETIMEDOUT after the timeout. */
export function eventOf(socket: Socket, event: string, { timeoutMs, signal }: ProbeOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  watch(socket, reject, timeoutMs, signal, promise);
  socket.once(event, () => resolve());
  return promise;
}

function readGreeting<T>(
  socket: Socket,
  read: (text: string) => Greeting<T>,
  { timeoutMs, signal }: ProbeOptions,
): Promise<T | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  watch(socket, reject, timeoutMs, signal, promise);
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    const greeting = read(text);
    if (greeting !== 'incomplete') resolve(greeting);
  });
  return promise;
}

function watch(
  socket: Socket,
  reject: (error: unknown) => void,
  timeoutMs: number,
  signal: AbortSignal,
  settled: Promise<unknown>,
): void {
  const fail = (code: string) => () => reject(Object.assign(new Error(code), { code }));
  const timer = setTimeout(fail('ETIMEDOUT'), timeoutMs);
  const aborted = () => reject(signal.reason);
  const closed = fail('ECONNRESET');
  socket.on('error', reject).on('end', closed).on('close', closed);
  signal.addEventListener('abort', aborted, { once: true });
  if (signal.aborted) aborted();
  const done = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', aborted);
    socket.off('end', closed).off('close', closed);
    // The error listener stays: an error may still come while the socket is destroyed.
  };
  settled.then(done, done);
}

/** The usual cause is a PROXY header that one side uses and the other does not. */
const headerHint = ({ clientAddress }: ProbeTarget): Text =>
  HEADERS[clientAddress] === undefined
    ? say('If it expects the PROXY protocol, set clientAddress of this server.')
    : say('Does it expect the PROXY protocol (clientAddress is "{clientAddress}")?', { clientAddress });

const since = (startedMs: number): number => Math.round((performance.now() - startedMs) * 10) / 10;

const disposable = (socket: Socket) => ({ socket, [Symbol.dispose]: () => void socket.destroy() });

const reporter =
  ({ service, address, port }: ProbeTarget) =>
  (
    name: ProbeFound['name'],
    state: FindingState,
    detail: Text,
    more: Partial<Pick<ProbeFound, 'hostname' | 'latencyMs' | 'certificate'>> = {},
  ): ProbeFound => ({
    name,
    service,
    address,
    port,
    hostname: null,
    state,
    latencyMs: null,
    detail,
    certificate: null,
    ...more,
  });
