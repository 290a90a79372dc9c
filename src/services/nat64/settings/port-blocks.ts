/**
 * Deterministic port blocks (RFC 7422): the ports of each client are computed from its address and never change, so no log of
 * mappings is needed. Blocks are numbered through the pools in the order of the configuration, separately for each protocol. A
 * block never spans two pools, and the rest of a pool after its last block is not used.
 */
import type { IpPrefix } from '../../../wire/ip-prefix.ts';
import { TRANSPORT } from '../packet/packet.ts';
import { bitsFrom } from '../../../wire/ipv6.ts';
import type { PortPool } from './pool.ts';

/** A prefix of clients. */
export interface BlockClients {
  /** Four words. */
  readonly words: Int32Array;
  readonly prefixBits: number;
  /** The number of its first client. */
  readonly first: number;
  readonly count: number;
}

/** A range of ports that is divided into blocks; `slot` is -1 while its address is not known. */
export interface BlockRange {
  readonly slot: number;
  readonly firstPort: number;
  /** The number of its first block. */
  readonly first: number;
  readonly count: number;
}

export interface PortBlocks {
  readonly size: number;
  /** The number of address bits that identify a client. */
  readonly clientBits: number;
  readonly clients: readonly BlockClients[];
  /** By TRANSPORT. */
  readonly ranges: readonly (readonly BlockRange[])[];
}

/** Compiles the clients and the pools, both in the order of the configuration. */
export function compilePortBlocks(
  size: number,
  clientBits: number,
  prefixes: readonly IpPrefix[],
  pools: readonly PortPool[],
): PortBlocks {
  let first = 0;
  const clients = prefixes.map(({ address, prefixBits }) => {
    const view = new DataView(address.buffer, address.byteOffset, 16);
    const words = Int32Array.from([0, 4, 8, 12], (at) => view.getInt32(at));
    const count = 2 ** (clientBits - prefixBits);
    first += count;
    return { words, prefixBits, first: first - count, count };
  });
  const rangesOf = (protocol: number) => {
    let next = 0;
    return pools
      .filter(({ protocols }) => (protocols & (1 << protocol)) !== 0)
      .map(({ slot, firstPort, lastPort }) => {
        const count = Math.floor((lastPort - firstPort + 1) / size);
        next += count;
        return { slot, firstPort, first: next - count, count };
      });
  };
  const ranges = [TRANSPORT.TCP, TRANSPORT.UDP, TRANSPORT.ICMP].map(rangesOf);
  return { size, clientBits, clients, ranges };
}

/**
 * The ports of the client whose address is at `at` in `words`. Undefined if it has none: it is not listed, or the pool4 address
 * of its block is not known yet.
 */
export function portBlockOf(
  blocks: PortBlocks | undefined,
  protocol: number,
  words: Int32Array,
  at = 0,
): PortPool | undefined {
  if (blocks === undefined) return undefined;
  const address = at === 0 ? words : words.subarray(at, at + 4);
  for (const { words: prefix, prefixBits, first, count } of blocks.clients) {
    if (!agree(address, prefix, prefixBits)) continue;
    const number = first + (count === 1 ? 0 : bitsFrom(address, prefixBits) >>> (32 - Math.log2(count)));
    return blockNumber(blocks, protocol, number);
  }
  return undefined;
}

function blockNumber({ size, ranges }: PortBlocks, protocol: number, number: number): PortPool | undefined {
  const range = ranges[protocol].find(({ first, count }) => number >= first && number < first + count);
  if (range === undefined || range.slot === -1) return undefined;
  const firstPort = range.firstPort + (number - range.first) * size;
  return { slot: range.slot, firstPort, lastPort: firstPort + size - 1, protocols: 1 << protocol };
}

/** Whether the host whose address is at `at` in `words` has the port in its block. */
export function isInPortBlock(
  blocks: PortBlocks,
  protocol: number,
  slot: number,
  port: number,
  words: Int32Array,
  at: number,
): boolean {
  const block = portBlockOf(blocks, protocol, words, at);
  return block !== undefined && block.slot === slot && port >= block.firstPort && port <= block.lastPort;
}

/** The client of a port: its prefix in four words, with zeros after `clientBits`; undefined if the port belongs to no client. */
export function clientOfPort(
  { size, clients, clientBits, ranges }: PortBlocks,
  protocol: number,
  slot: number,
  port: number,
): Int32Array | undefined {
  const range = ranges[protocol].find(
    (each) => each.slot === slot && port >= each.firstPort && port < each.firstPort + each.count * size,
  );
  if (range === undefined) return undefined;
  const number = range.first + Math.floor((port - range.firstPort) / size);
  const prefix = clients.find(({ first, count }) => number >= first && number < first + count);
  if (prefix === undefined) return undefined;
  // The bits of the number end at bit `clientBits`.
  const offset = BigInt(number - prefix.first) << BigInt(128 - clientBits);
  return prefix.words.map((word, i) => word | Number(BigInt.asIntN(32, offset >> BigInt(96 - i * 32))));
}

function agree(a: Int32Array, b: Int32Array, bits: number): boolean {
  for (let word = 0; word * 32 < bits; word++) {
    const left = bits - word * 32;
    const mask = left >= 32 ? -1 : -1 << (32 - left);
    if (((a[word] ^ b[word]) & mask) !== 0) return false;
  }
  return true;
}
