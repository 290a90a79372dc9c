/** Sends requests to services again and again until they answer, and reports when they did. Orders: see `ProbeOrders`. */
import { createSocket } from 'node:dgram';
import { get } from 'node:http';
import { connect } from 'node:net';
import { type DecodedPacket, decode, encode } from 'dns-packet';
import { ANSWER, recordClientHello } from './client-hello.ts';
import { monotonicMs } from './clock.ts';
import { serveOrders } from './commands.ts';

interface Place {
  readonly address: string;
  readonly port: number;
}

/** What to send, and so what counts as an answer. */
export type Probe = Place & { readonly name: string } & (
    | { readonly kind: 'udp-echo' }
    | {
        readonly kind: 'dns';
        readonly question: string;
        readonly type: 'A' | 'AAAA';
      }
    | { readonly kind: 'tls'; readonly serverName: string }
    | { readonly kind: 'http'; readonly hostname?: string }
  );

const GIVE_UP_AFTER_MS = 20_000;
/** Pause between two attempts, and the time limit of each. */
const INTERVAL_MS = 2;
const ATTEMPT_TIMEOUT_MS = 100;

/** Resolves with the time of each probe's first answer, by name; rejects if one never comes. */
async function until(probes: readonly Probe[]): Promise<Record<string, number>> {
  const hello = new Map<string, Uint8Array>();
  for (const probe of probes)
    if (probe.kind === 'tls') hello.set(probe.name, await recordClientHello(probe.serverName));
  const answeredAt = await Promise.all(
    probes.map(async (probe): Promise<[string, number]> => {
      const deadline = performance.now() + GIVE_UP_AFTER_MS;
      for (;;) {
        const { promise, resolve } = Promise.withResolvers<boolean>();
        const stop = ask(probe, hello.get(probe.name) ?? new Uint8Array(), resolve);
        const timer = setTimeout(resolve, ATTEMPT_TIMEOUT_MS, false);
        const answered = await promise;
        clearTimeout(timer);
        stop();
        if (answered) return [probe.name, monotonicMs()];
        if (performance.now() > deadline)
          throw new Error(`${probe.name} (${probe.kind} ${probe.address} port ${probe.port}) never answered`);
        await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
      }
    }),
  );
  return Object.fromEntries(answeredAt);
}

/** Sends one request; `done` is called with whether the answer was right. Returns a function that ends the attempt. */
function ask(probe: Probe, hello: Uint8Array, done: (answered: boolean) => void): () => void {
  switch (probe.kind) {
    case 'udp-echo':
      return exchange(probe, Buffer.from(probe.name), (reply) => done(reply.toString() === probe.name));
    case 'dns': {
      const { question: name, type } = probe;
      const query = encode({
        type: 'query',
        id: 1,
        flags: 0x100,
        questions: [{ name, type }],
      });
      return exchange(probe, query, (reply) => done(holdsAnswer(decode(reply), type)));
    }
    case 'tls': {
      const socket = connect(probe.port, probe.address, () => socket.write(hello));
      socket.on('data', (bytes) => done(bytes.length === ANSWER.length));
      socket.on('error', () => done(false)).on('close', () => done(false));
      return () => socket.destroy();
    }
    case 'http': {
      const { address, port, hostname } = probe;
      const headers = hostname === undefined ? {} : { host: hostname };
      const request = get({ host: address, port, path: '/', agent: false, headers }, (response) => {
        // 421 is the right answer for an unknown host name, 401 for a visitor who has not signed in.
        done((response.statusCode ?? 500) < 500);
        response.destroy();
      });
      request.on('error', () => done(false));
      return () => request.destroy();
    }
  }
}

const holdsAnswer = ({ answers }: DecodedPacket, type: string) =>
  (answers ?? []).some((answer) => answer.type === type);

function exchange(
  { address, port }: Place,
  message: Uint8Array,
  onReply: (reply: Buffer) => void,
): () => void {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  let open = true;
  socket.on('message', onReply).on('error', () => {});
  socket.send(message, port, address);
  return () => {
    if (open) socket.close();
    open = false;
  };
}

const orders = { until };
export type ProbeOrders = typeof orders;

serveOrders(orders);
