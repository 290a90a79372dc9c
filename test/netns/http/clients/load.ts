/**
 * Clients for load, run in a namespace:
 *
 *   node load.ts kept                 requests over kept connections, over TLS connections and over WebSockets until SIGUSR2; a
 *                                     connection of HTTP ends only where its answer says so, the others never. Prints "ok" and how
 *                                     many requests and connections there were
 *   node load.ts rounds ROUNDS COUNT  opens COUNT connections, performs a request on each, then another one, and closes them;
 *                                     prints a line for each round
 *   node load.ts many COUNT           opens COUNT connections, performs a request on each and prints "open"; after SIGUSR2 performs
 *                                     another one on each, closes them and prints "ok"
 *   node load.ts full COUNT AT_ONCE   opens COUNT connections one after the other with a request on each, then performs AT_ONCE
 *                                     requests at once on them, closes them and prints "ok"
 *   node load.ts bulk http BYTES      sends and gets that many bytes, in two connections at once, and compares them
 *   node load.ts bulk https BYTES     the same over TLS
 *
 * Ends with the first failure.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Socket, connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { ADDRESSES, hostnameOf } from '../addresses.ts';
import { request } from '../forms.ts';
import { createIncoming } from '../incoming.ts';
import { SMALL } from '../names.ts';
import { createPatternCheck, patternBlocks } from '../pattern.ts';

const LANES = 16;
const OTHER_LANES = 4;
const OPENED_AT_ONCE = 100;
const GET = request({ line: 'GET /small.txt', authority: hostnameOf('nginx') });
const PLACE = { host: ADDRESSES.proxy, localAddress: ADDRESSES.client, noDelay: true };
const [habit, first = '', second = ''] = process.argv.slice(2);

if (habit === 'kept') await kept();
else if (habit === 'rounds') await rounds(Number(first), Number(second));
else if (habit === 'many') await many(Number(first));
else if (habit === 'full') await full(Number(first), Number(second));
else if (habit === 'bulk') await bulk(first as 'http' | 'https', Number(second));
else throw new Error(`"${habit}": expected kept, rounds, many, full or bulk`);

interface Connected {
  readonly socket: Socket;
  /** Resolves with the head of a whole answer. */
  ask(): Promise<string>;
}

async function open(): Promise<Connected> {
  const socket = connect({ ...PLACE, port: 80 });
  await once(socket, 'connect');
  return asking(socket, GET);
}

async function openTls(): Promise<Connected> {
  const socket = connectTls({
    socket: connect({ ...PLACE, port: 443 }),
    servername: hostnameOf('node'),
    rejectUnauthorized: false,
  });
  await once(socket, 'secureConnect');
  return asking(socket, request({ line: 'GET /small.txt', authority: hostnameOf('node') }));
}

function asking(socket: Socket, text: string): Connected {
  const incoming = createIncoming(socket);
  return {
    socket,
    async ask() {
      socket.write(text);
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
  let [tlsRequests, messages] = [0, 0];
  const tlsLane = async () => {
    const { socket, ask } = await openTls();
    // Its end would be the failure of the next request.
    for (; !isOver; tlsRequests++) await ask();
    socket.destroy();
  };
  const webSocketLane = async () => {
    const socket = new WebSocket(`ws://${hostnameOf('node')}/`);
    await once(socket, 'open');
    socket.addEventListener('close', () => assert.ok(isOver, 'a WebSocket was closed'));
    for (; !isOver; messages++) {
      const text = `message ${messages}`;
      const echoed = once(socket, 'message');
      socket.send(text);
      const [event] = (await echoed) as [{ data: string }];
      assert.equal(event.data, text);
    }
    socket.close();
  };
  await Promise.all([
    ...Array.from({ length: LANES }, lane),
    ...Array.from({ length: OTHER_LANES }, tlsLane),
    ...Array.from({ length: OTHER_LANES }, webSocketLane),
  ]);
  console.log(
    `ok ${requests} requests, ${connections} connections; over TLS ${tlsRequests} requests, ${messages} messages of WebSockets, ${OTHER_LANES} connections each`,
  );
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

async function full(count: number, atOnce: number): Promise<void> {
  const all: Opened[] = [];
  while (all.length < count) {
    all.push(await open());
    await all.at(-1)!.ask();
  }
  await Promise.all(all.slice(0, atOnce).map(({ ask }) => ask()));
  for (const { socket } of all) socket.destroy();
  console.log('ok');
}

async function bulk(scheme: 'http' | 'https', bytes: number): Promise<void> {
  const start = scheme === 'http' ? httpRequest : httpsRequest;
  const to = { ...PLACE, servername: hostnameOf('node'), rejectUnauthorized: false };
  const upload = async () => {
    const asked = start({
      ...to,
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
    const asked = start({
      ...to,
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
