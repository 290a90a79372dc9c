/** The pipes of slow readers: one client does not get all of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Pipe, createPipePool } from '../../../src/net/pipe-pool.ts';
import { FdLedger } from '../../../src/os/fd-ledger.ts';

test('a client has at most four fifths; the others share the rest, and nothing is lost when they come back', () => {
  const ledger = new FdLedger();
  try {
    const pool = createPipePool(ledger, 10);
    const taken = (client: number): Pipe[] => {
      const pipes: Pipe[] = [];
      for (let pipe = pool.take(client); pipe !== null; pipe = pool.take(client)) pipes.push(pipe);
      return pipes;
    };
    const first = taken(1);
    assert.equal(first.length, 52);
    const second = taken(2);
    assert.equal(second.length, 10);
    assert.equal(taken(3).length, 2);
    assert.equal(taken(4).length, 0);
    assert.equal(pool.existing, 64);
    first.forEach((pipe, i) => pool.give(pipe, i % 2 === 0));
    assert.equal(taken(4).length, 42);
    for (const pipe of second) pool.give(pipe, true);
    assert.ok(taken(1).length > 0);
  } finally {
    ledger.closeAll();
  }
});
