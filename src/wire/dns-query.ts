/** A client's query, read in place without allocating: the input of the resolver's fast path. */
import { MAX_NAME_BYTES } from './dns-name.ts';
import {
  ANCOUNT,
  ARCOUNT,
  FLAGS,
  HEADER_BYTES,
  NSCOUNT,
  OPCODE_MASK,
  QDCOUNT,
  QR,
  Type,
  uint16At,
} from './dns-message.ts';

/** The kind of a datagram or TCP message. */
export const QueryKind = {
  /** A well-formed query with one question. */
  QUERY: 0,
  /** Shorter than a header: no reply is possible. */
  SHORT: 1,
  /** QR is set. Never answered: otherwise two servers could answer each other for ever. */
  RESPONSE: 2,
  /** An opcode other than QUERY. */
  OPCODE: 3,
  /** Any other error. */
  MALFORMED: 4,
} as const;

/** Reused for each query; offsets count from the start of the message. */
export interface DnsQuery {
  flags: number;
  /** Length of the question name with its root byte; the name starts after the header. */
  nameBytes: number;
  /** End of the question; 0 when there is none that could be copied into a reply. */
  questionEnd: number;
  type: number;
  class: number;
  /** Whether there is an OPT record (RFC 6891). The three below are its fields, 0 and false without it. */
  edns: boolean;
  ednsVersion: number;
  /** The UDP payload size that the client offers. */
  udpBytes: number;
  dnssecOk: boolean;
}

export const newQuery = (): DnsQuery => ({
  flags: 0,
  nameBytes: 0,
  questionEnd: 0,
  type: 0,
  class: 0,
  edns: false,
  ednsVersion: 0,
  udpBytes: 0,
  dnssecOk: false,
});

/** Size of an OPT record without options. */
export const OPT_BYTES = 11;
/** A query may have OPT and a signature, and nothing more. */
const MAX_ADDITIONAL = 4;

/**
 * Reads the message of `length` bytes at `start` into `query` and returns a QueryKind. Strict (RFC 9619: exactly one question):
 * counts must agree with the bytes, the name must be uncompressed, OPT unique and at the root (RFC 6891 section 6.1.1). With
 * MALFORMED and OPCODE only `flags` and `questionEnd` are set.
 */
export function readQuery(bytes: Uint8Array, start: number, length: number, query: DnsQuery): number {
  query.questionEnd = 0;
  if (length < HEADER_BYTES) return QueryKind.SHORT;
  query.flags = uint16At(bytes, start + FLAGS);
  if ((query.flags & QR) !== 0) return QueryKind.RESPONSE;
  if ((query.flags & OPCODE_MASK) !== 0) return QueryKind.OPCODE;
  if (
    uint16At(bytes, start + QDCOUNT) !== 1 ||
    uint16At(bytes, start + ANCOUNT) !== 0 ||
    uint16At(bytes, start + NSCOUNT) !== 0
  ) {
    return QueryKind.MALFORMED;
  }

  const end = start + length;
  let at = start + HEADER_BYTES;
  for (;;) {
    if (at >= end) return QueryKind.MALFORMED;
    const label = bytes[at];
    at += label + 1;
    if (label === 0) break;
    if (label > 63) return QueryKind.MALFORMED;
  }
  const nameBytes = at - start - HEADER_BYTES;
  if (nameBytes > MAX_NAME_BYTES || at + 4 > end) return QueryKind.MALFORMED;
  query.nameBytes = nameBytes;
  query.type = uint16At(bytes, at);
  query.class = uint16At(bytes, at + 2);
  at += 4;
  query.questionEnd = at - start;

  query.edns = false;
  query.ednsVersion = 0;
  query.udpBytes = 0;
  query.dnssecOk = false;
  const additional = uint16At(bytes, start + ARCOUNT);
  if (additional === 0) return at === end ? QueryKind.QUERY : QueryKind.MALFORMED;
  return readAdditional(bytes, at, end, additional, query);
}

function readAdditional(
  bytes: Uint8Array,
  offset: number,
  end: number,
  count: number,
  query: DnsQuery,
): number {
  if (count > MAX_ADDITIONAL) return QueryKind.MALFORMED;
  let at = offset;
  for (let i = 0; i < count; i++) {
    const ownerAt = at;
    while (at < end && bytes[at] > 0 && bytes[at] < 64) at += bytes[at] + 1;
    // After the question, a name may end in a pointer.
    at += at < end && bytes[at] >= 0xc0 ? 2 : 1;
    if (at + 10 > end) return QueryKind.MALFORMED;
    if (uint16At(bytes, at) === Type.OPT) {
      if (query.edns || bytes[ownerAt] !== 0) return QueryKind.MALFORMED;
      query.edns = true;
      query.udpBytes = uint16At(bytes, at + 2);
      query.ednsVersion = bytes[at + 5];
      query.dnssecOk = (bytes[at + 6] & 0x80) !== 0;
    }
    at += 10 + uint16At(bytes, at + 8);
  }
  return at === end ? QueryKind.QUERY : QueryKind.MALFORMED;
}
