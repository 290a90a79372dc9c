/** New connections of a client in a second: who is refused, and when nobody is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientAt } from '../../../src/net/client.ts';
import {
  FREE_PER_SECOND,
  MAX_WAITING,
  countNew,
  createNewConnections,
} from '../../../src/net/new-connections.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';

const LISTENER = 7;

/** How many of `count` new connections are accepted, one after the other. */
function machine(perSecond?: number) {
  const counts = createNewConnections(1);
  const state = { nowMs: 0, waiting: 0, asked: 0 };
  const arrive = (address: string, count: number): number => {
    let accepted = 0;
    const client = clientAt(parseIpAddress(address)!);
    for (let i = 0; i < count; i++) {
      const waitingOf = (listener: number) => {
        assert.equal(listener, LISTENER);
        state.asked++;
        return state.waiting;
      };
      if (countNew(counts, state.nowMs, client, perSecond, LISTENER, waitingOf)) accepted++;
    }
    return accepted;
  };
  return { state, arrive };
}

const MANY = 20_000;

test('a client that is alone is never refused, however many wait', () => {
  const { state, arrive } = machine();
  state.waiting = 4096;
  assert.equal(arrive('192.0.2.1', MANY), MANY);
  assert.equal(state.asked, 0);
});

test('a client beside others is not refused while the machine keeps up', () => {
  const { state, arrive } = machine();
  state.waiting = MAX_WAITING;
  assert.equal(arrive('198.51.100.1', 1), 1);
  assert.equal(arrive('192.0.2.1', MANY), MANY);
});

test('while others wait, the client with most is refused; a household behind one address is not', () => {
  const { state, arrive } = machine();
  state.waiting = MAX_WAITING + 1;
  assert.equal(arrive('198.51.100.1', 1), 1);
  assert.equal(arrive('192.0.2.1', MANY), FREE_PER_SECOND);
  assert.equal(arrive('198.51.100.1', 100), 100);
  assert.equal(arrive('2001:db8::1', 100), 100);
  state.nowMs = 1000;
  assert.equal(arrive('198.51.100.1', 1), 1);
  assert.equal(arrive('192.0.2.1', MANY), FREE_PER_SECOND);
  state.waiting = 0;
  assert.equal(arrive('192.0.2.1', 10), 10);
});

test('all addresses of a /64 are one client', () => {
  const { state, arrive } = machine();
  state.waiting = MAX_WAITING + 1;
  arrive('198.51.100.1', 1);
  let accepted = 0;
  for (let i = 0; i < 1000; i++) accepted += arrive(`2001:db8::${i.toString(16)}`, 1);
  assert.equal(accepted, FREE_PER_SECOND);
});

test('several clients with many each get the mean', () => {
  const { state, arrive } = machine();
  state.waiting = MAX_WAITING + 1;
  const greedy = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
  const accepted = [0, 0, 0];
  for (let round = 0; round < 1000; round++)
    for (const [i, address] of greedy.entries()) accepted[i] += arrive(address, 1);
  for (const each of accepted) assert.ok(Math.abs(each - accepted[0]) <= 1, String(accepted));
  assert.ok(accepted[0] >= FREE_PER_SECOND);
});

test('the configured limit holds for each client, also for one that is alone', () => {
  const { state, arrive } = machine(10);
  assert.deepEqual([arrive('192.0.2.1', 100), arrive('192.0.2.2', 5)], [10, 5]);
  state.nowMs = 999;
  assert.deepEqual([arrive('192.0.2.1', 1), arrive('192.0.2.2', 100)], [0, 5]);
  state.nowMs = 1000;
  assert.deepEqual([arrive('192.0.2.1', 100), arrive('192.0.2.2', 100)], [10, 10]);
});

test('clients hardly share their counts: 200 clients with 9 connections each, at a limit of 10', () => {
  const { arrive } = machine(10);
  let accepted = 0;
  for (let i = 0; i < 200; i++) accepted += arrive(`198.18.${i >> 8}.${i & 255}`, 9);
  assert.ok(accepted > 1780, `${accepted} of 1800`);
});

test('a clock that wraps', () => {
  const { state, arrive } = machine(10);
  state.nowMs = 0x7fff_ffff;
  assert.equal(arrive('192.0.2.1', 100), 10);
  state.nowMs = -0x8000_0000 + 2000;
  assert.equal(arrive('192.0.2.1', 100), 10);
});
