/**
 * A client that does no good, run in a namespace until it is ended:
 *
 *   node hostile.ts HABIT COUNT [PORT [CLIENTS]]
 *
 * PORT: of the proxy; default: 80. CLIENTS: how many addresses it comes from (`manyClients` in network.ts); default: one.
 *
 * idle: that many connections that send nothing; half-heads: that many that send the beginning of a request; resets: each
 * connection is reset after a request, COUNT at a time; slow-reader: COUNT requests for much, of which little is read; dead:
 * COUNT requests at a time to a server that does not accept; slow-body: COUNT uploads of which a byte comes now and then;
 * half-hellos: that many that send the beginning of a ClientHello. What the proxy ends is opened again. Prints "ready" when the first round is done.
 */
import { type Socket, connect } from 'node:net';
import { ADDRESSES, hostnameOf } from '../addresses.ts';
import { request } from '../forms.ts';
import { LARGE_FILE } from '../names.ts';

const [habit = '', count = '100', port = '80', clients = '0'] = process.argv.slice(2);
/** Pauses, so that the machine is not what is measured. */
const AGAIN_MS = 50;
const TRICKLE_MS = 200;
const OPENED_AT_ONCE = 500;

/** Its addresses, one after the other. */
let turn = 0;
function address(): string {
  if (Number(clients) === 0) return ADDRESSES.hostile;
  const [network, first] = /^(.*\.)([0-9]+)$/.exec(ADDRESSES.many)!.slice(1);
  return `${network}${Number(first) + (turn++ % Number(clients))}`;
}

let opened = 0;
const isDone = () => {
  if (++opened === Number(count)) console.log('ready');
};

function open(onOpen: (socket: Socket) => void): void {
  const socket = connect({ host: ADDRESSES.proxy, port: Number(port), localAddress: address() });
  let isCounted = false;
  const counted = () => {
    if (!isCounted) isDone();
    isCounted = true;
  };
  socket.on('error', () => {});
  socket.on('connect', () => {
    onOpen(socket);
    counted();
  });
  socket.on('close', () => {
    counted();
    setTimeout(() => open(onOpen), AGAIN_MS * (1 + Math.random()));
  });
}

const GET = request({ line: `GET /${LARGE_FILE}`, authority: hostnameOf('nginx') });
/** The record header and the handshake header of a ClientHello of 512 bytes, and its version. */
const HALF_HELLO = Buffer.from('1603010200010001fc0303', 'hex');
const HABITS: Readonly<Record<string, (socket: Socket) => void>> = {
  idle: (socket) => void socket.resume(),
  'half-heads': (socket) => void socket.resume().write(GET.slice(0, 30)),
  'half-hellos': (socket) => void socket.resume().write(HALF_HELLO),
  resets: (socket) => void socket.write(GET, () => setTimeout(() => socket.resetAndDestroy(), 5)),
  'slow-reader': (socket) => {
    socket.write(GET);
    socket.pause();
    const timer = setInterval(() => socket.read(1000), TRICKLE_MS);
    socket.on('close', () => clearInterval(timer));
  },
  dead: (socket) => {
    socket.resume();
    socket.write(request({ line: 'GET /', authority: hostnameOf('dead') }));
  },
  'slow-body': (socket) => {
    socket.resume();
    socket.write(
      request({ line: 'POST /count', authority: hostnameOf('node'), fields: ['Content-Length: 1000000'] }),
    );
    const timer = setInterval(() => socket.write('x'), TRICKLE_MS);
    socket.on('close', () => clearInterval(timer));
  },
};
const act = HABITS[habit];
if (act === undefined) throw new Error(`"${habit}": expected one of ${Object.keys(HABITS).join(', ')}`);
/** Some at a time: the kernel drops what does not fit into the listener's queue. */
let started = 0;
const openMore = () => {
  for (const most = Math.min(Number(count), opened + OPENED_AT_ONCE); started < most; started++) open(act);
  if (started < Number(count)) setTimeout(openMore, 5);
};
openMore();
