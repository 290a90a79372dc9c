/** The answers to what local-names.ts keeps here. Loaded with the first such question, because the library behind it is. */
import type { Answer } from 'dns-packet';
import { type DnsMessage, type DnsQuestion, Rcode, Type } from '../../wire/dns-message.ts';
import { formatName, namesEqual, nameFromText } from '../../wire/dns-name.ts';
import { makeResponse } from '../../wire/dns-packet.ts';
import { formatIpv6 } from '../../wire/ip-address.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import { embedIpv4 } from '../../wire/rfc6052.ts';
import { IPV4ONLY, INVALID, LOCALHOST, type LocalZone, RESOLVER_ARPA } from './local-names.ts';

/** RFC 7050 section 2.2. */
const IPV4ONLY_ADDRESSES = { '192.0.0.170': 0xc00000aa, '192.0.0.171': 0xc00000ab };

const TTL_SECONDS = 10_800;

/** A record without its owner: that is the name that was asked for. */
type Data = Pick<Answer & { data: unknown }, 'type' | 'data'>;

/** The answer to a question of this zone. */
export function localAnswer(question: DnsQuestion, zone: LocalZone, pref64: readonly IpPrefix[]): DnsMessage {
  // RFC 8482 section 4.2: one small record, so that ANY is no amplifier.
  if (zone === 'any') return respond(question, '.', [{ type: 'HINFO', data: { cpu: 'RFC8482', os: '' } }]);
  const name = formatName(zone);
  // RFC 8880 section 7.1: authoritative for ipv4only.arpa. RFC 7050: its AAAA records tell clients every prefix.
  if (zone === IPV4ONLY)
    return respond(question, name, namesEqual(question.name, IPV4ONLY) ? ipv4only(pref64) : undefined);
  // RFC 6761 section 6.3: loopback for the name and everything below; no upstream may say otherwise.
  if (zone === LOCALHOST)
    return respond(question, name, [
      { type: 'A', data: '127.0.0.1' },
      { type: 'AAAA', data: '::1' },
    ]);
  // RFC 6761 section 6.4.
  if (zone === INVALID) return respond(question, name, undefined);
  // RFC 9462 section 6.4: an upstream's designated resolvers are not ours, and would not synthesise.
  if (zone === RESOLVER_ARPA) return respond(question, name, []);
  // RFC 8880 section 7.2: the reverse names too.
  return respond(question, name, [{ type: 'PTR', data: formatName(IPV4ONLY) }]);
}

const ipv4only = (pref64: readonly IpPrefix[]): Data[] => [
  ...Object.keys(IPV4ONLY_ADDRESSES).map((data) => ({ type: 'A' as const, data })),
  ...pref64.flatMap((prefix) =>
    Object.values(IPV4ONLY_ADDRESSES).map((ipv4) => ({
      type: 'AAAA' as const,
      data: formatIpv6(embedIpv4(prefix, ipv4)),
    })),
  ),
];

/** The records of the asked type out of `data`; without any, NODATA; NXDOMAIN when there is no `data` at all. */
function respond(question: DnsQuestion, zone: string, data: readonly Data[] | undefined): DnsMessage {
  const wanted = (data ?? []).filter(
    ({ type }) => Type[type as keyof typeof Type] === question.type || question.type === Type.ANY,
  );
  const asksSoa =
    data !== undefined && question.type === Type.SOA && namesEqual(question.name, nameFromText(zone));
  const records = wanted.map((each) => ({ name: zone, ttl: TTL_SECONDS, class: 'IN', ...each }) as Answer);
  const message = makeResponse({
    rcode: data === undefined ? Rcode.NXDOMAIN : Rcode.NOERROR,
    answers: asksSoa ? [soa(zone)] : records,
    authorities: asksSoa || records.length > 0 ? [] : [soa(zone)],
  });
  // The name as it was asked for may have bytes that are no text.
  const answers = message.answers.map((record) => ({ ...record, name: question.name }));
  return { ...message, questions: [question], answers };
}

/** What makes a negative answer cacheable (RFC 2308); the mailbox and server are those of nobody. */
const soa = (name: string): Answer => ({
  name,
  type: 'SOA',
  class: 'IN',
  ttl: TTL_SECONDS,
  data: {
    mname: 'localhost',
    rname: 'nobody.invalid',
    serial: 1,
    refresh: 3600,
    retry: 1200,
    expire: 604_800,
    minimum: TTL_SECONDS,
  },
});
