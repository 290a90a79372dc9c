/** Prefixes that `proxy.allowedPrefixes` must keep out of. */
import { type Text, say } from '../../texts/text.ts';
import { type IpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';

/** Addresses that are never dialled, whatever a name server says. */
export const NEVER_DIALLED: readonly (readonly [prefix: IpPrefix, sentence: Text])[] = [
  [parseIpPrefix('::/96')!, say('contains the loopback address')],
  [parseIpPrefix('::ffff:0:0/96')!, say('contains IPv4 addresses in IPv6 form')],
  [parseIpPrefix('64:ff9b::/96')!, say('contains the well-known NAT64 prefix')],
  [parseIpPrefix('64:ff9b:1::/48')!, say('contains the prefix for local NAT64 (RFC 8215)')],
  [parseIpPrefix('fe80::/10')!, say('contains link-local addresses')],
  [parseIpPrefix('ff00::/8')!, say('contains multicast addresses')],
];
