/**
 * Answers as the cache stores them, and replies made from them. A stored answer belongs to a question, not to a client. ID, RD,
 * CD, the case of the name (which clients randomise against spoofing) and OPT are copied from the query when the reply is sent.
 */
import {
  AA,
  ANCOUNT,
  ARCOUNT,
  CD,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  FLAGS,
  HEADER_BYTES,
  MAX_UDP_BYTES,
  NSCOUNT,
  QDCOUNT,
  QR,
  RA,
  RCODE_MASK,
  RD,
  Rcode,
  TC,
  Type,
  uint16At,
  uint32At,
  writeMessage,
  writeUint16,
  writeUint32,
} from '../../wire/dns-message.ts';
import { negativeTtl } from '../../wire/dns-answer.ts';
import { lowerName } from '../../wire/dns-name.ts';
import { type DnsQuery, OPT_BYTES } from '../../wire/dns-query.ts';
import { type Memory, newMemory } from './memory.ts';

/** The limit of a client without EDNS (RFC 1035 section 4.2.1). */
const PLAIN_UDP_BYTES = 512;
/** RFC 8767 section 4: no answer is kept for longer than a day. */
const MAX_LIFETIME_SECONDS = 86_400;
/** RFC 2308 section 5: negative answers for one to three hours at most. */
const MAX_NEGATIVE_SECONDS = 10_800;
/** RFC 9520 section 3.2: failures for at least 1 s, at most 5 min. */
const FAILURE_SECONDS = 5;

/** The properties of a query, besides its question, that lead to a different answer. */
export const variantOf = (dnssecOk: boolean, flags: number): number =>
  (dnssecOk ? 2 : 0) | ((flags & CD) === 0 ? 0 : 1);

/** The origin of an answer: an upstream, or this resolver. */
export type AnswerOrigin = 'forwarded' | 'synthesized' | 'local' | 'failed';

/** A resolved question. Plain data, because it is sent between threads. */
export interface Answer {
  /** The message without OPT, its name in lower case, padded to a word; then one word with the offset of each TTL. */
  readonly words: Int32Array;
  readonly messageBytes: number;
  readonly ttlCount: number;
  readonly nameBytes: number;
  readonly type: number;
  /** As returned by `variantOf`. */
  readonly variant: number;
  /** 0: must not be cached. */
  readonly lifetimeSeconds: number;
  readonly origin: AnswerOrigin;
}

/** Makes an answer from a message: its records without OPT, its response code, AA for local answers. */
export function makeAnswer(
  question: DnsQuestion,
  variant: number,
  message: DnsMessage,
  origin: AnswerOrigin = 'forwarded',
): Answer {
  const rcode = message.flags & RCODE_MASK;
  const negative = isNegative(question, message);
  const negativeSeconds = negative ? negativeTtl(message) : undefined;
  const clamp = (record: DnsRecord): DnsRecord => {
    // RFC 2181 section 8: a TTL with the top bit set is 0.
    const ttlSeconds = record.ttlSeconds > 0x7fffffff ? 0 : record.ttlSeconds;
    const limit = record.type === Type.SOA && negativeSeconds !== undefined ? negativeSeconds : ttlSeconds;
    return { ...record, ttlSeconds: Math.min(ttlSeconds, limit) };
  };
  const records = (section: readonly DnsRecord[]) =>
    section.filter(({ type }) => type !== Type.OPT && type !== Type.TSIG).map(clamp);
  const kept: DnsMessage = {
    id: 0,
    // AD stays clear: this resolver does not validate, and the upstream's AD arrives over an unprotected path (RFC 6840 section
    // 5.8).
    flags: QR | RA | (origin === 'local' ? AA : 0) | rcode,
    questions: [{ ...question, name: lowerName(question.name) }],
    answers: records(message.answers),
    authorities: records(message.authorities),
    additionals: records(message.additionals),
  };
  const written = writeMessage(kept);
  if (written === undefined) return failure(question, variant);
  const { bytes, ttlOffsets } = written;
  const messageWords = (bytes.length + 3) >> 2;
  const block = newMemory((messageWords + ttlOffsets.length) * 4);
  block.bytes.set(bytes);
  block.words.set(ttlOffsets, messageWords);
  const all = [...kept.answers, ...kept.authorities, ...kept.additionals];
  return {
    words: block.words,
    messageBytes: bytes.length,
    ttlCount: ttlOffsets.length,
    nameBytes: question.name.length,
    type: question.type,
    variant,
    lifetimeSeconds: lifetime(rcode, negative, negativeSeconds, all),
    origin,
  };
}

/** SERVFAIL for a question that could not be resolved. */
export const failure = (question: DnsQuestion, variant: number): Answer =>
  makeAnswer(
    question,
    variant,
    {
      id: 0,
      flags: Rcode.SERVFAIL,
      questions: [question],
      answers: [],
      authorities: [],
      additionals: [],
    },
    'failed',
  );

/** RFC 2308: the name does not exist, or has no record of the type. */
function isNegative(question: DnsQuestion, message: DnsMessage): boolean {
  const rcode = message.flags & RCODE_MASK;
  if (rcode === Rcode.NXDOMAIN) return true;
  const isWanted = ({ type }: DnsRecord) => type === question.type || question.type === Type.ANY;
  return rcode === Rcode.NOERROR && !message.answers.some(isWanted);
}

