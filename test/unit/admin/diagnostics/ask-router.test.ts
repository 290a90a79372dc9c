import assert from 'node:assert/strict';
import { type RemoteInfo, type Socket, createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { askRouter } from '../../../../src/os/ask-router.ts';

/** A router on a free port of the loopback interface. */
async function router(
  t: TestContext,
  answer: (socket: Socket, peer: RemoteInfo, times: number) => void,
): Promise<number> {
  const socket = createSocket('udp4');
  let times = 0;
  socket.on('message', (message, peer) => {
    assert.deepEqual([...message], [0, 0]);
    answer(socket, peer, ++times);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket.address().port;
}

const RESPONSE = Uint8Array.of(0, 128, 0, 0, 0, 0, 0, 9, 203, 0, 113, 7);

test('a router reports its public address, also at the second try', async (t) => {
  for (const atTry of [1, 2]) {
    const port = await router(t, (socket, peer, times) => {
      if (times === atTry) socket.send(RESPONSE, peer.port, peer.address);
    });
    assert.equal(await askRouter('127.0.0.1', port), 0xcb00_7107);
  }
});

test('a router that does not know the protocol, and one that answers nonsense', async (t) => {
  const closed = await router(t, () => {});
  const gone = createSocket('udp4').bind(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address();
  gone.close();
  assert.equal(await askRouter('127.0.0.1', port), undefined);
  assert.equal(await askRouter('127.0.0.1', closed), undefined);
  const nonsense = await router(t, (socket, peer) => socket.send('hello', peer.port, peer.address));
  assert.equal(await askRouter('127.0.0.1', nonsense), undefined);
});

test('an answer from another host is ignored', async (t) => {
  const stranger = createSocket('udp4').bind(0, '127.0.0.1');
  await once(stranger, 'listening');
  t.after(() => stranger.close());
  const port = await router(t, (_, peer) => stranger.send(RESPONSE, peer.port, peer.address));
  assert.equal(await askRouter('127.0.0.1', port), undefined);
});
