/** What the translator counts. A verdict that drops a packet is the position of a counter, so that every drop is counted. */
import { createCounters } from '../../runtime/counters.ts';

export const NAT64_COUNTERS = {
  'packets-6to4': 'Packets translated from IPv6 to IPv4, as they go out on the wire',
  'packets-4to6': 'Packets translated from IPv4 to IPv6, as they go out on the wire',
  'bytes-6to4': 'Bytes of the IPv4 packets that left',
  'bytes-4to6': 'Bytes of the IPv6 packets that left',
  'packets-fast-path':
    'Packets of both directions that the kernel translated itself: those of established flows (nat64.fastPath)',
  'flows-handed-over': 'Flows of TCP and UDP that the kernel was given to translate itself',
  'flows-taken-back':
    'Flows that were taken from the kernel again: they ended, or something about them changed',
  hairpinned: 'Packets from one IPv6 host to the mapping of another, counted in both directions too',
  reassembled: 'Datagrams whose fragments all arrived',
  'datagrams-given-up':
    'Fragmented datagrams dropped before all fragments had arrived, because too many were waiting',
  'bib-created': 'BIB entries (mappings of an IPv6 host and port to an IPv4 port) created',
  'bib-removed': 'BIB entries removed with their last session',
  'sessions-created-tcp': 'TCP sessions created',
  'sessions-created-udp': 'UDP sessions created',
  'sessions-created-icmp': 'ICMP query sessions created',
  'sessions-removed-tcp': 'TCP sessions removed, nearly always because their lifetime was over',
  'sessions-removed-udp': 'UDP sessions removed, nearly always because their lifetime was over',
  'sessions-removed-icmp': 'ICMP query sessions removed, nearly always because their lifetime was over',
  'sessions-restored': 'Sessions that were there before a restart, and still fitted the configuration',
  'log-records-lost':
    'Mappings or sessions that began or ended and could not be logged (nat64.log): too many at a time',
  'syns-stored':
    'Connections from the IPv4 side to ports that no IPv6 host has, kept unanswered for 6 seconds',
  'syns-displaced':
    'Of these, those that took the place of the oldest one of the sender with the most: no more can be kept',
  'probes-sent': 'Idle established TCP connections whose IPv6 host was asked whether they are still open',
  'icmp-errors-sent': 'ICMP errors that the translator sent in answer to packets it dropped',
  'icmp-errors-withheld': 'ICMP errors that were not sent because there were too many within a second',
  'icmp-returned': "ICMP messages and fragments of no session: handed back for the appliance's own programs",
  'drop-not-ip': 'Neither an IPv4 nor an IPv6 packet',
  'drop-truncated': 'Ends inside a header',
  'drop-bad-length': 'A length field contradicts the size of the packet or of its headers',
  'drop-bad-checksum': 'The checksum of the IPv4 header, or of an ICMP error, is wrong',
  'drop-bad-offload': 'The offload header of the TUN device contradicts the packet',
  'drop-destination':
    'The destination is not translated: it is not in the NAT64 prefix, not in pool4 and not a server',
  'drop-source-in-prefix': 'An IPv6 source inside the NAT64 prefix: the packet would loop',
  'drop-source-invalid': 'The source is not a routable unicast address, or is an address of the appliance',
  'drop-not-allowed': 'The IPv6 source is not in nat64.allow',
  'drop-non-global': 'An IPv4 address that the prefix must not represent, e.g. a private one in 64:ff9b::/96',
  'drop-denied': 'An IPv4 address in nat64.denyIpv4',
  'drop-own-address':
    'From IPv6 to an IPv4 address of the appliance itself, or of pool4, outside the ports of pool4',
  'drop-no-route':
    'From IPv6 to an IPv4-embedded host (nat64.embedded) that no IPv6 route leads to: it would loop',
  'drop-hop-limit': 'The hop limit (TTL) was used up',
  'drop-too-big': 'Larger than the MTU of the other side; the sender was notified',
  'drop-fragment-bad':
    'A fragment that ends beyond the largest packet, is empty, begins inside the TCP header, or is not the last and no multiple of 8',
  'drop-fragment-overlap': 'A fragment that overlaps another, or one of a datagram in which that happened',
  'drop-fragment-duplicate': 'A duplicate fragment',
  'drop-fragment-many': 'A fragment of a datagram in more than 128',
  'drop-fragment-memory': 'A fragment dropped because too many were waiting, most of them from its sender',
  'drop-fragment-timeout': 'A fragment that waited too long for others (nat64.lifetimes.fragmentSeconds)',
  'drop-fragment-refused': 'A fragment of a datagram whose first fragment was not translated',
  'drop-fragment-extension': 'A fragment header with another extension header behind it',
  'drop-source-route': 'A source route or routing header with hops left to visit',
  'drop-protocol': 'A transport protocol other than TCP, UDP and ICMP',
  'drop-icmp-type': 'An ICMP message that is neither a query to translate nor an error the other side knows',
  'drop-icmp-quote': 'An ICMP error that does not quote enough of a translatable packet',
  'drop-icmp-no-session': 'An ICMP error about no known session',
  'drop-udp-no-checksum':
    'A UDP packet without checksum where nat64.zeroUdpChecksum or zeroUdpChecksumFromIpv6 is "drop", or in fragments that are translated one by one',
  'drop-filtered':
    'A packet from an IPv4 address that the IPv6 host has not sent to (nat64.filtering is "address-dependent")',
  'drop-no-bib-entry': 'A packet from the IPv4 side to a port that no IPv6 host has',
  'drop-tcp-not-syn': 'A TCP packet of no known connection that does not open one',
  'drop-no-pool4': 'The appliance has no IPv4 address yet',
  'drop-pool4-exhausted': 'No port of pool4 is left for this protocol',
  'drop-no-port-block': 'A client without ports: nat64.portBlocks is on, and does not list it',
  'drop-untranslatable': 'An IPv6 source that stands for no IPv4 address (nat64.mode is "stateless")',
  'drop-client-limit':
    'A client that had nat64.maxMappingsPerClient or nat64.maxSessionsPerClient needed another',
  'drop-client-share':
    'A client, or its whole /64, had far more than was left for all clients, and needed another port or session',
  'drop-sessions-full': 'nat64.maxSessions are in use',
  'drop-write-failed': 'The TUN device did not take the translated packet',
  'drop-fast-path': 'The kernel could not rewrite a packet of an established flow: it had no memory',
} as const;

