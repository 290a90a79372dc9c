/**
 * What the kernel's programs have for each flow: one entry per direction in a hash map, found by the addresses and ports of the
 * packet, with the header that replaces the old one. These are the structs of fast-path.bpf.c, as offsets. Fields of packets
 * are in network byte order, the others in that of the machine.
 */

import type { Nat64Counter } from '../counters.ts';

/** The object that is compiled from fast-path.bpf.c (`npm run build:bpf`). */
export const OBJECT_FILE = new URL('fast-path.bpf.o', import.meta.url).pathname;
/** The names of its maps. PAUSED is the map of the variables, which only contains `is_paused`. */
export const MAP = { FLOWS6: 'flows6', FLOWS4: 'flows4', TALLY: 'tally', PAUSED: '.bss' } as const;
/** Its programs, by the length of the link header in bytes. */
export const PROGRAMS: ReadonlyMap<number, string> = new Map([
  [14, 'nat64_ethernet'],
  [0, 'nat64_bare'],
]);

/** struct key6: for a packet from the IPv6 side. Addresses and ports as in the packet, then the protocol in a word. */
export const KEY6 = {
  SOURCE: 0,
  DESTINATION: 16,
  SOURCE_PORT: 32,
  DESTINATION_PORT: 34,
  PROTOCOL: 36,
} as const;
export const KEY6_BYTES = 40;

/** struct key4: for a packet from the IPv4 side. */
export const KEY4 = {
  SOURCE: 0,
  DESTINATION: 4,
  SOURCE_PORT: 8,
  DESTINATION_PORT: 10,
  PROTOCOL: 12,
} as const;
export const KEY4_BYTES = 16;

/** struct flow: the value in both maps. Fields of the IP header that depend on the packet are 0. */
export const FLOW = {
  HEADER: 0,
  ADDRESS_DELTA: 40,
  PORTS: 44,
  HEADER_SUM: 48,
  COPIED_CLASS: 50,
  MTU_BYTES: 52,
  FRAGMENTABLE_MTU_BYTES: 54,
  LAST_USED: 56,
} as const;
export const FLOW_BYTES = 64;

/** struct tally for each CPU, from IPv6 and from IPv4: 64-bit numbers. The names are those of NAT64_COUNTERS. */
export const TALLIES = [
  ['packets-6to4', 'bytes-6to4', 'drop-fast-path'],
  ['packets-4to6', 'bytes-4to6', 'drop-fast-path'],
] as const satisfies readonly (readonly Nat64Counter[])[];
export const TALLY_BYTES = TALLIES[0].length * 8;
