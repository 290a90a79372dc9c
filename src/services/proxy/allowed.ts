/** Which names are looked up for `proxy.allowedPrefixes`, and which of their addresses may be dialled. Pure. */
import { type IpPrefix, anyPrefixContains, parseIpPrefix, prefixContains } from '../../wire/ip-prefix.ts';
import { type Ourselves, isOurselves } from '../../os/ourselves.ts';
import { type Text, say } from '../../texts/text.ts';

/** Plain data: it is posted to the worker. */
export interface AllowedAddresses {
  readonly prefixes: readonly IpPrefix[];
  /** Where IPv4 addresses are embedded (NAT64, mapped clients), whatever `prefixes` contain: no server can be there. */
  readonly embedding: readonly IpPrefix[];
}

/** Addresses that are never dialled, whatever a name server says. */
export const NEVER_DIALLED: readonly (readonly [prefix: IpPrefix, sentence: Text])[] = [
  [parseIpPrefix('::/96')!, say('contains the loopback address')],
  [parseIpPrefix('::ffff:0:0/96')!, say('contains IPv4 addresses in IPv6 form')],
  [parseIpPrefix('64:ff9b::/96')!, say('contains the well-known NAT64 prefix')],
  [parseIpPrefix('64:ff9b:1::/48')!, say('contains the prefix for local NAT64 (RFC 8215)')],
  [parseIpPrefix('fe80::/10')!, say('contains link-local addresses')],
  [parseIpPrefix('ff00::/8')!, say('contains multicast addresses')],
];
const NEVER: readonly IpPrefix[] = NEVER_DIALLED.map(([prefix]) => prefix);

/** Whether a server of clients may be at this address: the one that is dialled, so no later answer can change it. */
export const mayDial = (
  { prefixes, embedding }: AllowedAddresses,
  ourselves: Ourselves,
  address: Uint8Array,
): boolean =>
  anyPrefixContains(prefixes, address) &&
  !anyPrefixContains(NEVER, address) &&
  !anyPrefixContains(embedding, address) &&
  !isOurselves(ourselves, address);

export const overlaps = (a: IpPrefix, b: IpPrefix): boolean =>
  a.prefixBits <= b.prefixBits ? prefixContains(a, b.address) : prefixContains(b, a.address);

const MAX_NAME_LENGTH = 253;
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** At least one dot; the last label is not a number, as in an IPv4 address (RFC 1123 section 2.1). */
const PUBLIC_NAME = new RegExp(`^(?:${LABEL}\\.)+(?![0-9]+$)${LABEL}$`);

/** Names that are never in the DNS (RFC 6761, 6762, 7686): nobody is told who asks for them. */
const NOT_IN_DNS = /\.(?:localhost|local|onion|invalid)$/;

/** Whether a resolver is asked for this name, which is in lower case and without a final dot. */
export const isPublicName = (name: string): boolean =>
  name.length <= MAX_NAME_LENGTH && PUBLIC_NAME.test(name) && !NOT_IN_DNS.test(name);
