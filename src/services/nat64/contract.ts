/** NAT64's own shapes in the API: the contents of its tables, what it would do with a packet, the events of its log. */
import { type Found, eventKind, eventShape } from '../../runtime/event-kind.ts';
import { Nullable, type Static, Type } from '../../runtime/shape.ts';

const Nat64Protocol = Type.Union([Type.Literal('tcp'), Type.Literal('udp'), Type.Literal('icmp')]);

// The results of the functions in queries.ts.
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
  /** Null if ports are chosen at random. */
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

export const Nat64Event = eventShape('nat64', {
  what: Type.Union([
    Type.Literal('mapping-created'),
    Type.Literal('mapping-removed'),
    Type.Literal('session-created'),
    Type.Literal('session-removed'),
  ]),
  protocol: Nat64Protocol,
  client: Type.String(),
  /** For ICMP, identifiers. */
  clientPort: Type.Integer(),
  /** Name of the configured server with this address. */
  server: Nullable(Type.String()),
  poolAddress: Type.String(),
  poolPort: Type.Integer(),
  /** The remote end of a session; null for a mapping, which may have many. */
  remote: Nullable(Type.String()),
  remotePort: Nullable(Type.Integer()),
});
export type Nat64Event = Static<typeof Nat64Event>;
/** The log adds the server. */
export type Nat64Found = Omit<Found<Nat64Event>, 'server'>;

export const nat64Kind = eventKind<Nat64Event>({
  name: 'nat64',
  shape: Nat64Event,
  kept: 500,
  serverBy: 'client',
  addsServer: true,
  line: ({ what, protocol, client, clientPort, poolAddress, poolPort }) =>
    `nat64 ${what} ${protocol} [${client}]:${clientPort} = ${poolAddress}:${poolPort}`,
});

export type Nat64SessionsAnswer = Static<typeof Nat64SessionsAnswer>;
export type Nat64BibAnswer = Static<typeof Nat64BibAnswer>;
export type Nat64ClientsAnswer = Static<typeof Nat64ClientsAnswer>;
export type Nat64PortBlocksAnswer = Static<typeof Nat64PortBlocksAnswer>;
export type Nat64PoolAnswer = Static<typeof Nat64PoolAnswer>;
export type Nat64ExplainAnswer = Static<typeof Nat64ExplainAnswer>;
