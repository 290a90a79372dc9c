/**
 * Clients of Node that keep their connections, run in a namespace:
 *
 *   node agents.ts agent REQUESTS      node:http with an Agent of four sockets: GET, HEAD and POST to several servers
 *   node agents.ts fetch REQUESTS      the same by fetch
 *   node agents.ts websocket MESSAGES  a WebSocket that gets every message back
 *
 * Prints "ok" and figures, or fails.
 */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { hostnameOf } from '../addresses.ts';
import { ask } from '../ask.ts';
import { patternBytes } from '../pattern.ts';

const SOCKETS = 4;
const LANES = 16;
const BODY = patternBytes(70_000);

const [habit, count = '100'] = process.argv.slice(2);
const times = Number(count);
if (habit === 'agent') await agent();
else if (habit === 'fetch') await fetches();
else if (habit === 'websocket') await webSocket();
else throw new Error(`"${habit}": expected agent, fetch or websocket`);

/** Performs `times` requests, some at a time. */
async function inLanes(request: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < times) await request(next++);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function agent(): Promise<void> {
  const shared = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  const ports = new Set<number | undefined>();
  await inLanes(async (i) => {
    const at = i % 3 === 0 ? 'nginx' : 'node';
    if (i % 5 === 0) {
      const echoed = await ask({ agent: shared, at: 'node', method: 'POST', path: '/echo', body: BODY });
      assert.ok(echoed.status === 200 && echoed.bytes.equals(BODY), `POST ${i}: ${echoed.status}`);
      ports.add(echoed.localPort);
      return;
    }
    const method = i % 7 === 0 ? 'HEAD' : 'GET';
    const { status, body, localPort } = await ask({ agent: shared, at, method, path: '/small.txt' });
    assert.equal(`${status} ${body}`, method === 'HEAD' ? '200 ' : '200 a small file\n');
    ports.add(localPort);
  });
  shared.destroy();
  console.log(`ok ${ports.size} connections`);
}

async function fetches(): Promise<void> {
  await inLanes(async (i) => {
    const at = i % 3 === 0 ? 'nginx' : 'node';
    if (i % 5 === 0) {
      const echoed = await fetch(`http://${hostnameOf('node')}/echo`, { method: 'POST', body: BODY });
      assert.equal(echoed.status, 200);
      assert.ok(Buffer.from(await echoed.arrayBuffer()).equals(BODY), `POST ${i}`);
      return;
    }
    const answer = await fetch(`http://${hostnameOf(at)}/small.txt`);
    assert.equal(`${answer.status} ${await answer.text()}`, '200 a small file\n');
  });
  console.log('ok');
}

async function webSocket(): Promise<void> {
  const socket = new WebSocket(`ws://${hostnameOf('node')}/`);
  socket.binaryType = 'arraybuffer';
  const failed = new Promise<never>((_, reject) => {
    socket.addEventListener('error', () => reject(new Error('the WebSocket failed')));
  });
  const event = (name: 'open' | 'message' | 'close') =>
    Promise.race([
      failed,
      new Promise<MessageEvent>((resolve) =>
        socket.addEventListener(name, resolve as () => void, { once: true }),
      ),
    ]);
  await event('open');
  for (let i = 0; i < times; i++) {
    const bytes = patternBytes(1 << (i % 18), i);
    const message = event('message');
    socket.send(bytes);
    assert.ok(Buffer.from((await message).data as ArrayBuffer).equals(bytes), `message ${i}`);
  }
  const closed = event('close');
  socket.close();
  await closed;
  console.log('ok');
}
