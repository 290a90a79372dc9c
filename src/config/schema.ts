/**
 * The configuration: the one source of its types, validation, defaults, API description and reference documentation.
 *
 * Every property carries a `title`, and `expected`, the words that an error uses for what would be right. Every
 * property has a default except those that name a server: an empty object is a valid configuration.
 */
import { type Static, Type } from './json-schema.ts';

const strict = { additionalProperties: false } as const;

const text = (format: string, title: string, expected: string, options: object = {}) =>
  Type.String({ format, title, expected, ...options });

const Port = (title: string, options: object = {}) =>
  Type.Integer({ minimum: 1, maximum: 65535, title, expected: 'a port number from 1 to 65535', ...options });

const Ipv6Address = (title: string) => text('ipv6-address', title, 'an IPv6 address such as 2001:db8:1::10');

const ListenAddresses = (title: string, defaults: string[]) =>
  Type.Array(text('ip-address', 'Address', 'an IPv4 or IPv6 address; 0.0.0.0 and :: stand for all'), {
    title,
    expected: 'a list of addresses',
    default: defaults,
  });

const AccessList = (title: string) =>
  Type.Array(
    text(
      'access-entry',
      'Entry',
      'a prefix such as 2001:db8:1::/64, or "lan" for every network the appliance is attached to',
    ),
    {
      title,
      expected: 'a list of prefixes; an empty list admits nobody',
      default: ['lan'],
    },
  );

const Label = (title: string) =>
  Type.String({
    pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
    title,
    expected: 'a label of lower-case letters, digits and hyphens, at most 63 characters',
  });

export const HostSchema = Type.Object(
  {
    name: Label('Name of the server, unique'),
    address: Ipv6Address('The IPv6 address of the server'),
    hostnames: Type.Array(
      text('hostname-pattern', 'Host name', 'a host name such as example.com, or *.example.com'),
      {
        title: 'Host names that lead to this server',
        expected: 'a list of host names',
        default: [],
      },
    ),
    services: Type.Array(Label('Listener'), {
      title: 'Listeners (by name) that lead to this server',
      expected: 'a list of names of proxy.listeners',
      default: ['http', 'https'],
    }),
    clientAddress: Type.Union([Type.Literal('none'), Type.Literal('proxy-v1'), Type.Literal('proxy-v2')], {
      title: 'How the server learns the address of the client',
      expected: '"none", "proxy-v1" or "proxy-v2"',
      default: 'none',
    }),
    ssh: Type.Union(
      [
        Type.Literal(false),
        Type.Object(
          {
            port: Type.Optional(
              Port('Port on the IPv4 side; chosen from forward.sshPorts and kept when left out'),
            ),
            targetPort: Port('Port of sshd on the server', { default: 22 }),
          },
          strict,
        ),
      ],
      {
        title: 'The SSH port of this server, or false for none',
        expected: 'false, or an object with the optional properties "port" and "targetPort"',
        default: {},
      },
    ),
  },
  { ...strict, title: 'Server', expected: 'an object that describes a server' },
);

export const ListenerSchema = Type.Object(
  {
    name: Label('Name, unique'),
    port: Port('Port on the appliance, and on the server'),
    protocol: Type.Union([Type.Literal('http'), Type.Literal('tls')], {
      title: 'http: the Host header picks the server; tls: the server name in the ClientHello (SNI) does',
      expected: '"http" or "tls"',
    }),
  },
  { ...strict, title: 'Listener', expected: 'an object with "name", "port" and "protocol"' },
);

