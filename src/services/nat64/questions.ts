/**
 * Read-only queries about the tables of the running NAT64. They are answered in the main thread, while the worker continues.
 * Addresses, prefixes and ports have the same format as in the configuration. Inputs have been validated.
 */

import type { Text } from '../../texts/text.ts';

export type Nat64Protocol = 'tcp' | 'udp' | 'icmp';

export interface PageRequest {
  /** `nextCursor` of the previous page; 0 for the first. */
  readonly cursor: number;
  /** The limit of rows. */
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
  /** An IPv4 address or prefix that contains the remote end. */
  readonly remote?: string | undefined;
}

/** A mapping: which IPv4 address and port represent a port of an IPv6 host. For ICMP, ports are identifiers. */
export interface BibRow {
  protocol: Nat64Protocol;
  client: string;
  clientPort: number;
  poolAddress: string;
  poolPort: number;
  /** Configured in nat64.static: it always exists. */
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
  /** A state of RFC 6146 section 3.5.2, for example "ESTABLISHED"; null unless TCP. */
  state: string | null;
  /** When it expires, if nothing is sent. */
  endsInSeconds: number;
}

/**
 * A page may have fewer rows than requested, even none, although more follow: one call examines a limited number of records.
 * A caller that follows the cursors gets each entry that exists during the whole time exactly once.
 */
export interface Page<Row> {
  rows: Row[];
  /** Where to continue; null at the end. */
  nextCursor: number | null;
}

export interface ClientRow {
  client: string;
  sessions: number;
  mappings: number;
}

export interface TopClients {
  /** The clients with the most sessions come first. */
  rows: ClientRow[];
  /** Number of clients counted. */
  clients: number;
  /** False if there are more clients than can be counted individually. */
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
    /** Number of ports for each of these protocols. */
    size: number;
    protocols: Nat64Protocol[];
    used: Record<Nat64Protocol, number>;
  }[];
  /** Null if ports are chosen at random. `blocks`: the number of blocks of the pool for each protocol. */
  portBlocks: { size: number; clients: number; blocks: Record<Nat64Protocol, number> } | null;
}

/** Which ports a client has, or which client a port belongs to. */
export type PortBlockQuestion =
  | { readonly client: string }
  | { readonly poolAddress: string; readonly poolPort: number };

/** A block of ports that permanently belongs to a client (RFC 7422). */
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
  /** IPv6; or IPv4, which means the address that represents it in the NAT64 prefix. */
  readonly destination: string;
  readonly protocol: Nat64Protocol;
  /** Port, or ICMP identifier, that the client sends from. */
  readonly clientPort?: number | undefined;
  readonly destinationPort?: number | undefined;
}

export interface ExplainStep {
  isOk: boolean;
  /** The result, as a sentence. */
  text: Text;
  /** The counter of the refusal. */
  counter: string | null;
  /** Only in the last step: where the translated packet goes. */
  arrival?: Arrival;
}

/**
 * internet: goes to the IPv4 side; host: is hairpinned to an IPv6 host; translator: leaves, comes back in, and is translated again.
 */
export interface Arrival {
  readonly kind: 'internet' | 'host' | 'translator';
  /** An IPv4 address; for "host", the address of the host. */
  readonly address: string;
  /** The port of the host; only for "host". */
  readonly port?: number;
}

export interface Explanation {
  /** Whether such a packet would be translated and sent. */
  isTranslated: boolean;
  steps: ExplainStep[];
}

export interface Nat64Queries {
  sessions(filter: SessionFilter, page: PageRequest): Promise<Page<SessionRow>>;
  bib(filter: BibFilter, page: PageRequest): Promise<Page<BibRow>>;
  topClients(limit: number): Promise<TopClients>;
  poolUse(): Promise<PoolUse>;
  /** At most one block for each protocol; none if nat64.portBlocks is off, or if no client has the port. */
  portBlocks(question: PortBlockQuestion): Promise<PortBlockRow[]>;
  explain(request: ExplainRequest): Promise<Explanation>;
}
