/**
 * The pieces of the kernel's program (fast-path-program.ts) that both directions share, with the registers and places on the
 * stack that they agree on.
 */
import { type BpfAssembler, FRAME, R0, R1, R2, R3, R4, R5, R6, R7, R8, R9 } from '../../os/bpf-assembler.ts';
import { IP_PROTOCOL } from '../../wire/ipv4.ts';
import { TCP, TCP_FLAG, TCP_HEADER_BYTES, UDP } from '../../wire/tcp-udp.ts';
import { FLOW } from './fast-path-record.ts';

export interface FastPathProgramOptions {
  /** Descriptors of the maps. */
  readonly flows6: number;
  readonly flows4: number;
  readonly tally: number;
  /** Index of the TUN device. */
  readonly tunIndex: number;
  /** Bytes in front of the IP header: 14 on Ethernet, 0 on devices without link layer. */
  readonly linkHeaderBytes: number;
}

/** struct __sk_buff */
export const CONTEXT = {
  LENGTH: 0,
  PACKET_TYPE: 4,
  PROTOCOL: 16,
  VLAN_PRESENT: 20,
  DATA: 76,
  DATA_END: 80,
  GSO_SEGMENTS: 164,
  GSO_SIZE: 176,
} as const;
/** PROTOCOL as it is read here: network order in a little-endian word. */
export const ETHERTYPE_IPV4 = 0x0008;
export const ETHERTYPE_IPV6 = 0xdd86;

export const HELPER = {
  MAP_LOOKUP: 1,
  RANDOM: 7,
  STORE_BYTES: 9,
  L4_CHECKSUM_REPLACE: 11,
  REDIRECT: 23,
  CHANGE_PROTOCOL: 31,
  PULL_DATA: 39,
  COARSE_TIME: 160,
} as const;
const RECOMPUTE_CHECKSUM = 1;
const PSEUDO_HEADER = 0x10;
/** In UDP a checksum of 0 means none: leave it, and never make one. */
const MIND_ZERO = 0x20;
const FOUR_BYTES = 4;
const TO_INGRESS = 1;
export const VERDICT_NEXT = -1;
export const VERDICT_DROP = 2;

/**
 * What the way through our thread takes from the hop limit, where three routers in a row see the packet: the kernel, the
 * translator, the kernel. The last of them does it here too.
 */
export const HOPS_BEFORE_FORWARDING = 2;

const LEAST_TRANSPORT_BYTES = 8;
const CLOSING_OR_OPENING = TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST;
/** More fragments, and the offset, in network order read as little-endian. */
export const FRAGMENT_BITS = 0xff3f;

/** Places on the stack, from its end. */
export const STACK = {
  KEY: -40,
  /** 40 bytes. */
  HEADER: -80,
  PROTOCOL: -88,
  OLD_PORTS: -92,
  /** Size on the wire of the packet that will leave, or of its segments. */
  WIRE_BYTES: -96,
  /** Size in all. */
  TOTAL_BYTES: -100,
  IDENTIFICATION: -104,
  FRAGMENT_FIELD: -108,
  ZERO: -112,
} as const;

export const CONTEXT_REGISTER = R6;
export const PACKET = R7;
const PACKET_END = R8;
export const VALUE = R9;

/** Makes IP and transport header readable at PACKET: the smallest transport header for sure, TCP's where it is there. */
export function loadHeaders(program: BpfAssembler, transport: number, name: string): void {
  const wanted = transport + TCP_HEADER_BYTES;
  const pointers = () =>
    program
      .load('word', PACKET, CONTEXT_REGISTER, CONTEXT.DATA)
      .load('word', PACKET_END, CONTEXT_REGISTER, CONTEXT.DATA_END)
      .move(R1, PACKET);
  pointers().compute('add', R1, wanted).jumpIf('le', R1, PACKET_END, `${name}-readable`);
  program
    .load('word', R2, CONTEXT_REGISTER, CONTEXT.LENGTH)
    .jumpIf('le', R2, wanted, `${name}-pull`)
    .move(R2, wanted)
    .label(`${name}-pull`)
    .move(R1, CONTEXT_REGISTER)
    .call(HELPER.PULL_DATA);
  pointers()
    .compute('add', R1, transport + LEAST_TRANSPORT_BYTES)
    .jumpIf('gt', R1, PACKET_END, 'pass')
    .label(`${name}-readable`);
}