export const ProxySchema = Type.Object(
  {
    listen: ListenAddresses('Addresses that the listeners bind', ['0.0.0.0']),
    listeners: Type.Array(ListenerSchema, {
      title: 'Listeners; one is open while at least one server names it in its services',
      expected: 'a list of listeners',
      default: [
        { name: 'http', port: 80, protocol: 'http' },
        { name: 'https', port: 443, protocol: 'tls' },
        { name: 'smtps', port: 465, protocol: 'tls' },
        { name: 'submission', port: 587, protocol: 'tls' },
        { name: 'imaps', port: 993, protocol: 'tls' },
        { name: 'pop3s', port: 995, protocol: 'tls' },
      ],
    }),
    handshakeTimeoutMs: Type.Integer({
      minimum: 100,
      maximum: 600_000,
      title: 'How long a client may take until its server is known, and a server to accept the connection',
      expected: 'a whole number of milliseconds from 100 to 600000',
      default: 10_000,
    }),
    idleTimeoutMs: Type.Integer({
      minimum: 1000,
      maximum: 86_400_000,
      title: 'How long a connection may carry no data before it is closed',
      expected: 'a whole number of milliseconds from 1000 to 86400000',
      default: 3_600_000,
    }),
  },
  { ...strict, title: 'Proxy', expected: 'an object', default: {} },
);

export const ForwardSchema = Type.Object(
  {
    listen: ListenAddresses('Addresses that the forwarded ports bind', ['0.0.0.0']),
    sshPorts: text('port-range', 'Ports to choose SSH ports from', 'a port range such as 22001-22999', {
      default: '22001-22999',
    }),
  },
  { ...strict, title: 'Port forwarder', expected: 'an object', default: {} },
);

export const Dns64Schema = Type.Object(
  {
    enabled: Type.Boolean({ title: 'Run the DNS64 resolver', expected: 'true or false', default: true }),
    listen: ListenAddresses('Addresses that the resolver binds', ['::', '0.0.0.0']),
    port: Port('Port of the resolver', { default: 53 }),
    prefixes: Type.Array(
      text('nat64-prefix', 'Prefix', 'a NAT64 prefix of 32, 40, 48, 56, 64 or 96 bits such as 64:ff9b::/96'),
      {
        minItems: 1,
        title: 'NAT64 prefixes to synthesise AAAA records from',
        expected: 'a list of at least one NAT64 prefix',
        default: ['64:ff9b::/96'],
      },
    ),
    upstreams: Type.Array(
      text('dns-upstream', 'Resolver', 'a resolver such as udp://9.9.9.9 or udp://[2620:fe::fe]:53'),
      {
        minItems: 1,
        title: 'Resolvers to ask, in order of preference',
        expected: 'a list of at least one resolver',
        default: ['udp://9.9.9.9', 'udp://149.112.112.112'],
      },
    ),
    allow: AccessList('Who may ask'),
    cacheEntries: Type.Integer({
      minimum: 1000,
      maximum: 1_000_000,
      title: 'Answers kept in the cache at most',
      expected: 'a whole number from 1000 to 1000000',
      default: 20_000,
    }),
  },
  { ...strict, title: 'DNS64', expected: 'an object', default: {} },
);

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
  },
  {
    ...strict,
    title: 'IPv4 address shared by the translated flows',
    expected: 'an object with "address" and "ports"',
  },
);

const Mtu = (title: string, minimum: number) =>
  Type.Integer({
    minimum,
    maximum: 65_535,
    title,
    expected: `a whole number from ${minimum} to 65535`,
    default: 1500,
  });

