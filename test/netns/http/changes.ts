/** What becomes of connections when the configuration changes, or when the process ends. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { ADDRESSES } from './addresses.ts';
import { CLOSE, type Request, answer, relayed, request } from './forms.ts';
import { type Incoming, createIncoming } from './incoming.ts';
import { startRawServer } from './raw-server.ts';

/** Asks the test for an act, and resolves when that is done. */
export type Parent = (act: Act) => Promise<void>;
export type Act = 'stop' | 'remove a' | 'move a to b' | 'close the listener';

const NEXT: Request = { line: 'GET /next' };
const HELD: Request = { line: 'GET /held' };
const NEXT_ANSWER = relayed({ body: 'next' });

async function openClient(): Promise<{ socket: Socket; incoming: Incoming }> {
  const socket = connect({ host: ADDRESSES.proxy, port: 80, localAddress: ADDRESSES.client, noDelay: true });
  const incoming = createIncoming(socket);
  await once(socket, 'connect');
  return { socket, incoming };
}

/** A client that has got one answer, and whose connection is kept. */
async function openIdleClient() {
  const client = await openClient();
  client.socket.write(request(NEXT));
  await client.incoming.takeExactly(NEXT_ANSWER);
  return client;
}

/** One exchange is under way, one connection is idle. */
async function performEnd(parent: Parent, act: Act): Promise<void> {
  await using server = await startRawServer();
  const idle = await openIdleClient();
  const busy = await openClient();
  busy.socket.write(request(HELD));
  const serverSide = await server.heardOf('GET /held');
  await parent(act);
  await idle.incoming.ended();
  idle.incoming.assertNothingLeft('the idle client');
  assert.equal(idle.incoming.how, 'end');
  serverSide.write(answer({ body: 'late' }));
  await busy.incoming.takeExactly(relayed({ body: 'late', connection: [CLOSE] }));
  await busy.incoming.ended();
  busy.incoming.assertNothingLeft('the client with an exchange under way');
  assert.equal(busy.incoming.how, 'end');
}

async function performRemoval(parent: Parent): Promise<void> {
  await using _ = await startRawServer();
  const { socket, incoming } = await openIdleClient();
  await parent('remove a');
  socket.write(request(NEXT));
  await incoming.takeOwnAnswer({ status: 421 });
  socket.destroy();
}

async function performMove(parent: Parent): Promise<void> {
  await using before = await startRawServer('a');
  await using after = await startRawServer('b');
  const { socket, incoming } = await openIdleClient();
  await parent('move a to b');
  socket.write(request({ line: 'GET /next/moved' }));
  await incoming.takeExactly(NEXT_ANSWER);
  await after.heardOf('GET /next/moved HTTP/1.1\r\nHost: a.example.com');
  assert.ok(![...before.heard.values()].some((text) => text.includes('moved')), 'the old address was asked');
  socket.destroy();
}

export const CHANGES: Readonly<Record<string, (parent: Parent) => Promise<void>>> = {
  'a server that is removed: 421 on a kept connection': performRemoval,
  'a server with another address: the next request on a kept connection goes there': performMove,
  'a listener that closes: idle connections end, an exchange under way is completed and says close': (
    parent,
  ) => performEnd(parent, 'close the listener'),
  'the end of the process: idle connections end, an exchange under way is completed and says close': (
    parent,
  ) => performEnd(parent, 'stop'),
};
