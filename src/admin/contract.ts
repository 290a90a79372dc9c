/** The shapes that the API answers with: for Fastify's serialisation, and as types for the page. */
import { type Static, type TSchema, Type } from '../config/json-schema.ts';

const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const ErrorAnswer = Type.Object({
  /** A word for programs: "unauthorized", "invalid-config", ... */
  error: Type.String(),
  /** A sentence for people. */
  message: Type.String(),
  problems: Type.Optional(
    Type.Array(
      Type.Object({
        path: Type.String(),
        value: Type.Optional(Type.String()),
        expected: Type.String(),
        message: Type.String(),
        line: Type.Optional(Type.Integer()),
        column: Type.Optional(Type.Integer()),
      }),
    ),
  ),
});

const OverallState = Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('failed')]);

export const HealthAnswer = Type.Object({ status: OverallState, version: Type.String() });

export const StatusAnswer = Type.Object({
  status: OverallState,
  version: Type.String(),
  /** ISO 8601. */
  startedAt: Type.String(),
  process: Type.Object({
    rssBytes: Type.Number(),
    cpuSeconds: Type.Number(),
    uptimeSeconds: Type.Number(),
  }),
  services: Type.Array(
    Type.Object({
      name: Type.String(),
      state: Type.Union([
        Type.Literal('running'),
        Type.Literal('degraded'),
        Type.Literal('disabled'),
        Type.Literal('failed'),
      ]),
      problem: Nullable(Type.String()),
      restarts: Type.Integer(),
      figures: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()])),
    }),
  ),
});

export const CountersAnswer = Type.Object({
  services: Type.Array(
    Type.Object({
      name: Type.String(),
      counters: Type.Array(
        Type.Object({ name: Type.String(), value: Type.Number(), explanation: Type.String() }),
      ),
    }),
  ),
});

/** `document` is what the person wrote, `effective` the same with every default. */
export const ConfigAnswer = Type.Object({
  revision: Type.String(),
  document: Type.Unknown(),
  effective: Type.Unknown(),
});

export const ConfigChangedAnswer = Type.Object({ revision: Type.String(), changed: Type.Boolean() });

export const CheckAnswer = Type.Object({ valid: Type.Literal(true) });

export const SshConfigAnswer = Type.Object({
  /** Where the snippets point: as asked for, or an own address. */
  hostname: Type.String(),
  servers: Type.Array(Type.Object({ name: Type.String(), port: Type.Integer(), snippet: Type.String() })),
});

const Nat64Protocol = Type.Union([Type.Literal('tcp'), Type.Literal('udp'), Type.Literal('icmp')]);

// The shapes of runtime/nat64-queries.ts.
const nat64Mapping = {
  protocol: Nat64Protocol,
  client: Type.String(),
  clientPort: Type.Integer(),
  poolAddress: Type.String(),
  poolPort: Type.Integer(),
};

export const Nat64SessionsAnswer = Type.Object({
  rows: Type.Array(
    Type.Object({
      ...nat64Mapping,
      remote: Type.String(),
      remotePort: Type.Integer(),
      state: Nullable(Type.String()),
      endsInSeconds: Type.Integer(),
    }),
  ),
  /** For the parameter "cursor" of the next request; null at the end. */
  nextCursor: Nullable(Type.Integer()),
});

export const Nat64BibAnswer = Type.Object({
  rows: Type.Array(Type.Object({ ...nat64Mapping, isStatic: Type.Boolean(), sessions: Type.Integer() })),
  nextCursor: Nullable(Type.Integer()),
});

export const Nat64ClientsAnswer = Type.Object({
  rows: Type.Array(
    Type.Object({ client: Type.String(), sessions: Type.Integer(), mappings: Type.Integer() }),
  ),
  clients: Type.Integer(),
  isComplete: Type.Boolean(),
});

export const Nat64PoolAnswer = Type.Object({
  sessions: Type.Integer(),
  maxSessions: Type.Integer(),
  pools: Type.Array(
    Type.Object({
      address: Type.String(),
      firstPort: Type.Integer(),
      lastPort: Type.Integer(),
      size: Type.Integer(),
      used: Type.Object({ tcp: Type.Integer(), udp: Type.Integer(), icmp: Type.Integer() }),
    }),
  ),
});

export const Nat64ExplainAnswer = Type.Object({
  isTranslated: Type.Boolean(),
  steps: Type.Array(
    Type.Object({ isOk: Type.Boolean(), text: Type.String(), counter: Nullable(Type.String()) }),
  ),
});

export type ErrorAnswer = Static<typeof ErrorAnswer>;
export type HealthAnswer = Static<typeof HealthAnswer>;
export type StatusAnswer = Static<typeof StatusAnswer>;
export type CountersAnswer = Static<typeof CountersAnswer>;
export type SshConfigAnswer = Static<typeof SshConfigAnswer>;
export type Nat64SessionsAnswer = Static<typeof Nat64SessionsAnswer>;
export type Nat64BibAnswer = Static<typeof Nat64BibAnswer>;
export type Nat64ClientsAnswer = Static<typeof Nat64ClientsAnswer>;
export type Nat64PoolAnswer = Static<typeof Nat64PoolAnswer>;
export type Nat64ExplainAnswer = Static<typeof Nat64ExplainAnswer>;
