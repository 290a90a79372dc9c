/** The inputs, intermediate values and outputs of the reference translator. */
import type { Bytes } from '../packets.ts';

export interface ReferenceConfig {
  /** 96 bits: the first 12 bytes of every address that stands for an IPv4 address. */
  readonly prefix: Uint8Array;
  /** IPv4 addresses of the appliance itself. */
  readonly own: readonly Uint8Array[];
  /** Stateless mode, RFC 6052: first bytes of the IPv4 addresses that hosts have inside their own ones. */
  readonly embedded: Uint8Array;
  /** The addresses that hosts share; the first is the appliance's own. */
  readonly addresses: readonly Uint8Array[];
  /** Ports of these addresses. */
  readonly pools: readonly { readonly address: Uint8Array; readonly first: number; readonly last: number }[];
  /** RFC 7757: IPv4 and IPv6 addresses as bits, with the lengths of the prefixes. */
  readonly eam: readonly Eam[];
  readonly eamHairpinning: 'none' | 'simple' | 'intrinsic';
  /** Stateless mode: only hosts with an IPv4 address of their own are translated. */
  readonly isStateless: boolean;
  /** RFC 6791 */
  readonly icmpSources4: readonly Uint8Array[];
  /** First bytes of the sources to translate. */
  readonly allow: Uint8Array;
  readonly ownIpv6: Uint8Array;
  readonly mtuBytes: number;
  readonly lowestIpv6MtuBytes: number;
  readonly maxSegmentBytes: number;
  /** RFC 7915 sections 4.4 and 5.4: whether who is refused is told. */
  readonly answersRefused4: boolean;
  readonly answersRefused6: boolean;
  readonly dropsZeroUdpChecksum: boolean;
  /** The same of the IPv6 side. */
  readonly dropsZeroUdpChecksum6: boolean;
  /** Section 4.1: the TOS octet is ignored. */
  readonly isClassZero: boolean;
  /** Section 5.1: the traffic class is ignored, and this TOS octet set. */
  readonly tos?: number;
}

export interface Eam {
  readonly ipv4: bigint;
  readonly bits4: number;
  readonly ipv6: bigint;
  readonly bits6: number;
  /** It is a node of the IPv4 side, seen from IPv6. */
  readonly isOnIpv4Side: boolean;
}

export interface Bib {
  readonly kind: string;
  readonly address: Uint8Array;
  readonly host: Uint8Array;
  readonly hostPort: number;
  readonly mappedPort: number;
}

/** One of several fragments. */
export interface Fragment {
  readonly version: 4 | 6;
  readonly key: string;
  readonly offset: number;
  readonly hasMore: boolean;
  readonly identification: number;
  readonly data: Bytes;
  /** The packet that it came as. */
  readonly packet: Bytes;
  /** For a first one: whether the kernel gets the datagram. */
  readonly isKernels: boolean;
  /** For a first one: whether it must wait for all others. */
  readonly needsAll: boolean;
  hasPassed: boolean;
}

export interface Datagram {
  readonly fragments: Fragment[];
  state: 'waiting' | 'passing' | 'kernel' | 'refused' | 'spoilt';
  /** What the first fragment became. */
  first?: Outcome;
}

/** Of a first fragment that is translated: all data of its datagram, where that is there. */
export interface Came {
  readonly all: Bytes | undefined;
}

/** A step's result: the packet to send, if any, why the packet that came was dropped, if it was. */
export interface Outcome {
  readonly drop?: string;
  readonly out?: Bytes;
  /** How `out`, IPv6, has to be cut, if it has; where it was in its datagram itself. */
  readonly cut?: Cut;
  readonly fragment?: Fragment;
  /** Goes back to the kernel as it is. */
  readonly isReturned?: boolean;
  /** RFC 6146 section 3.8: to be translated again, as one that came back in. */
  readonly isHairpin?: boolean;
}

export interface Cut {
  readonly limitBytes: number;
  readonly offset: number;
  readonly hasMore: boolean;
  readonly identification: number;
}

/** What comes of a packet in the end. */
export interface Result {
  /** One counter for each pass. */
  readonly drops: readonly string[];
  readonly outs: readonly Bytes[];
}

export interface Mapping {
  readonly address: Uint8Array;
  readonly port: number;
}

/** What the optimised translator chose. */
export interface Choices {
  /** The address and port that it gave to a host's port. */
  readonly mappingOf: (kind: string, host: Uint8Array, hostPort: number) => Mapping;
  /** Of the packet that it sent, and of the one that this quotes. */
  readonly identification: number;
  readonly quotedIdentification: number;
}

/** What it remembers. */
export interface State {
  readonly config: ReferenceConfig;
  readonly byHost: Map<string, Bib>;
  readonly byPort: Map<string, Bib>;
  readonly sessions: Set<string>;
  readonly datagrams: Map<string, Datagram>;
}
