/**
 * The decisions of DNS64 (RFC 6147) about messages as plain data: when to synthesise, from what, and how. No I/O; resolve.ts
 * decides the order of the queries.
 */
import { negativeTtl, rcodeOf, recordsOf } from '../../wire/dns-answer.ts';
import {
  CLASS_IN,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  Rcode,
  Type,
  uint32At,
} from '../../wire/dns-message.ts';
import { nameFromText, nameKey } from '../../wire/dns-name.ts';
import { type IpPrefix, anyPrefixContains, parseIpPrefix, prefixContains } from '../../wire/ip-prefix.ts';
import { isNeverRouted, isNonGlobal } from '../../wire/ipv4-scope.ts';
import { embedIpv4, ipv4Inside } from '../../wire/rfc6052.ts';

const prefixes = (...texts: string[]): IpPrefix[] => texts.map((text) => parseIpPrefix(text)!);

/** RFC 6147 section 5.1.4: AAAA records that count as absent. */
const EXCLUDED_AAAA = prefixes('::ffff:0:0/96');
const [WELL_KNOWN_PREFIX] = prefixes('64:ff9b::/96');

/** RFC 6147 section 5.1.7, for negative AAAA answers that came without SOA. */
const TTL_WITHOUT_SOA_SECONDS = 600;

const isSigned = (message: DnsMessage): boolean =>
  [...message.answers, ...message.authorities].some(({ type }) => type === Type.RRSIG);

/**
 * RFC 6147 section 5.5: whether a AAAA query may be synthesised at all. With CD and DO set, the client validates itself and
 * MUST get the data unmodified.
 */
export const maySynthesise = (dnssecOk: boolean, checkingDisabled: boolean): boolean =>
  !(dnssecOk && checkingDisabled);

const isExcluded = ({ type, data }: DnsRecord): boolean =>
  type === Type.AAAA && anyPrefixContains(EXCLUDED_AAAA, data);

/** The AAAA response without excluded records (RFC 6147 section 5.1.4: they MUST NOT be returned). */
export function withoutExcluded(aaaa: DnsMessage): DnsMessage {
  if (!aaaa.answers.some(isExcluded)) return aaaa;
  return { ...aaaa, answers: aaaa.answers.filter((record) => !isExcluded(record)) };
}

/**
 * Whether the A records must be queried, given the AAAA response without excluded records; undefined stands for a query that
 * failed completely.
 */
export function needsA(aaaa: DnsMessage | undefined, dnssecOk: boolean): boolean {
  // 5.1.2, 5.1.3: errors other than NXDOMAIN, and time-outs, are treated as an empty answer.
  if (aaaa === undefined) return true;
  const rcode = rcodeOf(aaaa);
  if (rcode === Rcode.NXDOMAIN) return false;
  if (rcode !== Rcode.NOERROR) return true;
  // 5.1.1: a real AAAA record, at the end of any chain (5.1.5), is the answer.
  if (recordsOf(aaaa, Type.AAAA).length > 0) return false;
  // 5.5: DO is set, and the empty answer is signed. We have not validated it, but the client may: leave it unchanged.
  return !(dnssecOk && isSigned(aaaa));
}

/**
 * The response to a AAAA query for which `needsA` returned true. An undefined argument means that the query failed; an
 * undefined result means SERVFAIL. `synthesised` says whether AAAA records were made.
 */
export function decideAaaa(
  question: DnsQuestion,
  aaaa: DnsMessage | undefined,
  a: DnsMessage | undefined,
  pref64: readonly IpPrefix[],
  dnssecOk: boolean,
): { message: DnsMessage | undefined; synthesised: boolean } {
  const negative = aaaa !== undefined && rcodeOf(aaaa) === Rcode.NOERROR ? aaaa : undefined;
  // 5.1.6: when the A query fails, its failure is the answer. "No such record" would be a guess, and would be cached.
  if (a === undefined) return { message: undefined, synthesised: false };
  const rcode = rcodeOf(a);
  if (rcode !== Rcode.NOERROR) return { message: a, synthesised: false };
  // 5.5, break-dnssec off: a signed A is not turned into an AAAA that nobody can sign.
  const signed = dnssecOk && isSigned(a);
  const records = signed ? [] : synthesise(a, ttlLimit(negative), pref64);
  if (records.length > 0) {
    // 5.1.5: the chain that led to the A records leads to the AAAA records.
    const chain = a.answers.filter(({ type }) => type === Type.CNAME || type === Type.DNAME);
    const message = { ...a, questions: [question], answers: [...chain, ...records] };
    return { message, synthesised: true };
  }
  if (negative !== undefined) return { message: negative, synthesised: false };
  // The AAAA query failed, and there is no A record to synthesise from: no usable record of either type.
  const answers = a.answers.filter(({ type }) => type !== Type.A && type !== Type.RRSIG);
  return { message: { ...a, questions: [question], answers }, synthesised: false };
}

