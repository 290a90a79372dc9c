/**
 * Lines of the access log: one JSON object each, in ASCII. A byte of a client that is not a printable ASCII character is
 * written as \u00XX, so that no line breaks another one, and no terminal obeys a client.
 */
import { Buffer } from 'node:buffer';
import { decodeSocketAddress } from '../os/socket-address.ts';
import { formatIpAddress } from '../wire/ip-address.ts';
import { AccessFlag, Place } from './access-record.ts';

/** Stands at the end of a text that was longer. It cannot come from a byte. */
const CUT_MARK = '\\u2026';
/** As pino numbers them: the process's own lines in the same stream have levels, too. */
const INFO = 30;
const WARN = 40;
const DURATIONS = { connect: 'connectMs', firstByte: 'firstByteMs' } as const;

/** The memory of a ring. */
export interface RingViews {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
}

/** The line about the record at this offset. `counters`: names in the order of the service's table. */
export function accessLine(
  service: string,
  counters: readonly string[],
  { bytes, words, doubles }: RingViews,
  at: number,
): string {
  const flags = words[(at + Place.flags) >> 2];
  const has = (flag: number) => (flags & flag) !== 0;
  let text = at + Place.texts;
  const next = (length: number, isCut = false): string => {
    const from = text;
    text += length;
    return length === 0 ? 'null' : quoted(bytes, from, text, isCut);
  };
  const lengths = at + Place.lengths;
  const longLengths = words[(at + Place.longLengths) >> 2];
  const listener = next(bytes[lengths]);
  const server = next(bytes[lengths + 1]);
  const method = next(bytes[lengths + 2], has(AccessFlag.methodCut));
  const name = next(longLengths & 0xffff, has(AccessFlag.nameCut));
  const path = next(longLengths >>> 16, has(AccessFlag.pathCut));
  const isRequest = has(AccessFlag.request);
  const status = words[(at + Place.status) >> 2];
  const reason = words[(at + Place.reason) >> 2];
  const fields = [
    `"level":${INFO}`,
    `"time":${doubles[(at + Place.time) >> 3]}`,
    `"log":"access"`,
    `"msg":"${isRequest ? 'request' : 'connection'}"`,
    `"service":"${service}"`,
    `"listener":${listener}`,
    ...clientFields(bytes, at + Place.peer),
    `"connection":${words[(at + Place.number) >> 2] >>> 0}`,
    `"server":${server}`,
  ];
  if (isRequest) {
    fields.push(
      `"method":${method}`,
      `"host":${name}`,
      `"path":${path}`,
      `"version":${has(AccessFlag.http11) ? '"1.1"' : has(AccessFlag.http10) ? '"1.0"' : 'null'}`,
      `"status":${status === 0 ? 'null' : status}`,
      `"answeredBy":${status === 0 ? 'null' : has(AccessFlag.own) ? '"appliance"' : '"server"'}`,
    );
  } else {
    fields.push(`"name":${name}`);
  }
  fields.push(
    `"bytesUp":${doubles[(at + Place.bytesUp) >> 3]}`,
    `"bytesDown":${doubles[(at + Place.bytesDown) >> 3]}`,
    duration(DURATIONS.connect, words[(at + Place.connectMs) >> 2]),
  );
  if (isRequest) {
    fields.push(
      duration(DURATIONS.firstByte, words[(at + Place.firstByteMs) >> 2]),
      `"durationMs":${words[(at + Place.durationMs) >> 2]}`,
      `"reused":${has(AccessFlag.reused)}`,
      `"retried":${has(AccessFlag.retried)}`,
      `"upgraded":${has(AccessFlag.upgraded)}`,
    );
  } else {
    fields.push(`"durationMs":${words[(at + Place.durationMs) >> 2]}`);
  }
  fields.push(`"reason":${reason < 0 ? 'null' : `"${counters[reason]}"`}`);
  return `{${fields.join(',')}}\n`;
}

const duration = (name: string, milliseconds: number): string =>
  `"${name}":${milliseconds < 0 ? 'null' : milliseconds}`;

function clientFields(bytes: Uint8Array, at: number): string[] {
  try {
    const { address, port } = decodeSocketAddress(bytes, at);
    return [`"client":"${formatIpAddress(address)}"`, `"clientPort":${port}`];
  } catch {
    return ['"client":null', '"clientPort":null'];
  }
}

/** Bytes as a JSON string. */
function quoted(bytes: Uint8Array, from: number, to: number, isCut: boolean): string {
  let isPlain = true;
  for (let i = from; isPlain && i < to; i++) isPlain = isPlainByte(bytes[i]);
  let text = '';
  if (isPlain) text = Buffer.from(bytes.subarray(from, to)).toString('latin1');
  else for (let i = from; i < to; i++) text += escaped(bytes[i]);
  return `"${text}${isCut ? CUT_MARK : ''}"`;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const isPlainByte = (byte: number): boolean =>
  byte >= 0x20 && byte < 0x7f && byte !== QUOTE && byte !== BACKSLASH;

function escaped(byte: number): string {
  if (isPlainByte(byte)) return String.fromCharCode(byte);
  if (byte === QUOTE || byte === BACKSLASH) return `\\${String.fromCharCode(byte)}`;
  return `\\u00${byte.toString(16).padStart(2, '0')}`;
}

/** The line that says how many were lost. */
export const lostLine = (service: string, lines: number, nowMs: number): string =>
  `${JSON.stringify({
    level: WARN,
    time: nowMs,
    log: 'access',
    msg: 'lines of the access log were lost, because they came faster than they were read',
    service,
    lines,
  })}\n`;
