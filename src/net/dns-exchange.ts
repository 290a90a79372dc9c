/**
 * One query to one upstream. Over UDP an answer counts only if source address and port, ID, question and the random case of its
 * name all match (RFC 5452 section 9.1). The socket is new and connected, so its port is random and the kernel drops datagrams
 * from other sources.
 */
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import net from 'node:net';
import type { SocketAddress } from '../os/socket-address.ts';
import {
  CD,
  type DnsMessage,
  type DnsQuestion,
  OPCODE_MASK,
  QR,
  RCODE_MASK,
  RD,
  Rcode,
  TC,
  Type,
  readMessage,
  uint16At,
  writeMessage,
  writeUint16,
  MAX_UDP_BYTES,
} from '../wire/dns-message.ts';
import { namesEqual } from '../wire/dns-name.ts';
import { formatIpAddress } from '../wire/ip-address.ts';

/** What a service that asks upstreams counts, in its own table. */
export interface UpstreamCounterTable {
  readonly 'upstream-queries': string;
  readonly 'upstream-tcp': string;
  readonly 'upstream-timeouts': string;
  readonly 'upstream-errors': string;
  readonly 'upstream-ourselves': string;
  readonly 'upstream-ignored': string;
}

/** The part of its counters that is needed here. */
export interface UpstreamCounters {
  readonly values: Float64Array;
  readonly index: { readonly [Name in keyof UpstreamCounterTable]: number };
}

/** A question, with the flags of the client that are sent to the upstream. */
export interface UpstreamQuestion extends DnsQuestion {
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
}

/**
 * reply: an answer to this question. truncated: the full answer needs TCP. other-case: the name does not have our random case,
 * which a forger would not know either. timeout: no answer arrived. failed: the query could not be sent, or the connection
 * broke.
 */
export type Outcome =
  | { readonly kind: 'reply'; readonly message: DnsMessage }
  | { readonly kind: 'truncated' | 'other-case' | 'timeout' | 'failed' };

interface ExchangeOptions {
  readonly upstream: SocketAddress;
  readonly question: UpstreamQuestion;
  /** Whether to add an OPT record: not for upstreams that fail on it. */
  readonly edns: boolean;
  /** Whether to randomise the case of the name and require the same case in the answer: not for upstreams that change it. */
  readonly randomCase: boolean;
  readonly timeoutMs: number;
  /** Ends the exchange early, with the result "failed". */
  readonly signal: AbortSignal;
  readonly counters: UpstreamCounters;
}

interface Query {
  readonly bytes: Uint8Array;
  readonly id: number;
  /** As sent. */
  readonly question: DnsQuestion;
  readonly randomCase: boolean;
}

/** The query on the wire: random ID, random case, RD, the client's CD and DO, no option (so no client subnet). */
function buildQuery({ question, edns, randomCase }: ExchangeOptions): Query {
  const random = randomBytes(2 + question.name.length);
  const id = uint16At(random, 0);
  const sent: DnsQuestion = {
    name: question.name.map((byte, i) =>
      randomCase && isLetter(byte) ? byte ^ (random[i + 2] & 0x20) : byte,
    ),
    type: question.type,
    class: question.class,
  };
  const opt = {
    name: Uint8Array.of(0),
    type: Type.OPT,
    class: MAX_UDP_BYTES,
    ttlSeconds: question.dnssecOk ? 0x8000 : 0,
    data: new Uint8Array(),
  };
  const written = writeMessage({
    id,
    flags: RD | (question.checkingDisabled ? CD : 0),
    questions: [sent],
    answers: [],
    authorities: [],
    additionals: edns ? [opt] : [],
  });
  if (written === undefined) throw new Error('buildQuery: a single question is never too long');
  return { bytes: written.bytes, id, question: sent, randomCase };
}

const isLetter = (byte: number) => (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);