const StaticEntrySchema = Type.Object(
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

const EamEntrySchema = Type.Object(
  {
    ipv4: text('ipv4-prefix', 'IPv4 address or prefix', 'an IPv4 prefix such as 192.0.2.9/32'),
    ipv6: text('ipv6-prefix', 'IPv6 address or prefix', 'an IPv6 prefix such as 2001:db8:1::9/128'),
  },
  { ...strict, title: 'Mapping', expected: 'an object with "ipv4" and "ipv6"' },
);

const Limit = (title: string, defaultValue: number) =>
  Type.Integer({
    minimum: 1,
    maximum: 4_194_304,
    title,
    expected: 'a whole number from 1 to 4194304',
    default: defaultValue,
  });

const Lifetime = (title: string, minimum: number) =>
  Type.Integer({
    minimum,
    maximum: 86_400,
    title,
    expected: `a whole number of seconds from ${minimum} to 86400`,
  });

const Nat64LifetimesSchema = Type.Object(
  {
    udpSeconds: { ...Lifetime('UDP sessions', 120), default: 300 },
    tcpEstablishedSeconds: { ...Lifetime('Established TCP connections', 7440), default: 7440 },
    tcpTransitorySeconds: { ...Lifetime('TCP connections that open or end', 240), default: 240 },
    icmpSeconds: { ...Lifetime('ICMP queries', 60), default: 60 },
  },
  {
    ...strict,
    title: 'How long sessions live without traffic; the least values are those of the standards',
    expected: 'an object of lifetimes in seconds',
    default: {},
  },
);

export const Nat64Schema = Type.Object(
  {
    enabled: Type.Boolean({ title: 'Run the NAT64 translator', expected: 'true or false', default: true }),
    prefix: text(
      'nat64-prefix',
      'The prefix that IPv4 destinations have',
      'a NAT64 prefix of 32, 40, 48, 56, 64 or 96 bits such as 64:ff9b::/96',
      {
        default: '64:ff9b::/96',
      },
    ),
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
    }),
    offload: Type.Boolean({
      title: 'Take whole segments and leave checksums to the network card (much faster)',
      expected: 'true or false',
      default: true,
    }),
    fastPath: Type.Boolean({
      title:
        'Let the kernel translate established TCP and UDP flows itself (eBPF, Linux 6.6 or later); what it cannot takes the way through the translator',
      expected: 'true or false',
      default: true,
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
    lifetimes: Nat64LifetimesSchema,
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
      title: 'What is one client: all IPv6 addresses that agree in so many bits',
      expected: 'a whole number from 32 to 128',
      default: 128,
    }),
    maxSessions: Type.Integer({
      minimum: 1024,
      maximum: 4_194_304,
      title: 'Sessions kept at most',
      expected: 'a whole number from 1024 to 4194304',
      default: 65_536,
    }),
  },
  { ...strict, title: 'NAT64', expected: 'an object', default: {} },
);

export const AdminSchema = Type.Object(
  {
    listen: ListenAddresses('Addresses that the admin page binds', ['127.0.0.1', '::1']),
    port: Port('Port of the admin page', { default: 8064 }),
    allow: AccessList('Who may connect'),
    hostnames: Type.Array(text('hostname', 'Host name', 'a host name such as tombolo.local'), {
      title: 'Host names under which a browser may reach the admin page, beside localhost and IP addresses',
      expected: 'a list of host names',
      default: ['tombolo.local'],
    }),
    tls: Type.Union([Type.Literal('self-signed'), Type.Literal('off')], {
      title:
        'HTTPS with a certificate of our own, on the same port; plain HTTP is then only answered to this machine itself',
      expected: '"self-signed" or "off"',
      default: 'self-signed',
    }),
  },
  { ...strict, title: 'Admin page', expected: 'an object', default: {} },
);

export const ConfigSchema = Type.Object(
  {
    version: Type.Literal(1, { title: 'Version of this format', expected: '1', default: 1 }),
    hosts: Type.Array(HostSchema, {
      title: 'The IPv6-only servers',
      expected: 'a list of servers',
      default: [],
    }),
    proxy: ProxySchema,
    forward: ForwardSchema,
    dns64: Dns64Schema,
    nat64: Nat64Schema,
    admin: AdminSchema,
  },
  { ...strict, title: 'Tombolo configuration', expected: 'a JSON object' },
);

/** A complete configuration: every default is filled in. */
export type Config = Static<typeof ConfigSchema>;
export type HostConfig = Static<typeof HostSchema>;
export type ListenerConfig = Static<typeof ListenerSchema>;
export type ProxyConfig = Static<typeof ProxySchema>;
export type ForwardConfig = Static<typeof ForwardSchema>;
export type Dns64Config = Static<typeof Dns64Schema>;
export type Nat64Config = Static<typeof Nat64Schema>;
export type AdminConfig = Static<typeof AdminSchema>;
