/** Invariants of a fragment memory after any operations. */
import assert from 'node:assert/strict';
import { nextInAge, unitsOf } from '../../../../src/net/shares.ts';
import { BLOCK, BLOCK_WORDS } from '../../../../src/services/nat64/tables/fragment-blocks.ts';
import {
  DATAGRAM,
  type FragmentMemory,
  field,
} from '../../../../src/services/nat64/tables/fragment-records.ts';

/** All datagrams; those of each group in the order of their arrival in it. */
export const datagramsOf = ({ shares, datagramOf }: FragmentMemory): number[] =>
  shares.flatMap((group, i) => {
    const datagrams: number[] = [];
    for (let slot = group.oldest; slot !== 0; slot = nextInAge(group, slot))
      datagrams.push(datagramOf[i][slot]);
    return datagrams;
  });

/** The blocks of a datagram, by fragment. */
function chainsOf(memory: FragmentMemory, datagram: number): number[][] {
  const { words } = memory.blocks;
  const chains: number[][] = [];
  let fragment = field(memory, datagram, DATAGRAM.FIRST);
  while (fragment !== 0) {
    const chain: number[] = [];
    for (let block = fragment; block !== 0; block = words[block * BLOCK_WORDS + BLOCK.NEXT])
      chain.push(block);
    chains.push(chain);
    fragment = words[fragment * BLOCK_WORDS + BLOCK.NEXT_FRAGMENT];
  }
  return chains;
}

/** Fails unless each block and record is in exactly one place, fragments are in order, and everything is counted for its owner. */
export function checkFragmentMemory(memory: FragmentMemory): void {
  const { blocks, shares, blocksOf, datagramOf } = memory;
  const datagrams = datagramsOf(memory);
  assert.equal(datagrams.length, memory.datagrams);
  const seen = new Set<number>();
  const units = [0, 0];
  const used = [0, 0];
  for (const datagram of datagrams) {
    const chains = chainsOf(memory, datagram);
    let end = 0;
    for (const [first] of chains) {
      const range = blocks.words[first * BLOCK_WORDS + BLOCK.RANGE];
      assert.ok(range >>> 16 >= end && (range & 0xffff) > range >>> 16, 'in order, without overlap');
      end = range & 0xffff;
    }
    for (const block of chains.flat()) {
      assert.ok(!seen.has(block), `block ${block} twice`);
      seen.add(block);
    }
    assert.equal(field(memory, datagram, DATAGRAM.COUNT), chains.length);
    assert.equal(field(memory, datagram, DATAGRAM.BLOCKS), chains.flat().length);
    const group = field(memory, datagram, DATAGRAM.GROUP);
    const slot = field(memory, datagram, DATAGRAM.SLOT);
    assert.equal(datagramOf[group][slot], datagram);
    assert.equal(unitsOf(shares[group], slot), 1 + (chains.flat().length >> 5));
    units[group] += unitsOf(shares[group], slot);
    used[group] += chains.flat().length;
  }
  assert.equal(blocks.free, blocks.size - seen.size);
  assert.deepEqual(
    shares.map(({ usedUnits }) => usedUnits),
    units,
  );
  assert.deepEqual([...blocksOf], used);
  assert.ok(memory.datagrams <= memory.maxDatagrams);
}
