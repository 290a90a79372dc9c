/** The shape of the answer who holds how much of the connections of a TCP service (tcp-shares.ts), in the API. */
import { type Static, Type } from '../runtime/shape.ts';

export const TcpSharesAnswer = Type.Object({
  /** How many connections there may be. */
  maxConnections: Type.Integer(),
  /** The clients with most connections, the first one with most of all. */
  clients: Type.Array(
    Type.Object({
      /** An IPv4 address, or the /64 of IPv6 addresses. */
      client: Type.String(),
      connections: Type.Integer(),
      /** Of these: connections whose server is not known or reached yet. */
      openings: Type.Integer(),
    }),
  ),
  /** The clients that were refused at a limit, or lost connections to it, most often since the start of the process. */
  refused: Type.Array(
    Type.Object({
      client: Type.String(),
      /** About how often: perhaps a little less. */
      count: Type.Integer(),
      /** Why, the last time: a counter and its explanation. */
      counter: Type.String(),
      explanation: Type.String(),
      /** Milliseconds since 1970. */
      lastMs: Type.Integer(),
    }),
  ),
});
export type TcpSharesAnswer = Static<typeof TcpSharesAnswer>;