/** Classifies a received message for a query: undefined when it is not an answer to it. */
function judge(bytes: Uint8Array, query: Query): Outcome | undefined {
  const message = readMessage(bytes);
  if (message === undefined || message.id !== query.id) return undefined;
  if ((message.flags & (QR | OPCODE_MASK)) !== QR || message.questions.length > 1) return undefined;
  // A server that cannot read a query may leave out the question.
  if (message.questions.length === 0)
    return (message.flags & RCODE_MASK) === Rcode.FORMERR ? { kind: 'reply', message } : undefined;
  const [{ name, type, class: qclass }] = message.questions;
  const asked = query.question;
  if (type !== asked.type || qclass !== asked.class || !namesEqual(name, asked.name)) return undefined;
  if (query.randomCase && name.some((byte, i) => byte !== asked.name[i])) return { kind: 'other-case' };
  return (message.flags & TC) === 0 ? { kind: 'reply', message } : { kind: 'truncated' };
}

/** Sends a query over UDP from a new socket. Never rejects. */
export function exchangeUdp(options: ExchangeOptions): Promise<Outcome> {
  const { upstream, timeoutMs, signal, counters } = options;
  const { values, index } = counters;
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const address = formatIpAddress(upstream.address);
  const query = buildQuery(options);
  const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
  let done = false;
  const finish = (outcome: Outcome) => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    socket.close();
    resolve(outcome);
  };
  const abort = () => finish({ kind: 'failed' });
  const timer = setTimeout(() => finish({ kind: 'timeout' }), timeoutMs);
  signal.addEventListener('abort', abort);
  // ICMP errors (port or host unreachable) arrive here too, so there is no need to wait for the time-out.
  socket.on('error', abort);
  socket.on('message', (bytes) => {
    const outcome = judge(bytes, query);
    if (outcome === undefined) values[index['upstream-ignored']]++;
    else finish(outcome);
  });
  values[index['upstream-queries']]++;
  // Without a route (no cable yet) the connect itself fails, and Node reports it here instead of by an 'error' event.
  socket.connect(upstream.port, address, (failure?: Error) => {
    if (failure) abort();
    else if (!done) socket.send(query.bytes, (error) => error !== null && abort());
  });
  return promise;
}

/**
 * Sends a query over its own TCP connection (RFC 7766). Never rejects. A truncated answer counts as a failure: there is no way
 * to get the rest, and an incomplete answer proves nothing.
 */
export function exchangeTcp(options: ExchangeOptions): Promise<Outcome> {
  const { upstream, timeoutMs, signal, counters } = options;
  const { values, index } = counters;
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const query = buildQuery(options);
  const socket = net.connect({ host: formatIpAddress(upstream.address), port: upstream.port, noDelay: true });
  const finish = (outcome: Outcome) => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    socket.destroy();
    resolve(outcome);
  };
  const abort = () => finish({ kind: 'failed' });
  const timer = setTimeout(() => finish({ kind: 'timeout' }), timeoutMs);
  signal.addEventListener('abort', abort);
  socket.on('error', abort);
  socket.on('close', abort);
  values[index['upstream-tcp']]++;
  const framed = new Uint8Array(2 + query.bytes.length);
  writeUint16(framed, 0, query.bytes.length);
  framed.set(query.bytes, 2);
  socket.on('connect', () => socket.write(framed));
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
    const message = readMessage(received.subarray(2, 2 + received.readUInt16BE(0)));
    if (message !== undefined && answers(message, query) && (message.flags & TC) === 0)
      finish({ kind: 'reply', message });
    else {
      values[index['upstream-ignored']]++;
      abort();
    }
  });
  return promise;
}

/** An off-path attacker cannot forge TCP: ID and question must match, the case of the name need not. */
function answers(message: DnsMessage, { id, question }: Query): boolean {
  const [asked] = message.questions;
  return (
    message.id === id &&
    (message.flags & (QR | OPCODE_MASK)) === QR &&
    message.questions.length === 1 &&
    asked.type === question.type &&
    asked.class === question.class &&
    namesEqual(asked.name, question.name)
  );
}
