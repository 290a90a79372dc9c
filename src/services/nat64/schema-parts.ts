/** The parts of NAT64's configuration schema: its inner objects, and its kinds of numbers. */
import { strict, text } from '../../config/schema-values.ts';
import { Type } from '../../runtime/shape.ts';

export const Pool4Schema = Type.Object(
  {
    address: text(
      'pool4-address',
      'Address',
      'an IPv4 address of this appliance or routed to it, or "auto" for the one that its default route uses',
      {
        default: 'auto',
      },
    ),
    ports: text(
      'port-range',
      'Ports and ICMP identifiers that translated flows use',
      'a port range such as 32768-65535',
      {
        default: '32768-65535',
      },
    ),
    protocols: Type.Array(
      Type.Union([Type.Literal('tcp'), Type.Literal('udp'), Type.Literal('icmp')], {
        title: 'Protocol',
        expected: '"tcp", "udp" or "icmp"',
      }),
      {
        minItems: 1,
        title: 'Protocols that use these ports; for other ports of another protocol the address comes again',
        expected: 'a list of at least one of "tcp", "udp" and "icmp"',
        default: ['tcp', 'udp', 'icmp'],
      },
    ),
  },
  {
    ...strict,
    title: 'IPv4 address shared by the translated flows',
    expected: 'an object with "address" and "ports"',
  },
);

export const Mtu = (title: string, minimum: number) =>
  Type.Integer({
    minimum,
    maximum: 65_535,
    title,
    expected: `a whole number from ${minimum} to 65535`,
    default: 1500,
  });

export const StaticEntrySchema = Type.Object(
  {
    protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp')], {
      title: 'Protocol',
      expected: '"tcp" or "udp"',
    }),
    ipv4: text(
      'ipv4-endpoint',
      'Address of nat64.pool4, and port',
      'an address and port such as 192.0.2.1#8080 or auto#8080',
    ),
    ipv6: text('ipv6-endpoint', 'The server and its port', 'an address and port such as 2001:db8:1::10#80'),
  },
  { ...strict, title: 'Mapping', expected: 'an object with "protocol", "ipv4" and "ipv6"' },
);

export const EamEntrySchema = Type.Object(
  {
    ipv4: text('ipv4-prefix', 'IPv4 address or prefix', 'an IPv4 prefix such as 192.0.2.9/32'),
    ipv6: text('ipv6-prefix', 'IPv6 address or prefix', 'an IPv6 prefix such as 2001:db8:1::9/128'),
    side: Type.Union([Type.Literal('ipv6'), Type.Literal('ipv4')], {
      title:
        'Where it is: a server on the IPv6 side, whose IPv4 address is led to the translator; or a node on the IPv4 side, whose IPv6 address is',
      expected: '"ipv6" or "ipv4"',
      default: 'ipv6',
    }),
  },
  { ...strict, title: 'Mapping', expected: 'an object with "ipv4" and "ipv6"' },
);

export const Limit = (title: string, defaultValue: number) =>
  Type.Integer({
    minimum: 1,
    maximum: 4_194_304,
    title,
    expected: 'a whole number from 1 to 4194304',
    default: defaultValue,
  });

const Lifetime = (title: string, minimum: number, maximum = 86_400) =>
  Type.Integer({
    minimum,
    maximum,
    title,
    expected: `a whole number of seconds from ${minimum} to ${maximum}`,
  });

export const Nat64LifetimesSchema = Type.Object(
  {
    udpSeconds: { ...Lifetime('UDP sessions', 120), default: 300 },
    tcpEstablishedSeconds: { ...Lifetime('Established TCP connections', 7440), default: 7440 },
    tcpTransitorySeconds: { ...Lifetime('TCP connections that open or end', 240), default: 240 },
    icmpSeconds: { ...Lifetime('ICMP queries', 60), default: 60 },
    fragmentSeconds: { ...Lifetime('Fragments that wait for others of their datagram', 2, 120), default: 30 },
  },
  {
    ...strict,
    title: 'How long sessions live without traffic; the least values are those of the standards',
    expected: 'an object of lifetimes in seconds',
    default: {},
  },
);

export const PortBlocksSchema = Type.Object(
  {
    size: Type.Integer({
      minimum: 0,
      maximum: 32_768,
      title: 'Ports of each client, of each protocol; 0: ports are chosen at random from all of pool4',
      expected: 'a whole number from 0 to 32768',
      default: 0,
    }),
    clients: Type.Array(text('ipv6-prefix', 'Prefix', 'an IPv6 prefix such as 2001:db8:1::100/120'), {
      maxItems: 64,
      title: 'The clients that have a block, in this order; each is a prefix of nat64.clientPrefixBits bits',
      expected: 'a list of at most 64 IPv6 prefixes',
      default: [],
    }),
  },
  {
    ...strict,
    title:
      'A block of ports for each client, computed from its address, so that no log is needed to tell who had a port (RFC 7422)',
    expected: 'an object with "size" and "clients"',
    default: {},
  },
);
