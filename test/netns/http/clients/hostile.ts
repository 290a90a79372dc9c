/**
 * A client that does no good, run in a namespace until it is ended:
 *
 *   node hostile.ts HABIT=COUNT[:PORT[:CLIENTS]] ...
 *
 * PORT: of the proxy, another one than usual. CLIENTS: how many addresses it comes from (`manyClients` in network.ts), not one.
 *
 * idle: that many connections that send nothing; half-heads and half-hellos: that many that send the beginning of a request, or of
 * a ClientHello; resets: each connection is reset after a request, COUNT at a time; slow-reader: COUNT requests for much, of which
 * little is read; dead: COUNT requests at a time to a server that does not accept; slow-body: COUNT uploads of which a byte comes
 * now and then. What the proxy ends is opened again. Prints "ready" when the first round is done.
 */
import { type Socket, connect } from 'node:net';
import { ADDRESSES, hostnameOf } from '../addresses.ts';
import { request } from '../forms.ts';
import { LARGE_FILE } from '../names.ts';

/**
 * So many connections a second take the place of ended ones: those that come over a limit end at once, and the machine is not
 * what is measured.
 */
const AGAIN_A_SECOND = 500;
const AGAIN_MS = 20;
const TRICKLE_MS = 200;
const OPENED_AT_ONCE = 500;

interface Habit {
  readonly port?: number;
  readonly clients?: number;
  /** Reads only so much at a time, and then stands still until `resume`. */
  readonly readBytes?: number;
  act(socket: Socket): void;
}
/** What ended and is to be opened again. */
const ended: Habit[] = [];
setInterval(() => {
  for (const habit of ended.splice(0, (AGAIN_A_SECOND * AGAIN_MS) / 1000)) open(habit, () => {});
}, AGAIN_MS);
/** How many connections of the first round are still to be opened. */
let missing = 0;
const isDone = () => {
  if (--missing === 0) console.log('ready');
};

/** Its addresses, one after the other. */
let turn = 0;
function addressOf(clients: number): string {
  if (clients === 0) return ADDRESSES.hostile;
  const [network, first] = /^(.*\.)([0-9]+)$/.exec(ADDRESSES.many)!.slice(1);
  return `${network}${Number(first) + (turn++ % clients)}`;
}

function open(habit: Habit, onFirst: () => void): void {
  const { port = 80, clients = 0, readBytes, act } = habit;
  const socket = connect({
    host: ADDRESSES.proxy,
    port,
    localAddress: addressOf(clients),
    ...(readBytes !== undefined && { onread: { buffer: Buffer.alloc(readBytes), callback: () => false } }),
  });
  let isCounted = false;
  const counted = () => {
    if (!isCounted) onFirst();
    isCounted = true;
  };
  socket.on('error', () => {});
  socket.on('connect', () => {
    act(socket);
    counted();
  });
  socket.on('close', () => {
    counted();
    ended.push(habit);
  });
}

const GET = request({ line: `GET /${LARGE_FILE}`, authority: hostnameOf('nginx') });
/** The beginning of a record with a ClientHello of 512 bytes. */
const HALF_HELLO = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 1, 2, 3, 4]);
const HABITS: Readonly<Record<string, Habit>> = {
  idle: { act: (socket) => void socket.resume() },
  'half-heads': { act: (socket) => void socket.resume().write(GET.slice(0, 30)) },
  'half-hellos': { port: 443, act: (socket) => void socket.resume().write(HALF_HELLO) },
  resets: { act: (socket) => void socket.write(GET, () => setTimeout(() => socket.resetAndDestroy(), 5)) },
  'slow-reader': {
    // Otherwise Node would read 64 KiB each time: 64 MB a second for 200 connections.
    readBytes: 1000,
    act(socket) {
      socket.write(GET);
      const timer = setInterval(() => socket.resume(), TRICKLE_MS);
      socket.on('close', () => clearInterval(timer));
    },
  },
  dead: {
    act(socket) {
      socket.resume();
      socket.write(request({ line: 'GET /', authority: hostnameOf('dead') }));
    },
  },
  'slow-body': {
    act(socket) {
      socket.resume();
      socket.write(
        request({
          line: 'POST /count',
          authority: hostnameOf('node'),
          fields: ['Content-Length: 1000000'],
        }),
      );
      const timer = setInterval(() => socket.write('x'), TRICKLE_MS);
      socket.on('close', () => clearInterval(timer));
    },
  },
};

/** Some at a time: the kernel drops what does not fit into the listener's queue. */
function openMany(habit: Habit, count: number): void {
  let [started, opened] = [0, 0];
  const onFirst = () => {
    opened++;
    isDone();
  };
  const openMore = () => {
    for (const most = Math.min(count, opened + OPENED_AT_ONCE); started < most; started++)
      open(habit, onFirst);
    if (started < count) setTimeout(openMore, 5);
  };
  openMore();
}

const orders = process.argv.slice(2).map((order) => {
  const [name, count, port, clients] = order.split(/[=:]/);
  const habit = HABITS[name];
  if (habit === undefined || !(Number(count) > 0))
    throw new Error(`"${order}": expected HABIT=COUNT with one of ${Object.keys(HABITS).join(', ')}`);
  const changed = {
    ...habit,
    ...(port !== undefined && { port: Number(port) }),
    ...(clients !== undefined && { clients: Number(clients) }),
  };
  return { habit: changed, count: Number(count) };
});
missing = orders.reduce((sum, { count }) => sum + count, 0);
for (const { habit, count } of orders) openMany(habit, count);
