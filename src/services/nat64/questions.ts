/**
 * What one may ask the running NAT64: read-only questions about its tables, answered in the main thread while the worker
 * goes on. Addresses, prefixes and ports are in the form that the configuration has. Inputs have been validated.
 */

import type { Text } from '../../texts/text.ts';

export type Nat64Protocol = 'tcp' | 'udp' | 'icmp';

export interface PageRequest {
  /** `nextCursor` of the page before; 0 for the first. */
  readonly cursor: number;
  /** Rows at most. */
  readonly limit: number;
}

export interface BibFilter {
  readonly protocol?: Nat64Protocol | undefined;
  /** An IPv6 address or prefix that contains the host. */
  readonly client?: string | undefined;
  /** Port, or ICMP identifier, on the pool4 address. */
  readonly poolPort?: number | undefined;
}

export interface SessionFilter extends BibFilter {
  /** An IPv4 address or prefix that contains the other end. */
  readonly remote?: string | undefined;
}

/** A mapping: which IPv4 address and port stand for a port of an IPv6 host. For ICMP, ports are identifiers. */
export interface BibRow {
  protocol: Nat64Protocol;
  client: string;
  clientPort: number;
  poolAddress: string;
  poolPort: number;
  /** Always there, by nat64.static. */
  isStatic: boolean;
  sessions: number;
}

export interface SessionRow {
  protocol: Nat64Protocol;
  client: string;
  clientPort: number;
  poolAddress: string;
  poolPort: number;
  remote: string;
  /** 0 for ICMP. */
  remotePort: number;
  /** Of RFC 6146 section 3.5.2, e.g. "ESTABLISHED"; null unless TCP. */
  state: string | null;
  /** When it ends, if nothing is sent. */
  endsInSeconds: number;
}

/**
 * A page may hold fewer rows than asked for, even none, though more follow: one call looks at so many records only.
 * Who follows the cursors meets each entry that lives all the while exactly once.
 */
export interface Page<Row> {
  rows: Row[];
  /** Where to go on; null at the end. */
  nextCursor: number | null;
}

export interface ClientRow {
  client: string;
  sessions: number;
  mappings: number;
}

export interface TopClients {
  /** Those with the most sessions first. */
  rows: ClientRow[];
  /** Clients counted. */
  clients: number;
  /** False when there are more clients than are counted apart. */
  isComplete: boolean;
}

export interface PoolUse {
  sessions: number;
  maxSessions: number;
  /** Empty while the appliance has no IPv4 address. */
  pools: {
    address: string;
    firstPort: number;
    lastPort: number;
    /** Ports that each of these protocols has. */
    size: number;
    protocols: Nat64Protocol[];
    used: Record<Nat64Protocol, number>;
  }[];
  /** Null where ports are chosen at random. `blocks`: those that the pool has for each protocol. */
  portBlocks: { size: number; clients: number; blocks: Record<Nat64Protocol, number> } | null;
}

/** Which ports a client has, or which client a port belongs to. */
export type PortBlockQuestion =
  | { readonly client: string }
  | { readonly poolAddress: string; readonly poolPort: number };

/** A block of ports that is a client's for ever (RFC 7422). */
export interface PortBlockRow {
  protocol: Nat64Protocol;
  /** A prefix. */
  client: string;
  poolAddress: string;
  firstPort: number;
  lastPort: number;
}

/** A packet to be explained: a TCP SYN, a UDP datagram or an echo request. */
export interface ExplainRequest {
  readonly client: string;
  /** IPv6, or IPv4 for the address that stands for it in the NAT64 prefix. */
  readonly destination: string;
  readonly protocol: Nat64Protocol;
  /** Port, or ICMP identifier, that the client sends from. */
  readonly clientPort?: number | undefined;
  readonly destinationPort?: number | undefined;
}

export interface ExplainStep {
  isOk: boolean;
  /** What was found, as a sentence. */
  text: Text;
  /** The counter of the refusal. */
  counter: string | null;
  /** Of the last step, where the translated packet goes. */
  arrival?: Arrival;
}

/**
 * internet: leaves for the IPv4 side; host: comes back in to an IPv6 host; translator: comes back in, and is translated
 * again.
 */
export interface Arrival {
  readonly kind: 'internet' | 'host' | 'translator';
  /** IPv4, but of a host. */
  readonly address: string;
  /** That of a host. */
  readonly port?: number;
}

export interface Explanation {
  /** Whether such a packet would be sent on. */
  isTranslated: boolean;
  steps: ExplainStep[];
}

export interface Nat64Queries {
  sessions(filter: SessionFilter, page: PageRequest): Promise<Page<SessionRow>>;
  bib(filter: BibFilter, page: PageRequest): Promise<Page<BibRow>>;
  topClients(limit: number): Promise<TopClients>;
  poolUse(): Promise<PoolUse>;
  /** At most one for each protocol; none while nat64.portBlocks is off, or when nobody has them. */
  portBlocks(question: PortBlockQuestion): Promise<PortBlockRow[]>;
  explain(request: ExplainRequest): Promise<Explanation>;
}
