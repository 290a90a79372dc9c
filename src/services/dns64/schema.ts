/** DNS64's part of the configuration. */
import { AccessList, ListenAddresses, Port, strict, text } from '../../config/schema-values.ts';
import { type Static, Type } from '../../runtime/shape.ts';

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
    // Full by default, as in AdGuard Home and Pi-hole. The clients are the servers of the person who reads the log, the log
    // helps to find what does not resolve, and it is in memory only. If people's own devices use the resolver, a lower level is
    // better.
    queryLog: Type.Union([Type.Literal('full'), Type.Literal('names'), Type.Literal('off')], {
      title:
        'What the timeline shows of queries (the last 1000, in memory only): who asked for what; names, but not who asked; or nothing. With less, what was recorded before is forgotten',
      expected: '"full", "names" or "off"',
      default: 'full',
    }),
  },
  { ...strict, title: 'DNS64', expected: 'an object', default: {} },
);

export type Dns64Config = Static<typeof Dns64Schema>;
