/** Common kinds of values for all parts of the schema, each with the text that describes a valid value. */
import { Type } from '../runtime/shape.ts';

export const strict = { additionalProperties: false } as const;

export const text = (format: string, title: string, expected: string, options: object = {}) =>
  Type.String({ format, title, expected, ...options });

export const Port = (title: string, options: object = {}) =>
  Type.Integer({ minimum: 1, maximum: 65535, title, expected: 'a port number from 1 to 65535', ...options });

export const Ipv6Address = (title: string) =>
  text('ipv6-address', title, 'an IPv6 address such as 2001:db8:1::10');

export const ListenAddresses = (title: string, defaults: string[]) =>
  Type.Array(text('ip-address', 'Address', 'an IPv4 or IPv6 address; 0.0.0.0 and :: stand for all'), {
    title,
    expected: 'a list of addresses',
    default: defaults,
  });

export const AccessList = (title: string) =>
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

/** Who may reach a server: everybody by default. */
export const HostAccessList = (title: string) =>
  Type.Array(
    text(
      'host-access-entry',
      'Entry',
      'a prefix such as 192.0.2.0/24, "lan" for every network the appliance is attached to, or "any"',
    ),
    { title, expected: 'a list of prefixes; an empty list admits nobody', default: ['any'] },
  );

export const AccessLogValue = (title: string, options: object = {}) =>
  Type.Union([Type.Literal('off'), Type.Literal('errors'), Type.Literal('all')], {
    title,
    expected: '"off", "errors" or "all"',
    ...options,
  });

export const Label = (title: string) =>
  Type.String({
    pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
    title,
    expected: 'a label of lower-case letters, digits and hyphens, at most 63 characters',
  });

const atMost = (maximum: number, title: string) =>
  Type.Optional(
    Type.Integer({ minimum: 1, maximum, title, expected: `a whole number from 1 to ${maximum}` }),
  );

/** The limits of a TCP service. `connections`: how many it can have. */
export const ConnectionLimits = (connections: number) =>
  Type.Object(
    {
      connections: atMost(
        connections,
        'Most connections that are open at once; when left out, as many as descriptors and memory allow',
      ),
      connectionsPerClient: atMost(
        connections,
        'Most connections of one client (an IPv4 address, or the /64 of IPv6 addresses); when left out, the clients with most lose first when all are in use',
      ),
      newConnectionsPerSecondPerClient: atMost(
        100_000,
        'Most new connections of one client in a second; when left out, only a client that keeps others waiting is refused',
      ),
      connectionsPerServer: atMost(
        connections,
        'Most connections to one server; when left out, some are always left for the other servers',
      ),
      halfClosedTimeoutMs: Type.Integer({
        minimum: 1000,
        maximum: 86_400_000,
        title:
          'How long nothing may arrive from one side after the other has ended, before the connection is closed',
        expected: 'a whole number of milliseconds from 1000 to 86400000',
        default: 600_000,
      }),
    },
    { ...strict, title: 'Limits', expected: 'an object', default: {} },
  );
