/** Clients that go away in the middle of an exchange: nothing of it reaches the next client or request. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ADDRESSES } from './addresses.ts';
import { ask } from './ask.ts';
import { type Request, request } from './forms.ts';
import { startRawServer } from './raw-server.ts';

const TURNS = 10;

async function startAsking(parts: Request): Promise<Socket> {
  const client = connect({ host: ADDRESSES.proxy, port: 80, localAddress: ADDRESSES.client });
  client.on('error', () => {});
  await once(client, 'connect');
  client.write(request(parts));
  return client;
}

export async function performAnswerOfAnother(): Promise<void> {
  await using server = await startRawServer();
  for (let turn = 0; turn < TURNS; turn++) {
    const client = await startAsking({ line: `GET /secret/${turn}` });
    const serverSide = await server.heardOf(`/secret/${turn}`);
    if (turn % 2 === 0) client.resetAndDestroy();
    else client.destroy();
    // The answer comes after the client has gone, before or after the proxy has noticed.
    if (turn % 3 !== 0) await delay(turn);
    if (serverSide.writable) serverSide.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret');
    const { status, body } = await ask({ at: 'a', path: '/next' });
    assert.equal(`${status} ${body}`, '200 next');
  }
}

export async function performUploadOfAnother(): Promise<void> {
  await using server = await startRawServer();
  for (let turn = 0; turn < TURNS; turn++) {
    const marker = `half ${turn}`;
    const client = await startAsking({
      line: 'POST /upload',
      fields: ['Content-Length: 1000'],
      body: marker,
    });
    const serverSide = await server.heardOf(marker);
    if (turn % 2 === 0) client.resetAndDestroy();
    else client.destroy();
    const { status, body } = await ask({ at: 'a', path: '/next' });
    assert.equal(`${status} ${body}`, '200 next');
    if (!serverSide.destroyed) await once(serverSide, 'close');
    assert.ok(server.heard.get(serverSide)?.endsWith(marker), 'something follows half a body');
  }
}
