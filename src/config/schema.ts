/**
 * The configuration: the one source of its types, validation, defaults, API description and reference documentation.
 *
 * Every property carries a `title`, and `expected`, the words that an error uses for what would be right;
 * `requiresRestart` says that a change of it starts its service again. Every property has a default except those that
 * name a server: an empty object is a valid configuration.
 */
import { type Static, Type } from './json-schema.ts';
import { Nat64Schema } from './nat64-schema.ts';
import { strict, text, Port, Ipv6Address, ListenAddresses, AccessList, Label } from './schema-values.ts';

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
    // Full, as AdGuard Home and Pi-hole begin too: who asks are the servers of the person who reads it, it is the means to
    // find what does not resolve, and it is in memory only. Where people's own devices ask, less is right.
    queryLog: Type.Union([Type.Literal('full'), Type.Literal('names'), Type.Literal('off')], {
      title:
        'What the timeline shows of queries (the last 1000, in memory only): who asked for what; names, but not who asked; or nothing. With less, what was recorded before is forgotten',
      expected: '"full", "names" or "off"',
      default: 'full',
    }),
  },
  { ...strict, title: 'DNS64', expected: 'an object', default: {} },
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

const AssertionSchema = Type.Object(
  {
    name: Type.String({
      pattern: '^[^\\p{Cc}]{1,100}$',
      title: 'What it says, unique',
      expected: 'a text of 1 to 100 characters, such as "the shop is reachable"',
    }),
    from: text(
      'ip-address',
      'Who connects',
      'an IPv4 address such as 203.0.113.9 (from the Internet), or an IPv6 address (a server)',
    ),
    protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp'), Type.Literal('icmp')], {
      title: 'Protocol',
      expected: '"tcp", "udp" or "icmp"',
      default: 'tcp',
    }),
    to: Type.Union([Type.String({ format: 'hostname' }), Type.String({ format: 'ip-address' })], {
      title: 'Where to; names that come from the Internet are taken to lead to this appliance',
      expected: 'a host name such as www.example.com, or an IP address',
    }),
    port: Type.Optional(Port('To which port; icmp has none')),
    expect: Type.String({
      pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
      title: 'What must come of it: a server, translation by NAT64, or a refusal',
      expected: 'the name of a server, "nat64" or "refused"',
    }),
  },
  { ...strict, title: 'Assertion', expected: 'an object with "name", "from", "to", "port" and "expect"' },
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
    shutdownSeconds: Type.Integer({
      minimum: 0,
      maximum: 300,
      title: 'When the process ends: seconds in which open connections may finish, before they are cut',
      expected: 'a whole number from 0 to 300',
      default: 10,
    }),
    assertions: Type.Array(AssertionSchema, {
      maxItems: 100,
      title: 'What must hold: a change of the configuration that breaks one is refused',
      expected: 'a list of at most 100 assertions',
      default: [],
    }),
  },
  { ...strict, title: 'Tombolo configuration', expected: 'a JSON object' },
);

export { type Nat64Config, Nat64Schema } from './nat64-schema.ts';

/** A complete configuration: every default is filled in. */
export type Config = Static<typeof ConfigSchema>;
export type HostConfig = Static<typeof HostSchema>;
export type ListenerConfig = Static<typeof ListenerSchema>;
export type ProxyConfig = Static<typeof ProxySchema>;
export type ForwardConfig = Static<typeof ForwardSchema>;
export type Dns64Config = Static<typeof Dns64Schema>;
export type AssertionConfig = Static<typeof AssertionSchema>;
export type AdminConfig = Static<typeof AdminSchema>;
