/** What the explanations are made of. */
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

/** What the tables hold that concerns the packet. */
export interface Found {
  /** Of the client's port, when that is known and has one. */
  mapping: Mapping | undefined;
  session: SessionRow | undefined;
  /** BIB entries of the client for this protocol. */
  entries: number;
  /** What counts for the limits of the client, which may be a prefix; static entries do not. */
  clientMappings: number;
  clientSessions: number;
  /** For the shares: of this protocol, and of the network that the client is in. */
  clientPorts: number;
  networkPorts: number;
  networkSessions: number;
  /** The client's own ports, where clients have blocks, and BIB entries that have some of them. */
  block: PortPool | undefined;
  blockEntries: number;
  /** Who has the destination, when that is a pool4 address. */
  target: Mapping | undefined;
  use: PoolUse;
}
