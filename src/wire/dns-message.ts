/**
 * DNS messages (RFC 1035 section 4) as plain data, and back. Reading is strict: a message is malformed if a count is wrong, a
 * name loops, record data does not fit its type, or bytes follow its end.
 */
import { nameKey, readName } from './dns-name.ts';

export const HEADER_BYTES = 12;
export const MAX_MESSAGE_BYTES = 65_535;
/** Over UDP. Fits every path without fragments (DNS flag day 2020, RFC 9715). A larger offer is treated as this size. */
export const MAX_UDP_BYTES = 1232;

// Offsets in the header, and bits of its two flag bytes as one 16-bit number.
export const FLAGS = 2;
export const QDCOUNT = 4;
export const ANCOUNT = 6;
export const NSCOUNT = 8;
export const ARCOUNT = 10;
export const QR = 0x8000;
export const OPCODE_MASK = 0x7800;
export const AA = 0x0400;
export const TC = 0x0200;
export const RD = 0x0100;
export const RA = 0x0080;
export const AD = 0x0020;
export const CD = 0x0010;
export const RCODE_MASK = 0x000f;

/** Response codes (RFC 1035 section 4.1.1, RFC 6891 section 9 for BADVERS). */
export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

/** The record and query types that this code distinguishes. */
export const Type = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  AAAA: 28,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

export const CLASS_IN = 1;

export interface DnsQuestion {
  readonly name: Uint8Array;
  readonly type: number;
  readonly class: number;
}

export interface DnsRecord {
  readonly name: Uint8Array;
  readonly type: number;
  readonly class: number;
  /** As on the wire; the OPT pseudo-record has its flags here. */
  readonly ttlSeconds: number;
  /** Names inside are uncompressed. */
  readonly data: Uint8Array;
}

export interface DnsMessage {
  readonly id: number;
  /** Both flag bytes: QR, opcode, AA, TC, RD, RA, AD, CD and the low four bits of the response code. */
  readonly flags: number;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly DnsRecord[];
  readonly authorities: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

export const uint16At = (bytes: Uint8Array, offset: number): number =>
  (bytes[offset] << 8) | bytes[offset + 1];

export const uint32At = (bytes: Uint8Array, offset: number): number =>
  ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0;

export function writeUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

/**
 * The layout of the data of types whose names may arrive compressed (RFC 1035, RFC 3597 section 4), and of DNAME, whose names
 * must not be compressed but are easy to check. A number is that many plain bytes, "name" a name, "string" a character-string.
 * Nothing may be left after them.
 */
type DataField = number | 'name' | 'string';
const DATA_FIELDS: Readonly<Record<number, readonly DataField[]>> = {
  [Type.A]: [4],
  [Type.NS]: ['name'],
  3: ['name'], // MD
  4: ['name'], // MF
  [Type.CNAME]: ['name'],
  [Type.SOA]: ['name', 'name', 20],
  7: ['name'], // MB
  8: ['name'], // MG
  9: ['name'], // MR
  [Type.PTR]: ['name'],
  14: ['name', 'name'], // MINFO
  [Type.MX]: [2, 'name'],
  17: ['name', 'name'], // RP
  18: [2, 'name'], // AFSDB
  21: [2, 'name'], // RT
  26: [2, 'name', 'name'], // PX
  [Type.AAAA]: [16],
  33: [6, 'name'], // SRV
  35: [4, 'string', 'string', 'string', 'name'], // NAPTR
  36: [2, 'name'], // KX
  [Type.DNAME]: ['name'],
};

/** Types whose names a writer may compress: every reader knows these types (RFC 3597 section 4). */
const COMPRESSIBLE = new Set<number>([Type.NS, Type.CNAME, Type.SOA, Type.PTR, Type.MX]);

/** The message, or undefined when it is malformed. */
export function readMessage(bytes: Uint8Array): DnsMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_MESSAGE_BYTES) return undefined;
  const questions: DnsQuestion[] = [];
  let at = HEADER_BYTES;
  for (let left = uint16At(bytes, QDCOUNT); left > 0; left--) {
    const owner = readName(bytes, at);
    if (owner === undefined || owner.end + 4 > bytes.length) return undefined;
    questions.push({
      name: owner.name,
      type: uint16At(bytes, owner.end),
      class: uint16At(bytes, owner.end + 2),
    });
    at = owner.end + 4;
  }
  const sections: DnsRecord[][] = [];
  for (const countAt of [ANCOUNT, NSCOUNT, ARCOUNT]) {
    const records: DnsRecord[] = [];
    for (let left = uint16At(bytes, countAt); left > 0; left--) {
      const found = readRecord(bytes, at);
      if (found === undefined) return undefined;
      records.push(found.record);
      at = found.end;
    }
    sections.push(records);
  }
  if (at !== bytes.length) return undefined;
  const [answers, authorities, additionals] = sections;
  return {
    id: uint16At(bytes, 0),
    flags: uint16At(bytes, FLAGS),
    questions,
    answers,
    authorities,
    additionals,
  };
}

