/** The proxy's part of the configuration. */
import {
  ConnectionLimits,
  Label,
  ListenAddresses,
  Port,
  strict,
  text,
  AccessLogValue,
} from '../../config/schema-values.ts';
import { type Static, Type } from '../../runtime/shape.ts';

export const ListenerSchema = Type.Object(
  {
    name: Label('Name, unique'),
    port: Port('Port on the appliance, and on a server that does not say another one'),
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
    defaultHost: Type.Optional(
      Label('Server for clients that name none, or a name that no server has; nobody when left out'),
    ),
    allowedPrefixes: Type.Array(
      text(
        'allowed-prefix',
        'Prefix',
        'an IPv6 prefix of 16 bits or more such as 2001:db8:1::/64: a shorter one would let everybody use this appliance to reach the Internet',
      ),
      {
        title:
          'Names that no server has lead to their AAAA records, if these lie in one of these prefixes. The resolvers of DNS64 are asked. Empty: such names are not looked up',
        maxItems: 64,
        expected: 'a list of at most 64 IPv6 prefixes',
        default: [],
      },
    ),
    trustedProxies: Type.Array(text('ip-prefix', 'Proxy', 'an address, or a prefix such as 192.0.2.0/24'), {
      title:
        'Proxies in front of this appliance, such as load balancers: each connection from them must begin with a PROXY header (version 1 or 2), which tells the address of the client, also at SSH ports; a header of anybody else is none',
      expected: 'a list of addresses and prefixes',
      default: [],
    }),
    mappedPrefix: text(
      'mapped-prefix',
      'For servers with clientAddress "mapped": the prefix of the IPv6 addresses that stand for IPv4 clients; the server needs a route for it to the appliance',
      'an IPv6 prefix of 96 bits such as 64:ff9b:1:fffe::/96',
      { default: '64:ff9b:1:fffe::/96' },
    ),
    mappedFallback: Type.Union([Type.Literal('none'), Type.Literal('refuse')], {
      title:
        'When a server has no such route: connect from the address of the appliance, as with clientAddress "none"; or refuse the client',
      expected: '"none" or "refuse"',
      default: 'none',
    }),
    handshakeTimeoutMs: Type.Integer({
      minimum: 100,
      maximum: 600_000,
      title: 'How long a client may take until its server is known, and a server to accept the connection',
      expected: 'a whole number of milliseconds from 100 to 600000',
      default: 10_000,
    }),
    responseTimeoutMs: Type.Integer({
      minimum: 100,
      maximum: 3_600_000,
      title: 'HTTP: how long a server may take until its answer begins; then the client gets 504',
      expected: 'a whole number of milliseconds from 100 to 3600000',
      default: 60_000,
    }),
    idleTimeoutMs: Type.Integer({
      minimum: 1000,
      maximum: 86_400_000,
      title: 'How long a connection may carry no data before it is closed',
      expected: 'a whole number of milliseconds from 1000 to 86400000',
      default: 3_600_000,
    }),
    limits: ConnectionLimits(32_768),
    workers: Type.Union([Type.Integer({ minimum: 1, maximum: 16 }), Type.Literal('auto')], {
      title:
        'Worker threads, which use as many cores and take 12 MB each; "auto": one for each core and each 512 MB of memory, at most 8',
      expected: 'a whole number from 1 to 16, or "auto"',
      default: 1,
    }),
    accessLog: AccessLogValue(
      'Access log, a line of JSON in the log of the appliance for each HTTP request and each TLS or SSH connection: none; those that failed; or all',
      { default: 'off' },
    ),
  },
  { ...strict, title: 'Proxy', expected: 'an object', default: {} },
);

export type ListenerConfig = Static<typeof ListenerSchema>;
export type ProxyConfig = Static<typeof ProxySchema>;
