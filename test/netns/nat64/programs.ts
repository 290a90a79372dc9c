/** The programs that the hosts of topology.ts run, as text for `node -e`, and helpers that query the network. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type Appliance, type Host, INTERNET6, POOL4, type Topology } from './topology.ts';

export const succeeds = (promise: Promise<unknown>) =>
  promise.then(
    () => true,
    () => false,
  );

/** A UDP server that sends every datagram back with its sender's address in front. */
export const UDP_ECHO = `
  const socket = require('dgram').createSocket('udp4');
  socket.on('message', (message, { address, port }) => socket.send(address + ' ' + message, port, address));
  socket.bind(5300, () => console.log('ready'));`;

/** Learns and prints its port on the IPv4 side, then answers every sender. */
export const HAIRPIN_SERVER = `
  const socket = require('dgram').createSocket('udp6');
  socket.once('message', (port) => {
    console.log(String(port));
    socket.on('message', (message, { address, port }) => socket.send('from ' + address + ': ' + message, port, address));
  });
  socket.send('?', 5301, '${INTERNET6}');`;

/** Answers each datagram with the port of its sender. */
export const UDP_PORT_TELLER = `
  const socket = require('dgram').createSocket('udp4');
  socket.on('message', (message, { address, port }) => socket.send(String(port), port, address));
  socket.bind(5301, () => console.log('ready'));`;

/** A server that sends each client the SHA-256 of 32 MiB, then these bytes, whose values depend on their position. */
export const TCP_SOURCE = `
  const { createHash } = require('crypto');
  const data = Buffer.alloc(32 << 20);
  for (let i = 0; i < data.length; i += 4) data.writeUInt32BE(Math.imul(i, 2654435761) >>> 0, i);
  require('net').createServer((socket) => {
    socket.on('error', () => {});
    socket.write(createHash('sha256').update(data).digest());
    socket.end(data);
  }).listen(8080, '0.0.0.0', () => console.log('ready'));`;

/** Downloads these bytes and prints whether the checksum is correct. */
export const tcpDownload = (host: string) => `
  const { createHash } = require('crypto');
  const chunks = [];
  const socket = require('net').connect(8080, '${host}');
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => {
    const all = Buffer.concat(chunks);
    const digest = createHash('sha256').update(all.subarray(32)).digest();
    console.log(digest.equals(all.subarray(0, 32)) ? 'intact' : 'damaged', all.length - 32);
  });`;

export const udpExchange = (host: string, text: string) => `
  const socket = require('dgram').createSocket('udp6');
  socket.on('message', (message) => { console.log(String(message)); socket.close(); });
  socket.send('${text}', 5300, '${host}');
  setTimeout(() => { throw new Error('no answer'); }, 3000).unref();`;

/** Sends numbered datagrams of three sizes in a row, and repeats those without an answer; prints how many answers were correct. */
export const udpBurst = (host: string, count: number) => `
  const socket = require('dgram').createSocket({ type: 'udp6', recvBufferSize: 1 << 20 });
  const texts = Array.from({ length: ${count} }, (_, i) => String(i).padEnd([64, 64, 64, 1200, 1200, 5][i % 97 % 6], '.'));
  const missing = new Set(texts);
  let wrong = 0;
  const send = () => { for (const text of missing) socket.send(text, 5300, '${host}'); };
  const again = setInterval(send, 500);
  socket.on('message', (message) => {
    const [address, text] = String(message).split(' ');
    if (address !== '${POOL4}' || !texts.includes(text)) wrong++;
    missing.delete(text);
    if (missing.size > 0) return;
    console.log('wrong', wrong);
    clearInterval(again);
    socket.close();
  });
  send();`;

export async function startServer(net: Topology, script: string): Promise<void> {
  const server = net.start('internet', process.execPath, '-e', script);
  await new Promise<void>((resolve) => server.stdout?.once('data', () => resolve()));
}

export const node = (net: Topology, script: string) => net.run('island', process.execPath, '-e', script);
export const reaches = (net: Topology) =>
  succeeds(net.run('island', 'ping', '-c', '1', '-W', '1', INTERNET6));

/** How long a ping waits for an answer that must come: on a busy machine it takes long. */
const PATIENT = ['-n', '-c', '1', '-W', '60'];

/**
 * Sends one echo request; rejects if no answer comes. One at a time, because ping waits for the last of several only for two
 * round trips.
 */
export const ping = (net: Topology, host: Host, ...args: string[]) =>
  net.run(host, 'ping', ...PATIENT, ...args);

/** The output of ping when it gets only an ICMP error. */
export const pingWithError = (net: Topology, ...args: string[]) =>
  ping(net, 'island', ...args).then(
    (out) => assert.fail(`got an answer: ${out}`),
    ({ stdout }: { stdout: string }) => stdout,
  );

export const INJECT = join(import.meta.dirname, 'inject.ts');
const LIES = ['drop-truncated', 'drop-bad-length', 'drop-bad-checksum'];

export const lies = async (appliance: Appliance) => {
  const counters = await appliance.counters();
  return LIES.reduce((sum, name) => sum + counters[name], 0);
};
/** A copy with other bytes at an offset. */
export const changed = (packet: Uint8Array, at: number, ...bytes: number[]) => {
  const copy = packet.slice();
  copy.set(bytes, at);
  return copy;
};

/** The host that reports that the packet's hop limit ran out. */
export const hop = async (net: Topology, hopLimit: number) => {
  const out = await pingWithError(net, '-t', `${hopLimit}`, INTERNET6);
  return /From (\S+) .*Time exceeded/.exec(out)?.[1];
};
