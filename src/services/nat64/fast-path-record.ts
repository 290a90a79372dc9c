/**
 * What the kernel's part of the translator knows of a flow: for each direction an entry in a hash map, found by what is
 * in the packet, that holds the header to put in its place. Both sides of the map, the eBPF program and our thread,
 * follow this layout. Fields of packets are in network order, the others in that of the machine.
 */

/** Key of a packet from the IPv6 side: as in the packet, then the protocol in a word. */
export const KEY6 = {
  SOURCE: 0,
  DESTINATION: 16,
  SOURCE_PORT: 32,
  DESTINATION_PORT: 34,
  PROTOCOL: 36,
} as const;
export const KEY6_BYTES = 40;

/** Key of a packet from the IPv4 side. */
export const KEY4 = {
  SOURCE: 0,
  DESTINATION: 4,
  SOURCE_PORT: 8,
  DESTINATION_PORT: 10,
  PROTOCOL: 12,
} as const;
export const KEY4_BYTES = 16;

/** The value of both. */
export const FLOW = {
  /** The IP header that the packet gets (20 or 40 bytes); what depends on the packet is 0. */
  HEADER: 0,
  /** Which bits of the traffic class become the TOS octet; those that are always set are in HEADER. Behind the IPv4 header. */
  COPIED_CLASS_TO_4: 20,
  /** What the change of addresses adds to the checksum of TCP and UDP (as bpf_l4_csum_replace takes it). */
  ADDRESS_DELTA: 40,
  /** Both ports that the packet gets, as they stand in it. */
  PORTS: 44,
  /** To IPv4: sum of the constant words of the new header, without the TOS octet. */
  HEADER_SUM: 48,
  /** To IPv6: which bits of the TOS octet become the traffic class. */
  COPIED_CLASS_TO_6: 48,
  /** The largest packet on the other side, in bytes. */
  MTU_BYTES: 52,
  /** To IPv6: the same for packets that may be fragmented. */
  FRAGMENTABLE_MTU_BYTES: 54,
  /** When the last packet came, in nanoseconds of CLOCK_MONOTONIC_COARSE; written by the kernel's part. */
  LAST_USED: 56,
} as const;
export const FLOW_BYTES = 64;

/** What the kernel's part counts, on each CPU: 64-bit numbers. Names are those of NAT64_COUNTERS. */
export const TALLY = ['packets-6to4', 'bytes-6to4', 'packets-4to6', 'bytes-4to6'] as const;
export const TALLY_BYTES = TALLY.length * 8;
