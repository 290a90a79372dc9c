/**
 * Sends random data, run inside a namespace; the same data for the same seed:
 *
 *   node noise.ts SEED tcp HOST PORT    connections with random bytes, ended in every way
 *   node noise.ts SEED udp HOST PORT    datagrams of random bytes
 *   node noise.ts SEED dns HOST         mutated and truncated queries over UDP, wrong lengths over TCP
 */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { encode } from 'dns-packet';
import { randomFrom } from './random.ts';

const CONNECTIONS = 40;
const DATAGRAMS = 300;
const GIVE_UP_MS = 300;

const [seed, kind, host = '', port = '53'] = process.argv.slice(2);
const random = randomFrom(Number(seed));
const randomBytes = (length: number) => Buffer.from(Array.from({ length }, () => random(256)));

if (kind === 'tcp') await tcp(() => randomBytes(random(3000)));
else if (kind === 'udp') await udp(() => randomBytes(random(1400)));
else {
  await udp(mutatedQuery);
  await tcp(() => {
    const query = mutatedQuery();
    const length = Buffer.alloc(2);
    length.writeUInt16BE(random(2) === 0 ? query.length : random(65536));
    return Buffer.concat([length, query]);
  });
}

function mutatedQuery(): Buffer {
  const type = (['A', 'AAAA', 'PTR', 'TXT', 'SOA'] as const)[random(5)];
  const query = encode({
    type: 'query',
    id: random(65536),
    flags: 0x0100,
    questions: [{ type, name: `n${random(1000)}.example.net` }],
  });
  for (let flips = random(6); flips > 0; flips--) query[random(query.length)] = random(256);
  return random(3) === 0 ? query.subarray(0, random(query.length)) : query;
}

/** Each connection sends data, then closes, resets, half-closes, or waits for the other side for a while. */
async function tcp(payload: () => Buffer): Promise<void> {
  await Promise.all(
    Array.from({ length: CONNECTIONS }, () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const socket = connect({ host, port: Number(port), allowHalfOpen: true });
      const manner = random(4);
      const bytes = payload();
      socket
        .on('error', () => {})
        .on('end', () => socket.destroy())
        .on('close', () => resolve());
      socket.on('connect', () => {
        socket.write(bytes, () => {
          if (manner === 0) socket.destroy();
          else if (manner === 1) socket.resetAndDestroy();
          else if (manner === 2) socket.end();
        });
      });
      socket.resume();
      socket.setTimeout(GIVE_UP_MS, () => socket.destroy());
      return promise;
    }),
  );
}

async function udp(payload: () => Buffer): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => {});
  for (let sent = 0; sent < DATAGRAMS; sent++) {
    const bytes = payload();
    await new Promise((resolve) => socket.send(bytes, Number(port), host, resolve));
  }
  socket.close();
}
