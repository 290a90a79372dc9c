/** Which names are looked up for `proxy.allowedPrefixes`, and which of their addresses may be dialled. Pure. */
import { type IpPrefix, anyPrefixContains } from '../../wire/ip-prefix.ts';
import { type Ourselves, isOurselves } from '../../os/ourselves.ts';
import { NEVER_DIALLED } from './never-dialled.ts';

/** Plain data: it is posted to the worker. */
export interface AllowedAddresses {
  readonly prefixes: readonly IpPrefix[];
  /** Where IPv4 addresses are embedded (NAT64, mapped clients), whatever `prefixes` contain: no server can be there. */
  readonly embedding: readonly IpPrefix[];
}

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

const MAX_NAME_LENGTH = 253;
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** At least one dot; the last label is not a number, as in an IPv4 address (RFC 1123 section 2.1). */
const PUBLIC_NAME = new RegExp(`^(?:${LABEL}\\.)+(?![0-9]+$)${LABEL}$`);

/** Names that are never in the DNS (RFC 6761, 6762, 7686): nobody is told who asks for them. */
const NOT_IN_DNS = /\.(?:localhost|local|onion|invalid)$/;

/** Whether a resolver is asked for this name, which is in lower case and without a final dot. */
export const isPublicName = (name: string): boolean =>
  name.length <= MAX_NAME_LENGTH && PUBLIC_NAME.test(name) && !NOT_IN_DNS.test(name);