function lifetime(
  rcode: number,
  negative: boolean,
  negativeSeconds: number | undefined,
  records: readonly DnsRecord[],
): number {
  if (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN) return FAILURE_SECONDS;
  // RFC 2308 section 5: a negative answer without SOA is not cached.
  if (negative && negativeSeconds === undefined) return 0;
  const longest = negative ? MAX_NEGATIVE_SECONDS : MAX_LIFETIME_SECONDS;
  return records.reduce((least, { ttlSeconds }) => Math.min(least, ttlSeconds), longest);
}

/** The maximum size of a UDP reply: the client's offer (RFC 6891 section 6.2.3: at least 512), within our own limit. */
export const udpLimit = (query: DnsQuery): number =>
  Math.min(Math.max(query.udpBytes, PLAIN_UDP_BYTES), MAX_UDP_BYTES);

/**
 * Turns the query at `at` of `target` (a multiple of 4) into its reply, from the answer at `source` word `from`. TTLs are
 * reduced by `ageSeconds`. Returns the reply's length. A reply longer than `limitBytes` is cut to its question with TC set.
 * After the query there must be space for `limitBytes` and a word.
 */
export function writeReply(
  target: Memory,
  at: number,
  query: DnsQuery,
  source: Memory,
  from: number,
  messageBytes: number,
  ttlCount: number,
  ageSeconds: number,
  limitBytes: number,
): number {
  const { bytes, words } = target;
  const optBytes = query.edns ? OPT_BYTES : 0;
  const flagsAt = from * 4 + FLAGS;
  // RD and CD are copied from the query (RFC 1035 section 4.1.1, RFC 4035 section 3.2.2).
  const flags = uint16At(source.bytes, flagsAt) | (query.flags & (RD | CD));
  if (messageBytes + optBytes > limitBytes) {
    return writeBareReply(bytes, at, query, flags | TC);
  }
  writeUint16(bytes, at + FLAGS, flags);
  const to = at >> 2;
  words[to + 1] = source.words[from + 1];
  words[to + 2] = source.words[from + 2];
  // The word in which the question ends contains, before that end, only type and class, which are the same in both.
  const limit = (messageBytes + 3) >> 2;
  for (let i = query.questionEnd >> 2; i < limit; i++) words[to + i] = source.words[from + i];
  if (ageSeconds > 0) {
    for (let i = 0; i < ttlCount; i++) {
      const ttlAt = at + source.words[from + limit + i];
      writeUint32(bytes, ttlAt, Math.max(0, uint32At(bytes, ttlAt) - ageSeconds));
    }
  }
  if (optBytes === 0) return messageBytes;
  writeUint16(bytes, at + ARCOUNT, uint16At(bytes, at + ARCOUNT) + 1);
  return writeOpt(bytes, at, messageBytes, query, 0);
}

/** Turns the query at `at` into an error without records; returns its length. `rcode` may be an extended one when the query has OPT. */
export function writeError(bytes: Uint8Array, at: number, query: DnsQuery, rcode: number): number {
  // The opcode of the query is copied to the reply.
  const flags = QR | RA | (query.flags & (0x7800 | RD | CD)) | (rcode & RCODE_MASK);
  return writeBareReply(bytes, at, query, flags, rcode >> 4);
}

/** Header, question and OPT. If the question could not be read, only the header. */
function writeBareReply(
  bytes: Uint8Array,
  at: number,
  query: DnsQuery,
  flags: number,
  extendedRcode = 0,
): number {
  const hasQuestion = query.questionEnd > 0;
  const edns = hasQuestion && query.edns;
  writeUint16(bytes, at + FLAGS, flags);
  writeUint16(bytes, at + QDCOUNT, hasQuestion ? 1 : 0);
  writeUint16(bytes, at + ANCOUNT, 0);
  writeUint16(bytes, at + NSCOUNT, 0);
  writeUint16(bytes, at + ARCOUNT, edns ? 1 : 0);
  const length = hasQuestion ? query.questionEnd : HEADER_BYTES;
  return edns ? writeOpt(bytes, at, length, query, extendedRcode) : length;
}

/** Our own OPT record (RFC 6891 section 6.1.2) with the client's DO (RFC 3225 section 3). No option of the client is copied. */
function writeOpt(
  bytes: Uint8Array,
  start: number,
  length: number,
  query: DnsQuery,
  extendedRcode: number,
): number {
  const at = start + length;
  bytes[at] = 0;
  bytes[at + 1] = 0;
  bytes[at + 2] = Type.OPT;
  bytes[at + 3] = MAX_UDP_BYTES >> 8;
  bytes[at + 4] = MAX_UDP_BYTES & 255;
  bytes[at + 5] = extendedRcode;
  bytes[at + 6] = 0;
  bytes[at + 7] = query.dnssecOk ? 0x80 : 0;
  bytes[at + 8] = 0;
  bytes[at + 9] = 0;
  bytes[at + 10] = 0;
  return length + OPT_BYTES;
}
