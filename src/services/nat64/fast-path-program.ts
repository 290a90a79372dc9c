/**
 * The kernel's part of the translator: an eBPF program on what network devices receive (tcx, Linux 6.6). It translates
 * packets of TCP and UDP whose flow our thread has entered into its maps, and hands them to the kernel as if they came
 * from our TUN device, so that routing, firewall and MTU treat them like those that our thread translated. Whatever is
 * not plain data of a known flow it leaves alone, and the packet takes the way through our thread: SYN, FIN and RST,
 * fragments, options and extension headers, what has to be answered or is in any way odd.
 */
import { BpfAssembler, FRAME, R0, R1, R2, R3, R4, R5, R6, R7, R8, R9 } from '../../os/bpf-assembler.ts';
import { DONT_FRAGMENT, IPV4, IPV4_HEADER_BYTES, IP_PROTOCOL } from '../../wire/ipv4.ts';
import { IPV6, IPV6_HEADER_BYTES } from '../../wire/ipv6.ts';
import { TCP, TCP_FLAG, TCP_HEADER_BYTES, UDP } from '../../wire/tcp-udp.ts';
import { LARGEST_FRAGMENTABLE_BYTES } from './translate-6to4.ts';
import { FLOW, KEY4, KEY4_BYTES, KEY6, KEY6_BYTES } from './fast-path-record.ts';

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
const CONTEXT = {
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
const ETHERTYPE_IPV4 = 0x0008;
const ETHERTYPE_IPV6 = 0xdd86;

const HELPER = {
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
const VERDICT_NEXT = -1;
const VERDICT_DROP = 2;

/**
 * What the way through our thread takes from the hop limit, where three routers in a row see the packet: the kernel, the
 * translator, the kernel. The last of them does it here too.
 */
const HOPS_BEFORE_FORWARDING = 2;

const LEAST_TRANSPORT_BYTES = 8;
const CLOSING_OR_OPENING = TCP_FLAG.FIN | TCP_FLAG.SYN | TCP_FLAG.RST;
/** More fragments, and the offset, in network order read as little-endian. */
const FRAGMENT_BITS = 0xff3f;

/** Places on the stack, from its end. */
const STACK = {
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

const CONTEXT_REGISTER = R6;
const PACKET = R7;
const PACKET_END = R8;
const VALUE = R9;

export function fastPathProgram(options: FastPathProgramOptions): Uint8Array<ArrayBuffer> {
  const program = new BpfAssembler();
  program
    .move(CONTEXT_REGISTER, R1)
    // Only what is addressed to us, and of this device itself rather than of a VLAN on it.
    .load('word', R1, CONTEXT_REGISTER, CONTEXT.PACKET_TYPE)
    .jumpIf('ne', R1, 0, 'pass')
    .load('word', R1, CONTEXT_REGISTER, CONTEXT.VLAN_PRESENT)
    .jumpIf('ne', R1, 0, 'pass')
    .load('word', R1, CONTEXT_REGISTER, CONTEXT.PROTOCOL)
    .jumpIf('eq', R1, ETHERTYPE_IPV6, 'from6')
    .jumpIf('eq', R1, ETHERTYPE_IPV4, 'from4')
    .label('pass')
    .move(R0, VERDICT_NEXT)
    .exit()
    .label('drop')
    .move(R0, VERDICT_DROP)
    .exit()
    .label('from6');
  translateTo4(program, options);
  program.label('from4');
  translateTo6(program, options);
  return program.assemble();
}

function translateTo4(program: BpfAssembler, options: FastPathProgramOptions): void {
  const ip = options.linkHeaderBytes;
  const transport = ip + IPV6_HEADER_BYTES;
  loadHeaders(program, transport, 'six');
  program
    .load('byte', R1, PACKET, ip)
    .compute('shiftRight', R1, 4)
    .jumpIf('ne', R1, 6, 'pass')
    .load('byte', R1, PACKET, ip + IPV6.HOP_LIMIT)
    .jumpIf('le', R1, HOPS_BEFORE_FORWARDING, 'pass')
    .load('byte', R5, PACKET, ip + IPV6.NEXT_HEADER)
    .load('half', R2, PACKET, ip + IPV6.PAYLOAD_LENGTH)
    .toBigEndian(R2, 16)
    .compute('add', R2, IPV6_HEADER_BYTES);
  checkTransport(program, options, IPV6_HEADER_BYTES, 'six');
  program.compute('subtract', R2, IPV6_HEADER_BYTES - IPV4_HEADER_BYTES);
  storeSizes(program, IPV4_HEADER_BYTES, 'six');
  // The key: addresses and ports lie side by side.
  for (let at = 0; at < KEY6.PROTOCOL; at += 4)
    program.load('word', R1, PACKET, ip + IPV6.SOURCE + at).store('word', FRAME, STACK.KEY + at, R1);
  program.store('word', FRAME, STACK.KEY + KEY6.PROTOCOL, R5);
  lookUp(program, options.flows6, KEY6_BYTES);
  program
    .load('word', R1, FRAME, STACK.WIRE_BYTES)
    .load('half', R2, VALUE, FLOW.MTU_BYTES)
    .jumpIf('gt', R1, R2, 'pass');

  // N28: small packets may be fragmented, and have an identification for that.
  program
    .move(R2, DONT_FRAGMENT)
    .move(R0, 0)
    .jumpIf('gt', R1, LARGEST_FRAGMENTABLE_BYTES, 'six-whole')
    .call(HELPER.RANDOM)
    .compute('and', R0, 0xffff)
    .move(R2, 0)
    .label('six-whole')
    .store('word', FRAME, STACK.IDENTIFICATION, R0)
    .store('word', FRAME, STACK.FRAGMENT_FIELD, R2);

  copyHeader(program, IPV4_HEADER_BYTES);
  const header = STACK.HEADER;
  program
    // R4 sums the words of the header that the flow does not know.
    .load('word', R4, VALUE, FLOW.HEADER_SUM)
    .load('half', R1, PACKET, ip)
    .toBigEndian(R1, 16)
    .compute('shiftRight', R1, 4)
    .compute('and', R1, 0xff)
    .store('byte', FRAME, header + IPV4.TOS, R1)
    .compute('add', R4, R1)
    .load('word', R1, FRAME, STACK.TOTAL_BYTES)
    .compute('add', R4, R1)
    .toBigEndian(R1, 16)
    .store('half', FRAME, header + IPV4.TOTAL_LENGTH, R1)
    .load('word', R1, FRAME, STACK.IDENTIFICATION)
    .compute('add', R4, R1)
    .toBigEndian(R1, 16)
    .store('half', FRAME, header + IPV4.IDENTIFICATION, R1)
    .load('word', R1, FRAME, STACK.FRAGMENT_FIELD)
    .compute('add', R4, R1)
    .toBigEndian(R1, 16)
    .store('half', FRAME, header + IPV4.FRAGMENT, R1)
    .load('byte', R1, PACKET, ip + IPV6.HOP_LIMIT)
    .compute('subtract', R1, HOPS_BEFORE_FORWARDING)
    .store('byte', FRAME, header + IPV4.TTL, R1)
    .compute('shiftLeft', R1, 8)
    .compute('add', R4, R1);
  fold(program, R4, R1);
  program
    .compute('xor', R4, 0xffff)
    .toBigEndian(R4, 16)
    .store('half', FRAME, header + IPV4.CHECKSUM, R4);
  finish(program, options, {
    name: 'six',
    tallyOffset: 0,
    ethertype: ETHERTYPE_IPV4,
    newHeaderBytes: IPV4_HEADER_BYTES,
  });
}

function translateTo6(program: BpfAssembler, options: FastPathProgramOptions): void {
  const ip = options.linkHeaderBytes;
  const transport = ip + IPV4_HEADER_BYTES;
  loadHeaders(program, transport, 'four');
  program
    .load('byte', R1, PACKET, ip)
    .jumpIf('ne', R1, 0x45, 'pass')
    .load('half', R1, PACKET, ip + IPV4.FRAGMENT)
    .jumpIf('set', R1, FRAGMENT_BITS, 'pass')
    .toBigEndian(R1, 16)
    .compute('and', R1, DONT_FRAGMENT)
    .store('word', FRAME, STACK.FRAGMENT_FIELD, R1)
    .load('byte', R1, PACKET, ip + IPV4.TTL)
    .jumpIf('le', R1, HOPS_BEFORE_FORWARDING, 'pass')
    // Nobody has looked at the checksum of the header yet, and there is none in IPv6.
    .move(R4, 0);
  for (let at = 0; at < IPV4_HEADER_BYTES; at += 4)
    program.load('word', R1, PACKET, ip + at).compute('add', R4, R1);
  program.move(R1, R4).compute('shiftRight', R1, 32).truncate(R4).compute('add', R4, R1);
  fold(program, R4, R1);
  program
    .jumpIf('ne', R4, 0xffff, 'pass')
    .load('byte', R5, PACKET, ip + IPV4.PROTOCOL)
    .load('half', R2, PACKET, ip + IPV4.TOTAL_LENGTH)
    .toBigEndian(R2, 16);
  checkTransport(program, options, IPV4_HEADER_BYTES, 'four');
  program.compute('add', R2, IPV6_HEADER_BYTES - IPV4_HEADER_BYTES);
  storeSizes(program, IPV6_HEADER_BYTES, 'four');
  for (let at = 0; at < KEY4.PROTOCOL; at += 4)
    program.load('word', R1, PACKET, ip + IPV4.SOURCE + at).store('word', FRAME, STACK.KEY + at, R1);
  program.store('word', FRAME, STACK.KEY + KEY4.PROTOCOL, R5);
  lookUp(program, options.flows4, KEY4_BYTES);
  program
    .load('half', R2, VALUE, FLOW.MTU_BYTES)
    .load('word', R1, FRAME, STACK.FRAGMENT_FIELD)
    .jumpIf('ne', R1, 0, 'four-whole')
    .load('half', R2, VALUE, FLOW.FRAGMENTABLE_MTU_BYTES)
    .label('four-whole')
    .load('word', R1, FRAME, STACK.WIRE_BYTES)
    .jumpIf('gt', R1, R2, 'pass');

  copyHeader(program, IPV6_HEADER_BYTES);
  const header = STACK.HEADER;
  program
    .load('byte', R1, PACKET, ip + IPV4.TOS)
    .compute('shiftLeft', R1, 4)
    .compute('or', R1, 0x6000)
    .toBigEndian(R1, 16)
    .store('half', FRAME, header, R1)
    .load('word', R1, FRAME, STACK.TOTAL_BYTES)
    .compute('subtract', R1, IPV6_HEADER_BYTES)
    .toBigEndian(R1, 16)
    .store('half', FRAME, header + IPV6.PAYLOAD_LENGTH, R1)
    .load('byte', R1, PACKET, ip + IPV4.TTL)
    .compute('subtract', R1, HOPS_BEFORE_FORWARDING)
    .store('byte', FRAME, header + IPV6.HOP_LIMIT, R1);
  finish(program, options, {
    name: 'four',
    tallyOffset: 16,
    ethertype: ETHERTYPE_IPV6,
    newHeaderBytes: IPV6_HEADER_BYTES,
  });
}

/** Makes IP and transport header readable at PACKET: the smallest transport header for sure, TCP's where it is there. */
function loadHeaders(program: BpfAssembler, transport: number, name: string): void {
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
function checkTransport(
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
function storeSizes(program: BpfAssembler, newHeaderBytes: number, name: string): void {
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
function lookUp(program: BpfAssembler, map: number, keyBytes: number): void {
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

function copyHeader(program: BpfAssembler, bytes: number): void {
  for (let at = 0; at < bytes; at += 4)
    program.load('word', R1, VALUE, FLOW.HEADER + at).store('word', FRAME, STACK.HEADER + at, R1);
}

/** Folds a sum of less than 2^34 to 16 bits. */
function fold(program: BpfAssembler, sum: typeof R4, scratch: typeof R1): void {
  for (let i = 0; i < 3; i++)
    program
      .move(scratch, sum)
      .compute('shiftRight', scratch, 16)
      .compute('and', sum, 0xffff)
      .compute('add', sum, scratch);
}

/** Counts, puts the header of the stack in place of the old one, mends ports and checksum, and hands the packet on. */
function finish(
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
