/**
 * The kernel's part of the translator: an eBPF program on what network devices receive (tcx, Linux 6.6). It translates
 * packets of TCP and UDP whose flow our thread has entered into its maps, and hands them to the kernel as if they came
 * from our TUN device, so that routing, firewall and MTU treat them like those that our thread translated. Whatever is
 * not plain data of a known flow it leaves alone, and the packet takes the way through our thread: SYN, FIN and RST,
 * fragments, options and extension headers, what has to be answered or is in any way odd.
 */
import { BpfAssembler, FRAME, R0, R1, R2, R4, R5 } from '../../os/bpf-assembler.ts';
import { DONT_FRAGMENT, IPV4, IPV4_HEADER_BYTES } from '../../wire/ipv4.ts';
import { IPV6, IPV6_HEADER_BYTES } from '../../wire/ipv6.ts';
import { LARGEST_FRAGMENTABLE_BYTES } from './headers.ts';
import { FLOW, KEY4, KEY4_BYTES, KEY6, KEY6_BYTES } from './fast-path-record.ts';
import {
  type FastPathProgramOptions,
  CONTEXT,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  HELPER,
  VERDICT_NEXT,
  VERDICT_DROP,
  HOPS_BEFORE_FORWARDING,
  FRAGMENT_BITS,
  STACK,
  CONTEXT_REGISTER,
  PACKET,
  VALUE,
  loadHeaders,
  checkTransport,
  storeSizes,
  lookUp,
  copyHeader,
  fold,
  finish,
} from './fast-path-pieces.ts';

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
    .load('byte', R2, VALUE, FLOW.COPIED_CLASS_TO_4)
    .compute('and', R1, R2)
    .load('byte', R2, VALUE, FLOW.HEADER + IPV4.TOS)
    .compute('or', R1, R2)
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
    .load('byte', R2, VALUE, FLOW.COPIED_CLASS_TO_6)
    .compute('and', R1, R2)
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
