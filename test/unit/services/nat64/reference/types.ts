/** The inputs, intermediate values and outputs of the reference translator. */
import type { Bytes } from '../packets.ts';

export interface ReferenceConfig {
  /** 96 bits: the first 12 bytes of every address that represents an IPv4 address. */
  readonly prefix: Uint8Array;
  /** IPv4 addresses of the appliance itself. */
  readonly own: readonly Uint8Array[];
  /** Stateless mode, RFC 6052: the first bytes of the IPv4 addresses that are embedded in hosts' addresses. */
  readonly embedded: Uint8Array;
  /** The addresses that hosts share; the first is the appliance's own. */
  readonly addresses: readonly Uint8Array[];
  /** Ports of these addresses. */
  readonly pools: readonly { readonly address: Uint8Array; readonly first: number; readonly last: number }[];
  /** RFC 7757: IPv4 and IPv6 addresses as bits, with the lengths of the prefixes. */
  readonly eam: readonly Eam[];
  readonly eamHairpinning: 'none' | 'simple' | 'intrinsic';
  /** Stateless mode: only hosts with their own IPv4 address are translated. */
  readonly isStateless: boolean;
  /** RFC 6791 */
  readonly icmpSources4: readonly Uint8Array[];
  /** First bytes of the sources to translate. */
  readonly allow: Uint8Array;
  readonly ownIpv6: Uint8Array;
  readonly mtuBytes: number;
  readonly lowestIpv6MtuBytes: number;
  readonly maxSegmentBytes: number;
  /** RFC 7915 sections 4.4 and 5.4: whether refused senders get an ICMP error. */
  readonly answersRefused4: boolean;
  readonly answersRefused6: boolean;
  readonly dropsZeroUdpChecksum: boolean;
  /** The same for the IPv6 side. */
  readonly dropsZeroUdpChecksum6: boolean;
  /** Section 4.1: the TOS octet is ignored. */
  readonly isClassZero: boolean;
  /** Section 5.1: the traffic class is ignored, and this TOS octet is set. */
  readonly tos?: number;
}

export interface Eam {
  readonly ipv4: bigint;
  readonly bits4: number;
  readonly ipv6: bigint;
  readonly bits6: number;
  /** It is a node on the IPv4 side, seen from IPv6. */
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
  /** The packet that contained it. */
  readonly packet: Bytes;
  /** For a first fragment: whether the kernel gets the datagram. */
  readonly isKernels: boolean;
  /** For a first fragment: whether it must wait for all others. */
  readonly needsAll: boolean;
  hasPassed: boolean;
}

export interface Datagram {
  readonly fragments: Fragment[];
  state: 'waiting' | 'passing' | 'kernel' | 'refused' | 'spoilt';
  /** The translation of the first fragment. */
  first?: Outcome;
}

/** For a first fragment that is being translated: all data of its datagram, if it has all arrived. */
export interface Came {
  readonly all: Bytes | undefined;
}

/** The result of a step: the packet to send, if any, and the reason for the drop of the incoming packet, if it was dropped. */
export interface Outcome {
  readonly drop?: string;
  readonly out?: Bytes;
  /** How the IPv6 packet `out` must be cut, if it must, and its position in its datagram. */
  readonly cut?: Cut;
  readonly fragment?: Fragment;
  /** Returned unchanged to the kernel. */
  readonly isReturned?: boolean;
  /** RFC 6146 section 3.8: to be translated again as a packet that came back in. */
  readonly isHairpin?: boolean;
}

export interface Cut {
  readonly limitBytes: number;
  readonly offset: number;
  readonly hasMore: boolean;
  readonly identification: number;
}

/** The final result of a packet. */
export interface Result {
  /** One counter for each pass. */
  readonly drops: readonly string[];
  readonly outs: readonly Bytes[];
}

export interface Mapping {
  readonly address: Uint8Array;
  readonly port: number;
}

/** The choices of the optimised translator. */
export interface Choices {
  /** The address and port that it assigned to a host's port. */
  readonly mappingOf: (kind: string, host: Uint8Array, hostPort: number) => Mapping;
  /** The identification of the packet that it sent, and that of the packet quoted in it. */
  readonly identification: number;
  readonly quotedIdentification: number;
}

/** The state of the reference translator. */
export interface State {
  readonly config: ReferenceConfig;
  readonly byHost: Map<string, Bib>;
  readonly byPort: Map<string, Bib>;
  readonly sessions: Set<string>;
  readonly datagrams: Map<string, Datagram>;
}
