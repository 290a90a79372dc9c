/** Which questions are answered here, whatever the upstreams say: special-use names, and queries of type ANY. */
import { type DnsQuestion, Type } from '../../wire/dns-message.ts';
import { isAtOrBelow, nameFromText, namesEqual } from '../../wire/dns-name.ts';

export const IPV4ONLY = nameFromText('ipv4only.arpa');
/** Of 192.0.0.170 and 192.0.0.171 (RFC 7050 section 2.2). */
const IPV4ONLY_REVERSE = ['170.0.0.192.in-addr.arpa', '171.0.0.192.in-addr.arpa'].map(nameFromText);
export const LOCALHOST = nameFromText('localhost');
export const INVALID = nameFromText('invalid');
export const RESOLVER_ARPA = nameFromText('resolver.arpa');

/** The zone that answers, or "any" for queries of that type whatever their name. */
export type LocalZone = Uint8Array | 'any';

/** Who answers a question that must not, or need not, leave this resolver; undefined for all others. */
export function localZone({ name, type }: DnsQuestion): LocalZone | undefined {
  if (type === Type.ANY) return 'any';
  // DS belongs to the parent zone and is resolved normally (RFC 8880 section 7.2).
  if (isAtOrBelow(name, IPV4ONLY))
    return type === Type.DS && namesEqual(name, IPV4ONLY) ? undefined : IPV4ONLY;
  const reverse = IPV4ONLY_REVERSE.find((zone) => namesEqual(name, zone));
  if (reverse !== undefined && type !== Type.DS) return reverse;
  return [LOCALHOST, INVALID, RESOLVER_ARPA].find((zone) => isAtOrBelow(name, zone));
}
