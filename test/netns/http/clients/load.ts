/**
 * Clients for load, run in a namespace:
 *
 *   node load.ts kept                 requests over kept connections until SIGUSR2; a connection ends only where its answer says
 *                                     so. Prints "ok" and how many requests and connections there were
 *   node load.ts rounds ROUNDS COUNT  opens COUNT connections, performs a request on each, then another one, and closes them;
 *                                     prints a line for each round
 *   node load.ts many COUNT           opens COUNT connections, performs a request on each and prints "open"; after SIGUSR2 performs
 *                                     another one on each, closes them and prints "ok"
 *   node load.ts bulk BYTES           sends and gets that many bytes, in two connections at once, and compares them
 *
 * Ends with the first failure.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { type Socket, connect } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { ADDRESSES, hostnameOf } from '../addresses.ts';
import { request } from '../forms.ts';
import { createIncoming } from '../incoming.ts';
import { SMALL } from '../names.ts';
import { createPatternCheck, patternBlocks } from '../pattern.ts';

const LANES = 16;
const OPENED_AT_ONCE = 100;
const GET = request({ line: 'GET /small.txt', authority: hostnameOf('nginx') });
const [habit, ...numbers] = process.argv.slice(2);
const [first, second = 0] = numbers.map(Number);

if (habit === 'kept') await kept();
else if (habit === 'rounds') await rounds(first, second);
else if (habit === 'many') await many(first);
else if (habit === 'bulk') await bulk(first);
else throw new Error(`"${habit}": expected kept, rounds, many or bulk`);

async function open(): Promise<{ socket: Socket; ask: () => Promise<string> }> {
  const socket = connect({ host: ADDRESSES.proxy, port: 80, localAddress: ADDRESSES.client, noDelay: true });
  const incoming = createIncoming(socket);
  await once(socket, 'connect');
  return {
    socket,
    /** Resolves with the head of a whole answer. */
    async ask() {
      socket.write(GET);
      const head = await incoming.takeHead();
      await incoming.takeExactly(SMALL);
      assert.match(head, /^HTTP\/1\.1 200 /);
      return head;
    },
  };
}

async function kept(): Promise<void> {
  let isOver = false;
  process.once('SIGUSR2', () => (isOver = true));
  console.log('ready');
  let requests = 0;
  let connections = 0;
  const lane = async () => {
    while (!isOver) {
      const { socket, ask } = await open();
      connections++;
      for (let isKept = true; isKept && !isOver; requests++)
        isKept = !/\r\nConnection: close\r\n/i.test(await ask());
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  console.log(`ok ${requests} requests, ${connections} connections`);
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Opens connections, and performs a request on each. */
async function openAll(count: number): Promise<readonly Opened[]> {
  const all: Opened[] = [];
  const lane = async () => {
    while (all.length < count) {
      const place = all.push(undefined as never) - 1;
      all[place] = await open();
      await all[place].ask();
    }
  };
  await Promise.all(Array.from({ length: OPENED_AT_ONCE }, lane));
  return all;
}

/** All of them are open now; and they serve. */
async function askAndCloseAll(all: readonly Opened[]): Promise<void> {
  let next = 0;
  const again = async () => {
    while (next < all.length) await all[next++].ask();
  };
  await Promise.all(Array.from({ length: OPENED_AT_ONCE }, again));
  const closed = all.map(({ socket }) => once(socket, 'close'));
  for (const { socket } of all) socket.end();
  await Promise.all(closed);
}

async function rounds(times: number, count: number): Promise<void> {
  for (let round = 0; round < times; round++) {
    await askAndCloseAll(await openAll(count));
    console.log(`round ${round + 1}`);
  }
}

async function many(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once('SIGUSR2', () => resolve());
  const waiting = setInterval(() => {}, 1000);
  const all = await openAll(count);
  console.log('open');
  await promise;
  clearInterval(waiting);
  await askAndCloseAll(all);
  console.log('ok');
}

async function bulk(bytes: number): Promise<void> {
  const upload = async () => {
    const asked = httpRequest({
      host: ADDRESSES.proxy,
      localAddress: ADDRESSES.client,
      method: 'POST',
      path: '/count',
      headers: { host: hostnameOf('node'), 'content-length': bytes },
    });
    const answered = once(asked, 'response');
    await pipeline(Readable.from(patternBlocks(bytes)), asked);
    const [response] = await answered;
    assert.equal(await text(response), `${bytes} bytes`);
  };
  const download = async () => {
    const asked = httpRequest({
      host: ADDRESSES.proxy,
      localAddress: ADDRESSES.client,
      path: `/stream?bytes=${bytes}`,
      headers: { host: hostnameOf('node') },
    });
    asked.end();
    const [response] = await once(asked, 'response');
    const check = createPatternCheck();
    for await (const chunk of response) check.take(chunk as Buffer);
    assert.equal(check.position, bytes);
  };
  await Promise.all([upload(), download()]);
  console.log('ok');
}
