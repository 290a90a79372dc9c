/**
 * The configuration: the only source of its types, validation, defaults, API description and reference documentation.
 *
 * Every property has a `title`, and `expected`, which error messages use to describe a valid value; `requiresRestart` means
 * that a change of it restarts its service. The part of each service is in the folder of the service. Every property has a
 * default except those that name a server, so an empty object is a valid configuration.
 */
import { type Static, Type } from '../runtime/shape.ts';
import { Dns64Schema } from '../services/dns64/schema.ts';
import { ForwardSchema } from '../services/forward/schema.ts';
import { Nat64Schema } from '../services/nat64/schema.ts';
import { ProxySchema } from '../services/proxy/schema.ts';
import {
  AccessList,
  AccessLogValue,
  HostAccessList,
  Ipv6Address,
  Label,
  ListenAddresses,
  Port,
  strict,
  text,
} from './schema-values.ts';

/** The most protocols of one way in. */
const MAX_PROTOCOLS = 16;
/** The most addresses of one server. */
const MAX_ADDRESSES = 16;

const clientAddresses = [
  Type.Literal('none'),
  Type.Literal('proxy-v1'),
  Type.Literal('proxy-v2'),
  Type.Literal('mapped'),
] as const;
const CLIENT_ADDRESSES = '"none", "proxy-v1", "proxy-v2" or "mapped"';

const HostServiceSchema = Type.Object(
  {
    listener: Label('Name of a listener'),
    targetPort: Type.Optional(Port('Port on the server, if it is not the port of the listener')),
    clientAddress: Type.Optional(
      Type.Union([...clientAddresses], {
        title: 'How the server learns the address of the client here, if not as everywhere else',
        expected: CLIENT_ADDRESSES,
      }),
    ),
    alpn: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[!-~]{1,255}$',
          title: 'Protocol',
          expected: 'the name of a protocol in ALPN, such as "acme-tls/1", "h2" or "imap"',
        }),
        {
          minItems: 1,
          maxItems: MAX_PROTOCOLS,
          title:
            'TLS: only for clients that offer one of these protocols in their ClientHello (ALPN); they go before all others, also if another server has the host name',
          expected: `a list of 1 to ${MAX_PROTOCOLS} protocols`,
        },
      ),
    ),
  },
  { ...strict, title: 'Way in', expected: 'an object with "listener"' },
);

const times = (title: string, maximum: number, standard: number) =>
  Type.Integer({
    minimum: 1,
    maximum,
    title,
    expected: `a whole number from 1 to ${maximum}`,
    default: standard,
  });

const HealthSchema = Type.Object(
  {
    check: Type.Union([Type.Literal('tcp'), Type.Literal('tls'), Type.Literal('http')], {
      title:
        'How far a check goes: to the connection; to the TLS handshake with the name of the server; to the answer to a request, over TLS where the listener is for https',
      expected: '"tcp", "tls" or "http"',
      default: 'http',
    }),
    host: Type.Optional(
      text('hostname', 'The name that a check asks for, if not the first host name', 'a host name'),
    ),
    path: Type.String({
      pattern: '^/[!-~]{0,255}$',
      title: 'What a check over HTTP requests (GET)',
      expected: 'a path such as /health',
      default: '/',
    }),
    expect: Type.Array(
      Type.String({
        pattern: '^[2-5](xx|[0-9]{2})$',
        title: 'Status',
        expected: 'a status such as 200, or a class such as 2xx',
      }),
      {
        minItems: 1,
        maxItems: 16,
        title: 'The status of the answer if all is well',
        expected: 'a list of 1 to 16 statuses',
        default: ['2xx', '3xx', '4xx'],
      },
    ),
    intervalSeconds: times('Seconds from one check to the next', 3600, 10),
    failures: times('So many failures in a row take an address out', 10, 3),
    successes: times('So many successes in a row bring it back', 10, 2),
  },
  strict,
);

