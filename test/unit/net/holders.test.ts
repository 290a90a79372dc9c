/** The list of those who hold most, and of those who were refused most often. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientAt } from '../../../src/net/client.ts';
import {
  createHolders,
  createHoldersBuffer,
  listHolders,
  noteRefused,
  readHolders,
} from '../../../src/net/holders.ts';
import { createSlotShares, releaseSlot, takeSlot } from '../../../src/net/shares.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';

const clientOf = (text: string) => clientAt(parseIpAddress(text)!);

function world() {
  const buffer = createHoldersBuffer();
  const holders = createHolders(buffer);
  const all = createSlotShares({ slots: 10_000, seed: 1 });
  const openings = createSlotShares({ slots: 10_000, seed: 1 });
  const take = (shares: typeof all, text: string, count: number) => {
    const { word0, word1, word2, word3 } = clientOf(text);
    return Array.from({ length: count }, () => takeSlot(shares, 1, word0, word1, word2, word3));
  };
  return { buffer, holders, all, openings, take, list: () => listHolders(holders, all, openings) };
}

test('those with most come first; the addresses of a /64 are one client', () => {
  const { buffer, all, openings, take, list } = world();
  assert.deepEqual(readHolders(buffer).holders, []);
  take(all, '192.0.2.1', 3);
  take(all, '2001:db8::1', 2);
  const slots = take(all, '2001:db8::2', 5000);
  take(openings, '2001:db8::2', 4);
  take(all, '198.51.100.1', 1);
  list();
  assert.deepEqual(readHolders(buffer).holders, [
    { client: '2001:db8::/64', connections: 5002, openings: 4 },
    { client: '192.0.2.1', connections: 3, openings: 0 },
    { client: '198.51.100.1', connections: 1, openings: 0 },
  ]);
  for (const slot of slots) releaseSlot(all, slot);
  list();
  assert.deepEqual(
    readHolders(buffer).holders.map(({ connections }) => connections),
    [3, 2, 1],
  );
});

test('ten clients are listed, whatever their number', () => {
  const { buffer, all, take, list } = world();
  for (let i = 1; i <= 200; i++) take(all, `192.0.2.${i}`, i % 40);
  list();
  const { holders } = readHolders(buffer);
  assert.deepEqual(
    holders.map(({ connections }) => connections),
    [39, 39, 39, 39, 39, 38, 38, 38, 38, 38],
  );
});

test('whoever is refused most often is in the list, however many others are refused', () => {
  const { buffer, holders } = world();
  for (let i = 0; i < 1000; i++) {
    noteRefused(holders, clientOf('2001:db8::abcd'), 5);
    noteRefused(holders, clientOf(`2001:db8:1:${(i & 0xff).toString(16)}::1`), 6);
    noteRefused(holders, clientOf('192.0.2.9'), 7);
  }
  const { refused } = readHolders(buffer);
  assert.equal(refused.length, 16);
  assert.deepEqual(
    refused
      .slice(0, 2)
      .map(({ client, counter }) => ({ client, counter }))
      .sort((a, b) => a.counter - b.counter),
    [
      { client: '2001:db8::/64', counter: 5 },
      { client: '192.0.2.9', counter: 7 },
    ],
  );
  for (const { count } of refused.slice(0, 2)) assert.ok(count >= 1000 && count < 1100, String(count));
  assert.ok(refused.every(({ lastMs }) => lastMs > 0));
});

test('a worker that starts again holds nothing; what was refused stays known', () => {
  const { buffer, holders, all, take, list } = world();
  take(all, '192.0.2.1', 3);
  list();
  noteRefused(holders, clientOf('192.0.2.1'), 2);
  createHolders(buffer);
  const { holders: rows, refused } = readHolders(buffer);
  assert.deepEqual(rows, []);
  assert.deepEqual(
    refused.map(({ client, count }) => [client, count]),
    [['192.0.2.1', 1]],
  );
});