/**
 * With the protocol in R5 and the length of the IP packet in R2: goes on with TCP that neither opens nor ends a
 * connection and with UDP that has a checksum, and leaves the bytes of the transport header in R3.
 */
export function checkTransport(
  program: BpfAssembler,
  { linkHeaderBytes }: FastPathProgramOptions,
  ipHeaderBytes: number,
  name: string,
): void {
  const transport = linkHeaderBytes + ipHeaderBytes;
  program
    // Padding of the link layer may follow the packet, but nothing may be missing.
    .load('word', R1, CONTEXT_REGISTER, CONTEXT.LENGTH)
    .compute('subtract', R1, linkHeaderBytes)
    .jumpIf('gt', R2, R1, 'pass')
    .store('word', FRAME, STACK.PROTOCOL, R5)
    .load('word', R1, PACKET, transport)
    .store('word', FRAME, STACK.OLD_PORTS, R1)
    .jumpIf('eq', R5, IP_PROTOCOL.TCP, `${name}-tcp`)
    .jumpIf('ne', R5, IP_PROTOCOL.UDP, 'pass')
    .load('half', R1, PACKET, transport + UDP.CHECKSUM)
    .jumpIf('eq', R1, 0, 'pass')
    .move(R3, LEAST_TRANSPORT_BYTES)
    .load('word', R1, CONTEXT_REGISTER, CONTEXT.GSO_SIZE)
    .jumpIf('ne', R1, 0, `${name}-checked`)
    .load('half', R1, PACKET, transport + UDP.LENGTH)
    .toBigEndian(R1, 16)
    .compute('add', R1, ipHeaderBytes)
    .jumpIf('ne', R1, R2, 'pass')
    .jump(`${name}-checked`)
    .label(`${name}-tcp`)
    .move(R1, PACKET)
    .compute('add', R1, transport + TCP_HEADER_BYTES)
    .jumpIf('gt', R1, PACKET_END, 'pass')
    .load('byte', R1, PACKET, transport + TCP.FLAGS)
    .jumpIf('set', R1, CLOSING_OR_OPENING, 'pass')
    .load('byte', R3, PACKET, transport + TCP.DATA_OFFSET)
    .compute('shiftRight', R3, 4)
    .compute('shiftLeft', R3, 2)
    .jumpIf('lt', R3, TCP_HEADER_BYTES, 'pass')
    .label(`${name}-checked`)
    .move(R1, R3)
    .compute('add', R1, ipHeaderBytes)
    .jumpIf('lt', R2, R1, 'pass');
}

/** With the new length in R2 and the bytes of the transport header in R3. */
export function storeSizes(program: BpfAssembler, newHeaderBytes: number, name: string): void {
  program
    .store('word', FRAME, STACK.TOTAL_BYTES, R2)
    .load('word', R1, CONTEXT_REGISTER, CONTEXT.GSO_SIZE)
    .jumpIf('eq', R1, 0, `${name}-single`)
    .move(R2, R1)
    .compute('add', R2, R3)
    .compute('add', R2, newHeaderBytes)
    .label(`${name}-single`)
    .store('word', FRAME, STACK.WIRE_BYTES, R2);
}

/** VALUE = the flow of the key on the stack. */
export function lookUp(program: BpfAssembler, map: number, keyBytes: number): void {
  // Keys of both lengths begin at the same place.
  if (keyBytes > -STACK.KEY) throw new Error(`a key of ${keyBytes} bytes has no room on the stack`);
  program
    .loadMap(R1, map)
    .move(R2, FRAME)
    .compute('add', R2, STACK.KEY)
    .call(HELPER.MAP_LOOKUP)
    .jumpIf('eq', R0, 0, 'pass')
    .move(VALUE, R0);
}

export function copyHeader(program: BpfAssembler, bytes: number): void {
  for (let at = 0; at < bytes; at += 4)
    program.load('word', R1, VALUE, FLOW.HEADER + at).store('word', FRAME, STACK.HEADER + at, R1);
}