export const HostSchema = Type.Object(
  {
    name: Label('Name of the server, unique'),
    address: Type.Optional(Ipv6Address('The IPv6 address of the server; left out if it has several')),
    addresses: Type.Optional(
      Type.Array(Ipv6Address('Address'), {
        minItems: 1,
        maxItems: MAX_ADDRESSES,
        title:
          'Its IPv6 addresses, if it has several; one that does not answer is put aside for some seconds, and the next one is tried',
        expected: `a list of 1 to ${MAX_ADDRESSES} addresses`,
      }),
    ),
    balance: Type.Union([Type.Literal('order'), Type.Literal('round-robin')], {
      title: 'Which of several addresses a connection goes to: the first that answers, or each in turn',
      expected: '"order" or "round-robin"',
      default: 'order',
    }),
    health: Type.Union([Type.Literal(false), HealthSchema], {
      title:
        'Health checks: each address is checked regularly at the port of each listener (not SSH); no client is led to one that fails, unless all of them fail',
      expected: 'false, or an object, which may be empty',
      default: false,
    }),
    enabled: Type.Boolean({
      title: 'false: the server stays in the configuration, but nothing leads to it',
      expected: 'true or false',
      default: true,
    }),
    maintenance: Type.Boolean({
      title:
        'Clients are turned away: 503 over HTTP, an alert over TLS, a reset at the SSH port; open connections go on',
      expected: 'true or false',
      default: false,
    }),
    hostnames: Type.Array(
      text(
        'hostname-pattern',
        'Host name',
        'a host name such as example.com, or *.example.com (one label more), or **.example.com (any number more)',
      ),
      {
        title:
          'Host names that lead to this server; an exact one goes before "*.", this before "**.", and of these the longest goes first',
        expected: 'a list of host names',
        default: [],
      },
    ),
    services: Type.Array(
      Type.Union([Label('Listener'), HostServiceSchema], {
        title: 'Way in',
        expected: 'the name of a listener, or an object with "listener"',
      }),
      {
        title: 'Listeners that lead to this server',
        expected: 'a list of names of proxy.listeners',
        default: ['http', 'https'],
      },
    ),
    clientAddress: Type.Union([...clientAddresses], {
      title:
        'How the server learns the address of the client: not at all; by the PROXY protocol; or ("mapped") as the source of the connection, for SSH too: an address of proxy.mappedPrefix',
      expected: CLIENT_ADDRESSES,
      default: 'none',
    }),
    allow: HostAccessList(
      'Which clients may reach this server; the others get 403 over HTTP, an alert over TLS, a reset at the SSH port',
    ),
    redirectToHttps: Type.Union([Type.Literal(false), Type.Literal(301), Type.Literal(308)], {
      title:
        'Plain HTTP is answered with a redirect to https, of this status; never for /.well-known/acme-challenge/',
      expected: 'false, 301 or 308',
      default: false,
    }),
    accessLog: Type.Optional(
      AccessLogValue('What the access log has of this server, if not as proxy.accessLog says'),
    ),
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

export type { Dns64Config } from '../services/dns64/schema.ts';
export type { ForwardConfig } from '../services/forward/schema.ts';
export type { Nat64Config } from '../services/nat64/schema.ts';
export type { ListenerConfig, ProxyConfig } from '../services/proxy/schema.ts';

/** A complete configuration: every default is filled in. */
export type Config = Omit<Static<typeof ConfigSchema>, 'hosts'> & { hosts: HostConfig[] };
/** `address` is the first of several. */
export type HostConfig = Omit<Static<typeof HostSchema>, 'address'> & { address: string };
export type HealthConfig = Static<typeof HealthSchema>;
export type AssertionConfig = Static<typeof AssertionSchema>;
export type AdminConfig = Static<typeof AdminSchema>;

/** The settings of mapped addresses, which several services use, beside `clientAddress` of each server. */
export type MappedConfig = Pick<Config['proxy'], 'mappedPrefix' | 'mappedFallback'>;
