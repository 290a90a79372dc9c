/** NAT64's part of the configuration. */
import { AccessList, strict, text } from '../../config/schema-values.ts';
import { type Static, Type } from '../../runtime/shape.ts';
import {
  EamEntrySchema,
  Limit,
  Mtu,
  Nat64LifetimesSchema,
  Pool4Schema,
  PortBlocksSchema,
  StaticEntrySchema,
} from './schema-parts.ts';

export const Nat64Schema = Type.Object(
  {
    enabled: Type.Boolean({ title: 'Run the NAT64 translator', expected: 'true or false', default: true }),
    prefix: text(
      'nat64-prefix',
      'The prefix that IPv4 destinations have',
      'a NAT64 prefix of 32, 40, 48, 56, 64 or 96 bits such as 64:ff9b::/96',
      { default: '64:ff9b::/96', requiresRestart: true },
    ),
    extraPrefixes: Type.Array(
      text(
        'nat64-prefix',
        'Prefix',
        'a NAT64 prefix of 32, 40, 48, 56, 64 or 96 bits such as 2001:db8:64::/96',
      ),
      {
        maxItems: 15,
        title: 'More such prefixes; who connects through one is answered from the same one',
        expected: 'a list of at most 15 NAT64 prefixes, none inside another',
        default: [],
        requiresRestart: true,
      },
    ),
    privateAddresses: Type.Union(
      [Type.Literal('by-prefix'), Type.Literal('refuse'), Type.Literal('translate')],
      {
        title:
          'Private IPv4 addresses: refused in the well-known prefix only, as RFC 6052 demands; in every prefix; in none (laboratories)',
        expected: '"by-prefix", "refuse" or "translate"',
        default: 'by-prefix',
      },
    ),
    denyIpv4: Type.Array(text('ipv4-prefix', 'Prefix', 'an IPv4 prefix such as 192.168.0.0/16'), {
      maxItems: 256,
      title: 'IPv4 addresses that nothing is translated to or from',
      expected: 'a list of at most 256 IPv4 prefixes',
      default: [],
    }),
    pool4: Type.Array(Pool4Schema, {
      minItems: 1,
      maxItems: 16,
      title: 'IPv4 addresses and ports to translate to; an address may come several times, with other ports',
      expected: 'a list of 1 to 16 pools',
      default: [{ address: 'auto', ports: '32768-65535' }],
    }),
    mode: Type.Union([Type.Literal('stateful'), Type.Literal('stateless')], {
      title:
        'Servers share the addresses of pool4 (stateful), or only those with an IPv4 address of their own are translated',
      expected: '"stateful" or "stateless"',
      default: 'stateful',
    }),
    embedded: Type.Array(
      text('embedded-prefix', 'Prefix', 'an IPv4 prefix such as 192.0.2.128/25, or "auto"'),
      {
        maxItems: 64,
        title:
          'Stateless mode: IPv4 addresses that servers have inside their IPv6 addresses (RFC 6052); they are led to the translator. "auto" stands for those to which an IPv6 route inside nat64.prefix leads',
        expected: 'a list of at most 64 IPv4 prefixes of 8 bits or more, or "auto"',
        default: ['auto'],
      },
    ),
    eam: Type.Array(EamEntrySchema, {
      maxItems: 256,
      title:
        'Servers that have whole IPv4 addresses for themselves (RFC 7757); the addresses must be routed to the appliance',
      expected: 'a list of at most 256 mappings',
      default: [],
    }),
    eamHairpinning: Type.Union([Type.Literal('none'), Type.Literal('simple'), Type.Literal('intrinsic')], {
      title:
        'How packets between two servers with IPv4 addresses of their own are translated (RFC 7757 section 4)',
      expected: '"none", "simple" or "intrinsic"',
      default: 'intrinsic',
    }),
    icmpSource4: Type.Array(text('ipv4-address', 'Address', 'an IPv4 address'), {
      maxItems: 64,
      title: 'Sources of ICMP errors from IPv6 routers that have no IPv4 address (RFC 6791)',
      expected: 'a list of at most 64 IPv4 addresses',
      default: [],
    }),
    static: Type.Array(StaticEntrySchema, {
      maxItems: 1024,
      title: 'Mappings that are always there: who connects to the IPv4 side reaches the server',
      expected: 'a list of at most 1024 mappings',
      default: [],
    }),
    allow: AccessList('IPv6 sources that are translated'),
    device: Type.String({
      pattern: '^[a-zA-Z0-9_.-]{1,15}$',
      title: 'Name of the TUN device',
      expected: 'a device name of at most 15 letters, digits, "_", "." or "-"',
      default: 'nat64',
      requiresRestart: true,
    }),
    offload: Type.Boolean({
      title: 'Take whole segments and leave checksums to the network card (much faster)',
      expected: 'true or false',
      default: true,
      requiresRestart: true,
    }),
    fastPath: Type.Boolean({
      title:
        'Let the kernel translate established TCP and UDP flows itself (eBPF, Linux 6.6 or later); what it cannot takes the way through the translator',
      expected: 'true or false',
      default: true,
      requiresRestart: true,
    }),
    mtu4Bytes: Mtu('MTU of the IPv4 side, in bytes', 1260),
    mtu6Bytes: Mtu('MTU of the IPv6 side, in bytes', 1280),
    lowestIpv6MtuBytes: Type.Integer({
      minimum: 1280,
      maximum: 65_535,
      title:
        'IPv4 packets that may be fragmented become IPv6 fragments of at most so many bytes: the least MTU of all IPv6 links behind the appliance',
      expected: 'a whole number from 1280 to 65535, not above nat64.mtu6Bytes',
      default: 1280,
    }),
    clampSegmentSize: Type.Boolean({
      title: 'Lower the segment size that TCP connections announce to what fits both MTUs',
      expected: 'true or false',
      default: true,
    }),
    filtering: Type.Union([Type.Literal('endpoint-independent'), Type.Literal('address-dependent')], {
      title:
        'Who may send to a mapping from the IPv4 side: anybody, or only addresses that the IPv6 host has sent to',
      expected: '"endpoint-independent" or "address-dependent"',
      default: 'endpoint-independent',
    }),
    refusedFromIpv4: Type.Union([Type.Literal('silent'), Type.Literal('prohibited')], {
      title:
        'What a sender on the IPv4 side is told of a packet that no mapping or session admits, or that the settings refuse: nothing, or ICMP "administratively prohibited"',
      expected: '"silent" or "prohibited"',
      default: 'silent',
    }),
    refusedFromIpv6: Type.Union([Type.Literal('silent'), Type.Literal('prohibited')], {
      title:
        'What a sender on the IPv6 side is told of a packet that is refused: nothing, or an ICMPv6 error such as "administratively prohibited"; Packet Too Big and Time Exceeded are sent in any case',
      expected: '"silent" or "prohibited"',
      default: 'prohibited',
    }),
    trafficClass: Type.Union([Type.Literal('copy'), Type.Literal('zero')], {
      title:
        'Traffic class of the IPv6 packets: the whole TOS octet of the IPv4 packets (with ECN), or 0 (RFC 7915 section 4.1)',
      expected: '"copy" or "zero"',
      default: 'copy',
    }),
    typeOfService: Type.Union([Type.Literal('copy'), Type.Literal('set')], {
      title:
        'TOS octet of the IPv4 packets: the whole traffic class of the IPv6 packets (with ECN), or nat64.typeOfServiceValue (RFC 7915 section 5.1)',
      expected: '"copy" or "set"',
      default: 'copy',
    }),
    typeOfServiceValue: Type.Integer({
      minimum: 0,
      maximum: 255,
      title: 'The TOS octet where nat64.typeOfService is "set": DSCP times 4, and ECN',
      expected: 'a whole number from 0 to 255',
      default: 0,
    }),
    unsolicitedSyn: Type.Union([Type.Literal('store'), Type.Literal('drop')], {
      title:
        'TCP connections from the IPv4 side to ports without a mapping: told after 6 seconds that nobody is there, or never',
      expected: '"store" or "drop"',
      default: 'store',
    }),
    zeroUdpChecksum: Type.Union([Type.Literal('compute'), Type.Literal('drop')], {
      title: 'UDP packets from the IPv4 side that have no checksum, which IPv6 demands',
      expected: '"compute" or "drop"',
      default: 'compute',
    }),
    zeroUdpChecksumFromIpv6: Type.Union([Type.Literal('compute'), Type.Literal('drop')], {
      title: 'UDP packets from the IPv6 side that have no checksum, as tunnels may send them (RFC 6935)',
      expected: '"compute" or "drop"',
      default: 'compute',
    }),
    lifetimes: Nat64LifetimesSchema,
    keepPortParity: Type.Boolean({
      title: 'UDP: even ports get even ports and odd ones odd ports, while there are any (RFC 4787)',
      expected: 'true or false',
      default: true,
    }),
    keepPortClass: Type.Boolean({
      title: 'Ports below 1024 get such ports and others get others, while there are any (RFC 4787)',
      expected: 'true or false',
      default: true,
    }),
    portBlocks: PortBlocksSchema,
    portRestSeconds: Type.Integer({
      minimum: 0,
      maximum: 3600,
      title: 'How long a port rests after its last session before another mapping may get it',
      expected: 'a whole number of seconds from 0 to 3600',
      default: 120,
    }),
    maxMappingsPerClient: Limit('Ports that one client may have', 16_384),
    maxSessionsPerClient: Limit('Sessions that one client may have', 32_768),
    clientPrefixBits: Type.Integer({
      minimum: 32,
      maximum: 128,
      title:
        'What is one client of these limits and of nat64.portBlocks: all IPv6 addresses that agree in so many bits; when little is left, a /64 has a share too',
      expected: 'a whole number from 32 to 128',
      default: 128,
    }),
    maxSessions: Type.Integer({
      minimum: 1024,
      maximum: 4_194_304,
      title: 'Sessions kept at most',
      expected: 'a whole number from 1024 to 4194304',
      default: 65_536,
      requiresRestart: true,
    }),
    keepSessions: Type.Boolean({
      title:
        'Keep the sessions over a restart of the process, in a file of the state directory: written when it stops, and of established connections at most every 10 minutes',
      expected: 'true or false',
      default: true,
    }),
    log: Type.Union([Type.Literal('none'), Type.Literal('mappings'), Type.Literal('sessions')], {
      title:
        'What is logged as it begins and ends: nothing, mappings (who has which port, RFC 6888), or sessions too (who talks with whom)',
      expected: '"none", "mappings" or "sessions"',
      default: 'none',
    }),
  },
  { ...strict, title: 'NAT64', expected: 'an object', default: {} },
);

export type Nat64Config = Static<typeof Nat64Schema>;