/** Folds a sum of less than 2^34 to 16 bits. */
export function fold(program: BpfAssembler, sum: typeof R4, scratch: typeof R1): void {
  for (let i = 0; i < 3; i++)
    program
      .move(scratch, sum)
      .compute('shiftRight', scratch, 16)
      .compute('and', sum, 0xffff)
      .compute('add', sum, scratch);
}

/** Counts, puts the header of the stack in place of the old one, mends ports and checksum, and hands the packet on. */
export function finish(
  program: BpfAssembler,
  options: FastPathProgramOptions,
  way: { name: string; tallyOffset: number; ethertype: number; newHeaderBytes: number },
): void {
  const { name, tallyOffset, ethertype, newHeaderBytes } = way;
  const transport = options.linkHeaderBytes + newHeaderBytes;
  program.call(HELPER.COARSE_TIME).store('double', VALUE, FLOW.LAST_USED, R0);
  program
    .move(R1, 0)
    .store('word', FRAME, STACK.ZERO, R1)
    .loadMap(R1, options.tally)
    .move(R2, FRAME)
    .compute('add', R2, STACK.ZERO)
    .call(HELPER.MAP_LOOKUP)
    .jumpIf('eq', R0, 0, 'pass')
    .load('word', R1, CONTEXT_REGISTER, CONTEXT.GSO_SEGMENTS)
    .jumpIf('ne', R1, 0, `${name}-segments`)
    .move(R1, 1)
    .label(`${name}-segments`)
    .load('double', R2, R0, tallyOffset)
    .compute('add', R2, R1)
    .store('double', R0, tallyOffset, R2)
    .load('word', R1, FRAME, STACK.TOTAL_BYTES)
    .load('double', R2, R0, tallyOffset + 8)
    .compute('add', R2, R1)
    .store('double', R0, tallyOffset + 8, R2);

  program
    .move(R1, CONTEXT_REGISTER)
    .move(R2, ethertype)
    .move(R3, 0)
    .call(HELPER.CHANGE_PROTOCOL)
    .jumpIf('ne', R0, 0, 'drop')
    .move(R1, CONTEXT_REGISTER)
    .move(R2, options.linkHeaderBytes)
    .move(R3, FRAME)
    .compute('add', R3, STACK.HEADER)
    .move(R4, newHeaderBytes)
    .move(R5, RECOMPUTE_CHECKSUM)
    .call(HELPER.STORE_BYTES)
    // Addresses and ports one after the other: where the checksum is left to the device, its field covers only the former.
    .load('word', R1, FRAME, STACK.PROTOCOL)
    .move(R8, transport + TCP.CHECKSUM)
    .move(R7, 0)
    .jumpIf('eq', R1, IP_PROTOCOL.TCP, `${name}-replace`)
    .move(R8, transport + UDP.CHECKSUM)
    .move(R7, MIND_ZERO)
    .label(`${name}-replace`)
    .move(R1, CONTEXT_REGISTER)
    .move(R2, R8)
    .move(R3, 0)
    .load('word', R4, VALUE, FLOW.ADDRESS_DELTA)
    .move(R5, R7)
    .compute('or', R5, PSEUDO_HEADER)
    .call(HELPER.L4_CHECKSUM_REPLACE)
    .move(R1, CONTEXT_REGISTER)
    .move(R2, R8)
    .load('word', R3, FRAME, STACK.OLD_PORTS)
    .load('word', R4, VALUE, FLOW.PORTS)
    .move(R5, R7)
    .compute('or', R5, FOUR_BYTES)
    .call(HELPER.L4_CHECKSUM_REPLACE)
    .move(R1, CONTEXT_REGISTER)
    .move(R2, transport)
    .move(R3, VALUE)
    .compute('add', R3, FLOW.PORTS)
    .move(R4, FOUR_BYTES)
    .move(R5, 0)
    .call(HELPER.STORE_BYTES)
    .move(R1, options.tunIndex)
    .move(R2, TO_INGRESS)
    .call(HELPER.REDIRECT)
    .exit();
}
