/** Questions that are answered locally, whatever the upstreams say: special-use names, and queries of type ANY. */
import {
  CLASS_IN,
  type DnsMessage,
  type DnsQuestion,
  type DnsRecord,
  Rcode,
  Type,
  writeUint32,
} from '../../wire/dns-message.ts';
import { isAtOrBelow, nameFromText, namesEqual } from '../../wire/dns-name.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import { embedIpv4 } from '../../wire/rfc6052.ts';

const IPV4ONLY = nameFromText('ipv4only.arpa');
/** RFC 7050 section 2.2: 192.0.0.170 and 192.0.0.171. */
const IPV4ONLY_ADDRESSES = [0xc00000aa, 0xc00000ab];
const IPV4ONLY_REVERSE = ['170.0.0.192.in-addr.arpa', '171.0.0.192.in-addr.arpa'].map(nameFromText);
const LOCALHOST = nameFromText('localhost');
const INVALID = nameFromText('invalid');
const RESOLVER_ARPA = nameFromText('resolver.arpa');

const TTL_SECONDS = 10_800;
const LOOPBACK4 = Uint8Array.of(127, 0, 0, 1);
const LOOPBACK6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

type Data = readonly [type: number, data: Uint8Array];

/** The answer to a question that must not, or need not, be forwarded; undefined for all others. */
export function localAnswer(question: DnsQuestion, pref64: readonly IpPrefix[]): DnsMessage | undefined {
  const { name, type } = question;
  // RFC 8482 section 4.2: one small record, so that ANY cannot be used for amplification.
  if (type === Type.ANY)
    return respond(question, name, [[Type.HINFO, Uint8Array.of(7, ...Buffer.from('RFC8482'), 0)]]);
  if (isAtOrBelow(name, IPV4ONLY)) return ipv4only(question, pref64);
  const reverse = IPV4ONLY_REVERSE.find((zone) => namesEqual(name, zone));
  // RFC 8880 section 7.2: the reverse names too. DS belongs to the parent zone and is resolved normally.
  if (reverse !== undefined && type !== Type.DS) return respond(question, reverse, [[Type.PTR, IPV4ONLY]]);
  // RFC 6761 section 6.3: loopback for the name and everything below it; upstreams must not override this.
  if (isAtOrBelow(name, LOCALHOST))
    return respond(question, LOCALHOST, [
      [Type.A, LOOPBACK4],
      [Type.AAAA, LOOPBACK6],
    ]);
  // RFC 6761 section 6.4.
  if (isAtOrBelow(name, INVALID)) return respond(question, INVALID, undefined);
  // RFC 9462 section 6.4: the upstream's designated resolvers are not ours, and would not synthesise.
  if (isAtOrBelow(name, RESOLVER_ARPA)) return respond(question, RESOLVER_ARPA, []);
  return undefined;
}

/** RFC 8880 section 7.1: authoritative for ipv4only.arpa. RFC 7050: its AAAA records tell clients every prefix. */
function ipv4only(question: DnsQuestion, pref64: readonly IpPrefix[]): DnsMessage | undefined {
  if (!namesEqual(question.name, IPV4ONLY)) return respond(question, IPV4ONLY, undefined);
  if (question.type === Type.DS) return undefined;
  const a = IPV4ONLY_ADDRESSES.map((ipv4): Data => {
    const data = new Uint8Array(4);
    writeUint32(data, 0, ipv4);
    return [Type.A, data];
  });
  const aaaa = pref64.flatMap((prefix) =>
    IPV4ONLY_ADDRESSES.map((ipv4): Data => [Type.AAAA, embedIpv4(prefix, ipv4)]),
  );
  return respond(question, IPV4ONLY, [...a, ...aaaa]);
}

/** The records of the requested type in `data`; without any, NODATA; NXDOMAIN when there is no `data` at all. */
function respond(question: DnsQuestion, zone: Uint8Array, data: readonly Data[] | undefined): DnsMessage {
  const wanted = (data ?? []).filter(([type]) => type === question.type || question.type === Type.ANY);
  const answers = wanted.map(([type, bytes]) => record(question.name, type, bytes));
  const asksSoa = data !== undefined && question.type === Type.SOA && namesEqual(question.name, zone);
  return {
    id: 0,
    flags: data === undefined ? Rcode.NXDOMAIN : Rcode.NOERROR,
    questions: [question],
    answers: asksSoa ? [soa(zone)] : answers,
    authorities: asksSoa || answers.length > 0 ? [] : [soa(zone)],
    additionals: [],
  };
}

const record = (name: Uint8Array, type: number, data: Uint8Array): DnsRecord => ({
  name,
  type,
  class: CLASS_IN,
  ttlSeconds: TTL_SECONDS,
  data,
});

/** The SOA that makes a negative answer cacheable (RFC 2308); its mailbox and server do not exist. */
function soa(zone: Uint8Array): DnsRecord {
  const numbers = new Uint8Array(20);
  for (const [i, value] of [1, 3600, 1200, 604_800, TTL_SECONDS].entries()) {
    writeUint32(numbers, i * 4, value);
  }
  const data = Uint8Array.of(...LOCALHOST, ...nameFromText('nobody.invalid'), ...numbers);
  return record(zone, Type.SOA, data);
}
