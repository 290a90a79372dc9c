/**
 * A TLS client with rare behaviour, run inside a namespace:
 *
 *   node client-hello.ts HABIT SERVER-NAME
 *
 * segments: sends the ClientHello byte by byte, one TCP segment each; records: in TLS records of 40 bytes each. Both finish the
 * handshake, request / over HTTP and print the answer. cut-off: sends the first half and waits; oversized: announces a
 * ClientHello of 16 MB and sends zeros. Both print what came back, in hexadecimal, and the milliseconds until the connection
 * was closed.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';

const APPLIANCE = { host: '192.0.2.1', port: 443 };
const HANDSHAKE_RECORD = 22;
const RECORD_HEAD_BYTES = 5;

const [habit, servername = ''] = process.argv.slice(2);
const socket = connect({ ...APPLIANCE, noDelay: true, allowHalfOpen: true });
if (habit === 'segments') await finish(bySegments);
else if (habit === 'records') await finish(byRecords);
else if (habit === 'cut-off') {
  const hello = await clientHello();
  await provoke(hello.subarray(0, hello.length >> 1));
} else if (habit === 'oversized') {
  const record = Buffer.concat([Buffer.from([HANDSHAKE_RECORD, 3, 1, 0x40, 0]), Buffer.alloc(0x4000)]);
  record.set([1, 0xff, 0xff, 0xff], RECORD_HEAD_BYTES);
  await provoke(Buffer.concat([record, record, record, record, record]));
} else throw new Error(`"${habit}": expected segments, records, cut-off or oversized`);

async function bySegments(hello: Buffer): Promise<void> {
  for (const byte of hello) await written(socket, Buffer.from([byte]));
}

async function byRecords(hello: Buffer): Promise<void> {
  const handshake = hello.subarray(RECORD_HEAD_BYTES);
  for (let at = 0; at < handshake.length; at += 40) {
    const piece = handshake.subarray(at, at + 40);
    const head = Buffer.from([HANDSHAKE_RECORD, 3, 1, 0, piece.length]);
    await written(socket, Buffer.concat([head, piece]));
  }
}

/** A real handshake, whose first flight `send` writes in its own way. */
async function finish(send: (hello: Buffer) => Promise<void>): Promise<void> {
  let first = true;
  const shaped = new Duplex({
    read: () => void socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      const sent = first ? send(chunk) : written(socket, chunk);
      first = false;
      sent.then(() => done(), done);
    },
    final: (done) => void socket.end(done),
  });
  socket.on('data', (chunk) => void (shaped.push(chunk) || socket.pause()));
  socket.on('end', () => shaped.push(null));
  const ca = readFileSync(process.env['SSL_CERT_FILE'] ?? '');
  const tls = connectTls({ socket: shaped, servername, ca });
  tls.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nConnection: close\r\n\r\n`);
  console.log(await text(tls));
}

/** What OpenSSL would send first. */
async function clientHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const catcher = new Duplex({
    read: () => {},
    write(chunk: Buffer, _encoding, done) {
      resolve(chunk);
      done();
    },
  });
  connectTls({ socket: catcher, servername }).on('error', () => {});
  return promise;
}

async function provoke(bytes: Buffer): Promise<void> {
  const startedAt = performance.now();
  const received: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('error', (error) => console.log(`error: ${error.message}`));
  socket.write(bytes);
  await new Promise((resolve) => socket.on('end', resolve).on('close', resolve));
  const elapsedMs = Math.round(performance.now() - startedAt);
  console.log(`received ${Buffer.concat(received).toString('hex')}, closed after ${elapsedMs} ms`);
  process.exit();
}

function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) =>
    socket.write(bytes, (error) => (error ? reject(error) : resolve())),
  );
}
