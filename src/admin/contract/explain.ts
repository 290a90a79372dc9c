/** The shapes of explanations: which way traffic would take, and the assertions of the configuration about it. */
import { type Static, Type } from '../../config/json-schema.ts';
import { Nullable, strict } from './common.ts';

export const ExplainStep = Type.Object({
  isOk: Type.Boolean(),
  /** The service that decides, or "network", or "admin". */
  service: Type.String(),
  /** The result, as a sentence. */
  text: Type.String(),
  /** The counter that counts this, e.g. "drop-not-allowed". */
  counter: Type.Optional(Type.String()),
  /** JSON pointer to the rule in the configuration. */
  configPath: Type.Optional(Type.String()),
});

export const ExplainOutcome = Type.Object({
  /**
   * server: reaches one of `hosts`; appliance: the appliance itself answers; direct: does not pass through the appliance;
   * refused: by a rule; unknown: a name could not be looked up; nat64: translated to IPv4, or another word of a service.
   */
  kind: Type.String(),
  /** Name of the server; null unless kind is "server". */
  server: Nullable(Type.String()),
  /** Where it arrives, if it arrives. */
  address: Nullable(Type.String()),
  port: Nullable(Type.Integer()),
  /** One sentence. */
  text: Type.String(),
});

/** An assertion of the configuration and its result. */
export const AssertionResult = Type.Object({
  name: Type.String(),
  /** JSON pointer to the assertion. */
  path: Type.String(),
  /** unknown: a name could not be looked up; this does not prevent a change. */
  state: Type.Union([Type.Literal('passed'), Type.Literal('failed'), Type.Literal('unknown')]),
  /** A server's name, "nat64" or "refused". */
  expect: Type.String(),
  outcome: ExplainOutcome,
  steps: Type.Array(ExplainStep),
  /** One sentence: what was expected, and what would happen instead. */
  message: Type.String(),
});

/** POST explain */
export const ExplainRequest = Type.Object(
  {
    from: Type.String({
      format: 'ip-address',
      title: 'Who connects',
      expected: 'an IPv4 address (from the Internet), or an IPv6 address (from a server)',
    }),
    protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp'), Type.Literal('icmp')], {
      title: 'Protocol',
      expected: '"tcp", "udp" or "icmp"',
    }),
    to: Type.Union([Type.String({ format: 'hostname' }), Type.String({ format: 'ip-address' })], {
      title: 'Where to',
      expected: 'a host name such as www.example.com, or an IP address',
    }),
    port: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        title: 'To which port; icmp has none',
        expected: 'a port number from 1 to 65535',
      }),
    ),
    alpn: Type.Optional(
      Type.Array(Type.String({ pattern: '^[!-~]{1,255}$', expected: 'the name of a protocol' }), {
        maxItems: 16,
        title: 'Protocols that a TLS client offers (ALPN)',
        expected: 'a list of protocols such as "h2" or "acme-tls/1"',
      }),
    ),
  },
  { ...strict, expected: 'an object with "from", "protocol", "to" and "port"' },
);

export const ExplainAnswer = Type.Object({ steps: Type.Array(ExplainStep), outcome: ExplainOutcome });

/** GET assertions: those of the active configuration, evaluated now. */
export const AssertionsAnswer = Type.Object({ rows: Type.Array(AssertionResult) });

export type ExplainStep = Static<typeof ExplainStep>;
export type ExplainOutcome = Static<typeof ExplainOutcome>;
export type AssertionResult = Static<typeof AssertionResult>;
export type ExplainRequest = Static<typeof ExplainRequest>;
export type ExplainAnswer = Static<typeof ExplainAnswer>;
export type AssertionsAnswer = Static<typeof AssertionsAnswer>;
