/**
 * DNS messages as text, by the library dns-packet: for what is made or read one at a time (local answers, the explain
 * step), never for what is served by the thousand. This is the only file that imports the library, because it must be guarded:
 *
 * - it reads names as UTF-8 text, in which a dot inside a label cannot be told from the dot between two;
 * - it accepts data that does not fit its type, and knows neither SVCB nor HTTPS;
 * - it writes a label of more than 63 bytes as if it were a pointer, addresses that are none as other addresses, and
 *   compresses nothing.
 *
 * So what is read has passed our own strict reader, and of it only what the library reads right is handed to it; what is
 * written is read back, and refused unless it says what was meant.
 */
import dnsPacket, { type Answer, type StringAnswer } from 'dns-packet';
import {
  CLASS_IN,
  type DnsMessage,
  type DnsRecord,
  RCODE_MASK,
  Type,
  readMessage,
  writeMessage,
} from './dns-message.ts';
import { formatName, nameFromText, namesEqual } from './dns-name.ts';
import { formatIpv4, formatIpv6, ipv4At, parseIpv4, parseIpv6 } from './ip-address.ts';

/** Types whose data is one address or one name. */
const READ_TYPES = new Set<number>([Type.A, Type.NS, Type.CNAME, Type.PTR, Type.AAAA]);
const NAME_TYPES = new Set<number>([Type.NS, Type.CNAME, Type.PTR]);

export interface PlainAnswer {
  readonly rcode: number;
  /** Records of the answer section that are addresses or names, in its order; addresses as RFC 5952 has them. */
  readonly answers: readonly StringAnswer[];
}

/** What a message says in its answer section; undefined when it is malformed, or has a name that is no plain text. */
export function readPlainAnswer(bytes: Uint8Array): PlainAnswer | undefined {
  const message = readMessage(bytes);
  if (message === undefined) return undefined;
  const answers = message.answers.filter(
    ({ type, class: recordClass }) => recordClass === CLASS_IN && READ_TYPES.has(type),
  );
  if (!answers.every(isPlainRecord)) return undefined;
  const written = writeMessage({ ...message, questions: [], answers, authorities: [], additionals: [] });
  if (written === undefined) return undefined;
  const decoded = dnsPacket.decode(Buffer.from(written.bytes)).answers as StringAnswer[];
  return { rcode: message.flags & RCODE_MASK, answers: decoded.map(withPlainAddress) };
}

/** Whether the text of the name is the name: printable ASCII, and no dot or backslash inside a label. */
function isPlainName(name: Uint8Array): boolean {
  return !formatName(name).includes('\\');
}

const isPlainRecord = ({ name, type, data }: DnsRecord): boolean =>
  isPlainName(name) && (!NAME_TYPES.has(type) || isPlainName(data));

const withPlainAddress = (answer: StringAnswer): StringAnswer =>
  answer.type === 'AAAA' ? { ...answer, data: formatIpv6(parseIpv6(answer.data)!) } : answer;

/** A response to be made. */
export interface PlainResponse {
  readonly rcode: number;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
}

/** The response as a message; throws when the library would write something else than what was meant. */
export function makeResponse({ rcode, answers, authorities }: PlainResponse): DnsMessage {
  const bytes = dnsPacket.encode({
    type: 'response',
    flags: rcode,
    answers: [...answers],
    authorities: [...authorities],
  });
  const message = readMessage(bytes);
  const meant = [...answers, ...authorities];
  const written = [...(message?.answers ?? []), ...(message?.authorities ?? [])];
  const wrong = meant.find((answer, i) => written[i] === undefined || !saysTheSame(answer, written[i]));
  if (message === undefined || wrong !== undefined)
    throw new Error(`makeResponse: dns-packet cannot write ${JSON.stringify(wrong ?? meant)}`);
  return message;
}

/** Owner, and data where it is one name or address. What has more fields is written from constants, which the tests hold. */
function saysTheSame(answer: Answer, { name, type, data }: DnsRecord): boolean {
  if (type !== Type[answer.type as keyof typeof Type] || !isName(answer.name, name)) return false;
  const text = (answer as StringAnswer).data;
  if (type === Type.A) return formatIpv4(ipv4At(data, 0)) === text && parseIpv4(text) !== undefined;
  if (type === Type.AAAA) return parseIpv6(text)?.every((byte, i) => byte === data[i]) === true;
  return !NAME_TYPES.has(type) || isName(text, data);
}

function isName(text: string, name: Uint8Array): boolean {
  try {
    return namesEqual(nameFromText(text), name);
  } catch {
    return false;
  }
}
