/**
 * A client that behaves, run in a namespace:
 *
 *   node good.ts REQUESTS [PARALLEL [PORT]]
 *
 * GET and POST, over kept connections and over new ones; prints "ok" and how long requests took.
 * PORT: a forwarded port of nginx, which gets all requests.
 *
 * Ends with the first failure: a connection that fails, an answer that is not complete, another status than 200.
 */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { ask } from '../ask.ts';
import { SMALL } from '../names.ts';

const [count = '100', parallel = '4', port] = process.argv.slice(2);
const toPort = port === undefined ? {} : { port: Number(port) };
const body = 'x'.repeat(20_000);
const agent = new Agent({ keepAlive: true, maxSockets: Number(parallel) });
const durations: number[] = [];
let next = 0;

async function request(i: number): Promise<void> {
  const startedAt = performance.now();
  // Every second one takes a kept connection.
  const connection = { ...toPort, ...(i % 2 === 0 && { agent }) };
  if (i % 5 === 0 && port === undefined) {
    const echoed = await ask({ ...connection, at: 'node', method: 'POST', path: '/echo', body });
    assert.equal(`${echoed.status} ${echoed.body.length}`, `200 ${body.length}`, `request ${i}`);
  } else {
    const { status, body: text } = await ask({
      ...connection,
      at: i % 3 === 0 || port !== undefined ? 'nginx' : 'node',
      path: '/small.txt',
    });
    assert.equal(`${status} ${text}`, `200 ${SMALL}`, `request ${i}`);
  }
  durations.push(performance.now() - startedAt);
}

async function lane(): Promise<void> {
  while (next < Number(count)) await request(next++);
}

await Promise.all(Array.from({ length: Number(parallel) }, lane));
agent.destroy();
durations.sort((a, b) => a - b);
const at = (share: number) => durations[Math.floor(durations.length * share)].toFixed(1);
console.log(`ok ${durations.length} requests, median ${at(0.5)} ms, p99 ${at(0.99)} ms`);