function readRecord(bytes: Uint8Array, offset: number): { record: DnsRecord; end: number } | undefined {
  const owner = readName(bytes, offset);
  if (owner === undefined || owner.end + 10 > bytes.length) return undefined;
  const type = uint16At(bytes, owner.end);
  const dataAt = owner.end + 10;
  const end = dataAt + uint16At(bytes, owner.end + 8);
  if (end > bytes.length) return undefined;
  const data = readData(bytes, dataAt, end, DATA_FIELDS[type]);
  if (data === undefined) return undefined;
  const record: DnsRecord = {
    name: owner.name,
    type,
    class: uint16At(bytes, owner.end + 2),
    ttlSeconds: uint32At(bytes, owner.end + 4),
    data,
  };
  return { record, end };
}

/** Record data with its names uncompressed, or undefined when it does not have the type's fields. */
function readData(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: readonly DataField[] | undefined,
): Uint8Array | undefined {
  if (fields === undefined) return bytes.slice(start, end);
  const parts: number[] = [];
  let at = start;
  for (const field of fields) {
    if (field === 'name') {
      const found = readName(bytes, at);
      if (found === undefined || found.end > end) return undefined;
      for (const byte of found.name) parts.push(byte);
      at = found.end;
    } else {
      const length = field === 'string' ? 1 + bytes[at] : field;
      if (at + length > end) return undefined;
      for (const limit = at + length; at < limit; at++) parts.push(bytes[at]);
    }
  }
  return at === end ? Uint8Array.from(parts) : undefined;
}

export interface WrittenMessage {
  readonly bytes: Uint8Array;
  /** Offset of each record's TTL in the message, except that of the OPT pseudo-record. */
  readonly ttlOffsets: readonly number[];
}

/** A message being written. Names that were written are kept for compression, by the key of each suffix. */
interface Writer {
  readonly bytes: Uint8Array;
  at: number;
  readonly suffixes: Map<string, number>;
}

const workspace = new Uint8Array(MAX_MESSAGE_BYTES);

/** The message on the wire, names compressed; undefined when it would be longer than 65535 bytes. */
export function writeMessage(message: DnsMessage): WrittenMessage | undefined {
  const writer: Writer = { bytes: workspace, at: HEADER_BYTES, suffixes: new Map() };
  const ttlOffsets: number[] = [];
  writeUint16(workspace, 0, message.id);
  writeUint16(workspace, FLAGS, message.flags);
  writeUint16(workspace, QDCOUNT, message.questions.length);
  writeUint16(workspace, ANCOUNT, message.answers.length);
  writeUint16(workspace, NSCOUNT, message.authorities.length);
  writeUint16(workspace, ARCOUNT, message.additionals.length);
  for (const question of message.questions) {
    if (writer.at + question.name.length + 4 > MAX_MESSAGE_BYTES) return undefined;
    putName(writer, question.name);
    writeUint16(workspace, writer.at, question.type);
    writeUint16(workspace, writer.at + 2, question.class);
    writer.at += 4;
  }
  for (const records of [message.answers, message.authorities, message.additionals]) {
    for (const record of records) {
      if (writer.at + record.name.length + 10 + record.data.length > MAX_MESSAGE_BYTES) return undefined;
      putName(writer, record.name);
      if (record.type !== Type.OPT) ttlOffsets.push(writer.at + 4);
      putRecordBody(writer, record);
    }
  }
  return { bytes: workspace.slice(0, writer.at), ttlOffsets };
}

function putRecordBody(writer: Writer, record: DnsRecord): void {
  const { bytes, at } = writer;
  writeUint16(bytes, at, record.type);
  writeUint16(bytes, at + 2, record.class);
  writeUint32(bytes, at + 4, record.ttlSeconds);
  writer.at = at + 10;
  if (COMPRESSIBLE.has(record.type)) putData(writer, record.data, DATA_FIELDS[record.type]);
  else putBytes(writer, record.data);
  writeUint16(bytes, at + 8, writer.at - at - 10);
}

function putData(writer: Writer, data: Uint8Array, fields: readonly DataField[]): void {
  let at = 0;
  for (const field of fields) {
    if (field === 'name') {
      const found = readName(data, at);
      if (found === undefined) break;
      putName(writer, found.name);
      at = found.end;
    } else {
      const length = field === 'string' ? 1 + data[at] : field;
      putBytes(writer, data.subarray(at, at + length));
      at += length;
    }
  }
}

function putBytes(writer: Writer, bytes: Uint8Array): void {
  writer.bytes.set(bytes, writer.at);
  writer.at += bytes.length;
}

/** Writes a name. If a suffix of it was written before, ends with a pointer to that (ignoring case, RFC 4343 section 4). */
function putName(writer: Writer, name: Uint8Array): void {
  const { bytes, suffixes } = writer;
  const key = nameKey(name);
  let at = 0;
  for (; name[at] > 0; at += name[at] + 1) {
    const suffix = key.slice(at);
    const known = suffixes.get(suffix);
    if (known !== undefined) {
      writeUint16(bytes, writer.at, 0xc000 | known);
      writer.at += 2;
      return;
    }
    if (writer.at < 0x4000) suffixes.set(suffix, writer.at);
    putBytes(writer, name.subarray(at, at + name[at] + 1));
  }
  bytes[writer.at++] = 0;
}