/** RFC 6147 section 5.1.7: a synthesised record must not outlive its A record or the negative AAAA answer. */
const ttlLimit = (negative: DnsMessage | undefined): number =>
  (negative === undefined ? undefined : negativeTtl(negative)) ?? TTL_WITHOUT_SOA_SECONDS;

/** An AAAA record for each A record and each prefix that may represent its address (RFC 6147 sections 5.1.7, 5.2). */
function synthesise(a: DnsMessage, ttlLimitSeconds: number, pref64: readonly IpPrefix[]): DnsRecord[] {
  const addresses = recordsOf(a, Type.A);
  return pref64.flatMap((prefix) =>
    addresses
      .filter(({ data }) => mayRepresent(prefix, uint32At(data, 0)))
      .map((record) => ({
        ...record,
        type: Type.AAAA,
        ttlSeconds: Math.min(record.ttlSeconds, ttlLimitSeconds),
        data: embedIpv4(prefix, uint32At(record.data, 0)),
      })),
  );
}

/**
 * Whether an address with this prefix would lead to the IPv4 address: no translator can reach an address that is never routed,
 * and the Well-Known Prefix must not represent a private one (RFC 6052 section 3.1).
 */
export function mayRepresent(prefix: IpPrefix, ipv4: number): boolean {
  const isWellKnown = prefix.prefixBits === 96 && prefixContains(WELL_KNOWN_PREFIX, prefix.address);
  return !isNeverRouted(ipv4) && !(isWellKnown && isNonGlobal(ipv4));
}

const IP6_ARPA = nameKey(nameFromText('ip6.arpa'));
const NIBBLES = 32;

/** The 16 bytes of the address with this ip6.arpa name (RFC 3596 section 2.5); undefined for any other name. */
export function reverseAddress(name: Uint8Array): Uint8Array | undefined {
  const key = nameKey(name);
  if (key.length !== NIBBLES * 2 + IP6_ARPA.length || !key.endsWith(IP6_ARPA)) return undefined;
  const bytes = new Uint8Array(16);
  for (let i = 0; i < NIBBLES; i++) {
    const nibble = key.charAt(i * 2 + 1);
    if (key.charCodeAt(i * 2) !== 1 || !/[0-9a-f]/.test(nibble)) return undefined;
    const at = NIBBLES - 1 - i;
    bytes[at >> 1] |= parseInt(nibble, 16) << (at % 2 === 0 ? 4 : 0);
  }
  return bytes;
}

/**
 * RFC 6147 section 5.3.1, second way: given the ip6.arpa name of an address inside a Pref64, the in-addr.arpa name of its IPv4
 * address; undefined when the address is in none of the prefixes.
 */
export function reverseTarget(name: Uint8Array, pref64: readonly IpPrefix[]): Uint8Array | undefined {
  const address = reverseAddress(name);
  if (address === undefined) return undefined;
  const prefix = pref64.find((candidate) => prefixContains(candidate, address));
  if (prefix === undefined) return undefined;
  const ipv4 = ipv4Inside(prefix, address);
  return nameFromText(
    `${ipv4 & 255}.${(ipv4 >>> 8) & 255}.${(ipv4 >>> 16) & 255}.${ipv4 >>> 24}.in-addr.arpa`,
  );
}

/** The response to a PTR query inside a Pref64: a CNAME to the in-addr.arpa name, and the response for that name. */
export function decideReverse(question: DnsQuestion, target: Uint8Array, ptr: DnsMessage): DnsMessage {
  const ttlSeconds = ptr.answers.reduce(
    (least, record) => Math.min(least, record.ttlSeconds),
    negativeTtl(ptr) ?? TTL_WITHOUT_SOA_SECONDS,
  );
  const cname: DnsRecord = {
    name: question.name,
    type: Type.CNAME,
    class: CLASS_IN,
    ttlSeconds,
    data: target,
  };
  return { ...ptr, questions: [question], answers: [cname, ...ptr.answers] };
}
