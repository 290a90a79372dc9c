/** A real server behind a recorder: what reached it, byte by byte, and that it saw as many requests in it as there were. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { readByLlhttp } from '../../unit/wire/llhttp.ts';
import { ADDRESSES, SERVERS } from './addresses.ts';
import { ask } from './ask.ts';
import { type Request, forwarded, request } from './forms.ts';
import { createIncoming } from './incoming.ts';
import { REPORTS } from './rows-reports.ts';
import { REQUESTS } from './rows-requests.ts';
import type { Row } from './row.ts';
import type { WebServer } from './servers.ts';

interface Tap extends AsyncDisposable {
  /** By connection. */
  readonly asked: string[];
  readonly answered: Buffer[];
}

/** Listens in the place of server a, and connects to the real one. */
async function startTap(to: WebServer): Promise<Tap> {
  const asked: string[] = [];
  const answered: Buffer[] = [];
  const sockets: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const at = asked.push('') - 1;
    answered.push(Buffer.alloc(0));
    const real = connect({ host: SERVERS[to], port: 80, allowHalfOpen: true, noDelay: true });
    sockets.push(socket, real);
    socket.on('data', (chunk: Buffer) => (asked[at] += chunk.toString('latin1')));
    real.on('data', (chunk: Buffer) => (answered[at] = Buffer.concat([answered[at], chunk])));
    socket.pipe(real);
    real.pipe(socket);
    socket.on('error', () => real.destroy());
    real.on('error', () => socket.destroy());
  });
  server.listen(80, SERVERS.a);
  await once(server, 'listening');
  return {
    asked,
    answered,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const LAST: Request = { line: 'GET /small.txt', fields: ['Connection: close'] };
const LAST_FORWARDED = forwarded({ line: 'GET /small.txt' });

/** Requests to server a that have one answer. */
interface Tapped {
  readonly title: string;
  readonly sends: string;
  readonly reaches: string;
}

function tapped({ title, client, servers = [] }: Row): Tapped[] {
  const [first] = client;
  const [server] = servers;
  const [step] = server?.steps ?? [];
  if (typeof first !== 'object' || !('send' in first)) return [];
  if (server?.at !== 'a' || typeof step !== 'object' || !('gets' in step)) return [];
  const isHead = first.send.startsWith('HEAD');
  // Without a body the end of the last answer is not known here; 100 comes when the server wants.
  if (isHead || /\r\nExpect:/i.test(first.send) || client.length > 4) return [];
  return [{ title, sends: first.send, reaches: step.gets }];
}

export const TAPPED: readonly Tapped[] = [...REQUESTS, ...REPORTS].flatMap(tapped);

/** The row's request, and another one behind it. */
export async function performTapped({ sends, reaches }: Tapped, to: WebServer): Promise<void> {
  await using tap = await startTap(to);
  const socket = connect({
    host: ADDRESSES.proxy,
    port: 80,
    localAddress: ADDRESSES.client,
    allowHalfOpen: true,
  });
  await once(socket, 'connect');
  const incoming = createIncoming(socket);
  socket.write(Buffer.from(sends + request(LAST), 'latin1'));
  await incoming.ended();
  socket.destroy();
  assert.equal(incoming.how, 'end', incoming.shown());
  assert.equal(tap.asked.join(''), reaches + LAST_FORWARDED, incoming.shown());
  const answers = tap.answered.flatMap((bytes) => {
    const { messages, error } = readByLlhttp('response', [bytes], { ends: true });
    assert.equal(error, undefined, bytes.toString('latin1'));
    return messages.filter(({ status }) => status !== undefined && status >= 200);
  });
  assert.equal(answers.length, 2, `answers: ${answers.map(({ status }) => status).join(', ')}`);
  assert.equal(answers[1].status, 200);
}

const REQUESTS_TO_CLOSING = 40;

/** With pauses about as long as the server keeps an idle connection: it ends some of them without a word as the next request comes. */
export async function performPuts(to: WebServer, keepsMs: number): Promise<void> {
  await using tap = await startTap(to);
  for (let i = 0; i < REQUESTS_TO_CLOSING; i++) {
    const { status } = await ask({ at: 'a', method: 'PUT', path: `/up/closing-${i}`, body: `body ${i}` });
    assert.equal(status, 201, `PUT ${i}`);
    const { status: read, body } = await ask({ at: 'a', path: `/up/closing-${i}` });
    assert.equal(`${read} ${body}`, `200 body ${i}`);
    await delay(keepsMs - 10 + Math.random() * 20);
  }
  const lines = tap.asked.join('').match(/^PUT \S+/gm) ?? [];
  assert.deepEqual(
    lines.toSorted(),
    Array.from({ length: REQUESTS_TO_CLOSING }, (_, i) => `PUT /up/closing-${i}`).toSorted(),
  );
}
