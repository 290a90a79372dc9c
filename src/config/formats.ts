/** The string formats of the schema that JSON Schema's own `format` and `pattern` cannot express. */
import { parseIpAddress, parseIpv4, parseIpv6 } from '../wire/ip-address.ts';
import { parseIpPrefix } from '../wire/ip-prefix.ts';
import { parseDnsUpstream, parseIpv4Endpoint, parseIpv6Endpoint, parsePortRange } from './values.ts';

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** RFC 6052 section 2.2. */
const NAT64_PREFIX_BITS = new Set([32, 40, 48, 56, 64, 96]);

const isHostname = (text: string) =>
  text.length <= 253 &&
  text.split('.').every((label) => LABEL.test(label)) &&
  // A name whose last label is all digits looks like an IPv4 address (WHATWG URL, "ends in a number").
  !/(^|\.)[0-9]+$/.test(text);

export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'ipv6-address': (text) => parseIpv6(text) !== undefined,
  'ip-address': (text) => parseIpAddress(text) !== undefined,
  'access-entry': (text) => text === 'lan' || parseIpPrefix(text) !== undefined,
  'host-access-entry': (text) => text === 'any' || text === 'lan' || parseIpPrefix(text) !== undefined,
  hostname: isHostname,
  'hostname-pattern': (text) => isHostname(text.replace(/^\*\*?\./, '')),
  port: (text) => /^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535,
  'port-range': (text) => parsePortRange(text) !== undefined,
  'nat64-prefix': (text) => {
    const prefix = text.includes(':') ? parseIpPrefix(text) : undefined;
    // Bits 64 to 71 are the "u" octet and must be zero (RFC 6052 section 2.2).
    return prefix !== undefined && NAT64_PREFIX_BITS.has(prefix.prefixBits) && prefix.address[8] === 0;
  },
  'dns-upstream': (text) => parseDnsUpstream(text) !== undefined,
  'ipv4-endpoint': (text) => parseIpv4Endpoint(text) !== undefined,
  'ipv6-endpoint': (text) => parseIpv6Endpoint(text) !== undefined,
  'ipv4-address': (text) => parseIpv4(text) !== undefined,
  'ip-prefix': (text) => parseIpPrefix(text) !== undefined,
  'ipv4-prefix': (text) => !text.includes(':') && parseIpPrefix(text) !== undefined,
  'embedded-prefix': (text) => {
    const prefix = text.includes(':') ? undefined : parseIpPrefix(text);
    // A prefix with all of IPv4 would also be the default route.
    return text === 'auto' || (prefix !== undefined && prefix.prefixBits >= 96 + 8);
  },
  'mapped-prefix': (text) => text.includes(':') && parseIpPrefix(text)?.prefixBits === 96,
  'ipv6-prefix': (text) => text.includes(':') && parseIpPrefix(text) !== undefined,
  // A shorter one would make an open proxy to a large part of the Internet.
  'allowed-prefix': (text) => text.includes(':') && (parseIpPrefix(text)?.prefixBits ?? 0) >= 16,
  'pool4-address': (text) => text === 'auto' || parseIpv4(text) !== undefined,
};
