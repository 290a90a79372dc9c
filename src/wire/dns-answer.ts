/** What an answer says: its code, its records, where its aliases lead, and how long that is valid. */
import {
  CLASS_IN,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  RCODE_MASK,
  Rcode,
  Type,
  uint32At,
} from './dns-message.ts';
import { nameKey } from './dns-name.ts';

export const rcodeOf = (message: DnsMessage): number => message.flags & RCODE_MASK;

export const recordsOf = (message: DnsMessage, type: number): DnsRecord[] =>
  message.answers.filter((record) => record.type === type && record.class === CLASS_IN);

/**
 * The end of the chain of CNAMEs in a response, if the response has no data for that name: no record of the type, and no SOA,
 * which would mean that there is none. undefined when nothing is missing.
 */
export function danglingAlias(question: DnsQuestion, message: DnsMessage): Uint8Array | undefined {
  if (rcodeOf(message) !== Rcode.NOERROR || question.type === Type.CNAME) return undefined;
  if (recordsOf(message, question.type).length > 0) return undefined;
  if (message.authorities.some(({ type }) => type === Type.SOA)) return undefined;
  const aliases = new Map(
    recordsOf(message, Type.CNAME).map((record) => [nameKey(record.name), record.data]),
  );
  let name: Uint8Array | undefined;
  let key = nameKey(question.name);
  // Each alias is used only once, so a loop in the response ends here.
  for (let target = aliases.get(key); target !== undefined; target = aliases.get(key)) {
    aliases.delete(key);
    name = target;
    key = nameKey(target);
  }
  return name;
}

/** How long a negative answer is valid: the smaller of its SOA's TTL and minimum (RFC 2308 section 5); undefined without SOA. */
export function negativeTtl(message: DnsMessage): number | undefined {
  const soa = message.authorities.find(({ type }) => type === Type.SOA);
  return soa === undefined ? undefined : Math.min(soa.ttlSeconds, uint32At(soa.data, soa.data.length - 4));
}

/** The addresses that a name has, and how long that is valid. */
export interface NameAddresses {
  /** 16 bytes each, in the order of the answer; empty if the name has none. */
  readonly addresses: readonly Uint8Array[];
  /** The least of the records that led there; without addresses, as in RFC 2308 (0 without SOA: not to be cached). */
  readonly ttlSeconds: number;
}

/** RFC 2181 section 8: a TTL with the top bit set is 0. */
const ttlOf = ({ ttlSeconds }: DnsRecord): number => (ttlSeconds > 0x7fffffff ? 0 : ttlSeconds);

/** The AAAA records at the end of the name's chain of aliases. Records of other names prove nothing about this one. */
export function aaaaOf(name: Uint8Array, message: DnsMessage): NameAddresses {
  const aliases = new Map(recordsOf(message, Type.CNAME).map((record) => [nameKey(record.name), record]));
  const led: DnsRecord[] = [];
  let key = nameKey(name);
  // Each alias is used only once, so a loop in the answer ends here.
  for (let alias = aliases.get(key); alias !== undefined; alias = aliases.get(key)) {
    aliases.delete(key);
    led.push(alias);
    key = nameKey(alias.data);
  }
  const records = recordsOf(message, Type.AAAA).filter((record) => nameKey(record.name) === key);
  if (records.length === 0 || rcodeOf(message) !== Rcode.NOERROR)
    return { addresses: [], ttlSeconds: negativeTtl(message) ?? 0 };
  return {
    addresses: records.map(({ data }) => data),
    ttlSeconds: Math.min(...[...led, ...records].map(ttlOf)),
  };
}
