/** The parts of the explanations. */
import type { Arrival, ExplainStep, PoolUse, SessionRow } from '../questions.ts';
import type { Nat64Counter } from '../counters.ts';
import type { Mapping } from '../tables/inspect.ts';
import { type Text, say } from '../../../texts/text.ts';
import type { PortPool } from '../settings/pool.ts';

/** RFC 5382 section 4.3: how long an unanswered SYN waits. */
export const SYN_KEPT: Text = say('The SYN is kept for 6 seconds, then refused.');

export const passed = (text: Text, arrival?: Arrival): ExplainStep => ({
  isOk: true,
  text,
  counter: null,
  ...(arrival !== undefined && { arrival }),
});
export const refused = (counter: Nat64Counter, text: Text): ExplainStep => ({ isOk: false, text, counter });

/** What the tables contain about the packet. */
export interface Found {
  /** The mapping of the client's port, if the port is known and has one. */
  mapping: Mapping | undefined;
  session: SessionRow | undefined;
  /** BIB entries of the client for this protocol. */
  entries: number;
  /** What counts for the limits of the client, which may be a prefix. Static entries do not count. */
  clientMappings: number;
  clientSessions: number;
  /** For the shares: the ports of this protocol, and the numbers of the client's network. */
  clientPorts: number;
  networkPorts: number;
  networkSessions: number;
  /** The client's own port block, if clients have blocks, and the BIB entries that use its ports. */
  block: PortPool | undefined;
  blockEntries: number;
  /** The mapping of the destination, if that is a pool4 address. */
  target: Mapping | undefined;
  use: PoolUse;
}
