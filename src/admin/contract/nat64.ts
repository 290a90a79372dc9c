/** What is in NAT64's tables, and what it would do with a packet. */
import { type Static, Type } from '../../config/json-schema.ts';
import { Nullable } from './common.ts';

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

const byProtocol = Type.Object({ tcp: Type.Integer(), udp: Type.Integer(), icmp: Type.Integer() });

export const Nat64PoolAnswer = Type.Object({
  sessions: Type.Integer(),
  maxSessions: Type.Integer(),
  pools: Type.Array(
    Type.Object({
      address: Type.String(),
      firstPort: Type.Integer(),
      lastPort: Type.Integer(),
      size: Type.Integer(),
      protocols: Type.Array(Nat64Protocol),
      used: byProtocol,
    }),
  ),
  /** Null where ports are chosen at random. */
  portBlocks: Nullable(Type.Object({ size: Type.Integer(), clients: Type.Integer(), blocks: byProtocol })),
});

export const Nat64PortBlocksAnswer = Type.Object({
  /** At most one for each protocol. */
  rows: Type.Array(
    Type.Object({
      protocol: Nat64Protocol,
      /** A prefix. */
      client: Type.String(),
      poolAddress: Type.String(),
      firstPort: Type.Integer(),
      lastPort: Type.Integer(),
    }),
  ),
});

export const Nat64ExplainAnswer = Type.Object({
  isTranslated: Type.Boolean(),
  steps: Type.Array(
    Type.Object({ isOk: Type.Boolean(), text: Type.String(), counter: Nullable(Type.String()) }),
  ),
});

export type Nat64SessionsAnswer = Static<typeof Nat64SessionsAnswer>;
export type Nat64BibAnswer = Static<typeof Nat64BibAnswer>;
export type Nat64ClientsAnswer = Static<typeof Nat64ClientsAnswer>;
export type Nat64PortBlocksAnswer = Static<typeof Nat64PortBlocksAnswer>;
export type Nat64PoolAnswer = Static<typeof Nat64PoolAnswer>;
export type Nat64ExplainAnswer = Static<typeof Nat64ExplainAnswer>;
