/** What must hold for a fragment memory, whatever has been done to it. */
import assert from 'node:assert/strict';
import { BLOCK, BLOCK_WORDS } from '../../../../src/services/nat64/fragment-blocks.ts';
import { DATAGRAM, type FragmentMemory, field } from '../../../../src/services/nat64/fragment-memory.ts';

/** All datagrams, the oldest first. */
export function datagramsOf(memory: FragmentMemory): number[] {
  const datagrams: number[] = [];
  for (let each = memory.oldest; each !== 0; each = field(memory, each, DATAGRAM.AFTER)) datagrams.push(each);
  return datagrams;
}

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

/** Fails unless every block and record is in one place, fragments are in order, and all is counted for its owner. */
export function checkFragmentMemory(memory: FragmentMemory): void {
  const { blocks, shares, records } = memory;
  const datagrams = datagramsOf(memory);
  assert.equal(datagrams.length, memory.datagrams);
  const seen = new Set<number>();
  let units = 0;
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
    assert.equal(field(memory, datagram, DATAGRAM.UNITS), 1 + chains.flat().length);
    assert.notEqual(shares.ownerOf[datagram], 0);
    units += field(memory, datagram, DATAGRAM.UNITS);
  }
  assert.equal(blocks.free, blocks.size - seen.size);
  assert.equal(shares.unitsOf[0] + shares.unitsOf[1], units);
  assert.ok(memory.datagrams <= memory.maxDatagrams && records.length > 0);
}