export type Nat64Counter = keyof typeof NAT64_COUNTERS;

declare const BRAND: unique symbol;

/** Why a packet is dropped: the position of the counter for that reason. No other number has this type. */
export type Reason = number & { readonly [BRAND]: 'reason' };
/** Any other verdict. At run time it is a number below 0, but not for the compiler, so it cannot be used as a counter position. */
export interface Control {
  readonly [BRAND]: 'control';
}
/** The result of a step. */
export type Verdict = Reason | Control;

type Index = { readonly [Name in Nat64Counter]: Name extends `drop-${string}` ? Reason : number };

/** The position of each counter. A step drops a packet by returning the position of the counter for the reason. */
export const COUNTER = createCounters(NAT64_COUNTERS).index as Index;

const control = (value: number): Control => value as unknown as Control;

/** Continue with the next step; from the last step: send the packet. */
export const CONTINUE = control(-1);
/** The packet is not for the translator: it goes back to the kernel unchanged. */
export const RETURN_TO_KERNEL = control(-2);
/** A fragment: only the first fragment of the datagram shows its ports (fragments.ts). */
export const FRAGMENT = control(-3);
/** The packet is kept, because other packets must come first. */
export const HELD = control(-4);
/** Several datagrams in one packet (GSO.UDP), each of which must be translated separately. */
export const DATAGRAMS = control(-5);

/** Whether a verdict drops the packet. */
export const isDrop = (verdict: Verdict): verdict is Reason => (verdict as number) >= 0;
