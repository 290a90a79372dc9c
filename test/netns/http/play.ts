/** Performs a row of a table: the client's part, while the recording servers perform theirs. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { ADDRESSES } from './addresses.ts';
import { type Incoming, createIncoming } from './incoming.ts';
import { startRecorders } from './recorder.ts';
import type { ClientStep, Row } from './row.ts';

export type Variant = 'in one piece' | 'byte by byte';

/** Rejects with the difference when anything is not as in the row. */
export async function performRow(row: Row, variant: Variant): Promise<void> {
  const signal = Promise.withResolvers<void>();
  const recorders = await startRecorders(row.servers ?? [], signal.promise);
  const socket = connect({
    port: 80,
    host: ADDRESSES.proxy,
    localAddress: ADDRESSES.client,
    allowHalfOpen: true,
    noDelay: true,
  });
  try {
    await once(socket, 'connect');
    const incoming = createIncoming(socket);
    await Promise.race([
      recorders.failed,
      playClient({ socket, incoming, variant, signal: signal.resolve }, row.client),
    ]);
    socket.destroy();
    await recorders.finish();
  } catch (error) {
    signal.resolve();
    await recorders.finish().catch(() => {});
    throw error;
  } finally {
    socket.destroy();
  }
}

interface Client {
  readonly socket: Socket;
  readonly incoming: Incoming;
  readonly variant: Variant;
  readonly signal: () => void;
}

async function playClient(
  { socket, incoming, variant, signal }: Client,
  steps: readonly ClientStep[],
): Promise<void> {
  /** The head of our own answer, when that was the last step. */
  let ownHead = '';
  for (const step of steps) {
    const isClosed = step === 'is-closed';
    if (ownHead !== '')
      assert.equal(
        /\r\nConnection: close\r\n/i.test(ownHead),
        isClosed,
        `closed: ${isClosed}, told: ${ownHead}`,
      );
    ownHead = '';
    if (isClosed) {
      await incoming.ended();
      incoming.assertNothingLeft('the client');
      assert.equal(incoming.how, 'end', 'the proxy resets the connection');
    } else if (step === 'ends') socket.end();
    else if (step === 'signals') signal();
    else if ('send' in step) await write(socket, step.send, variant);
    else if ('cutOff' in step) await incoming.takeAtMost(step.cutOff);
    else if (typeof step.gets === 'string') await incoming.takeExactly(step.gets);
    else ownHead = await incoming.takeOwnAnswer(step.gets);
  }
  if (incoming.how !== undefined) return;
  // What else the proxy has to say comes before its end.
  socket.end();
  await incoming.ended(undefined, 'the proxy keeps a connection that its client has ended');
  incoming.assertNothingLeft('the client');
}

async function write(socket: Socket, text: string, variant: Variant): Promise<void> {
  const bytes = Buffer.from(text, 'latin1');
  if (variant === 'in one piece') {
    socket.write(bytes);
    return;
  }
  for (let at = 0; at < bytes.length && socket.writable; at++) {
    socket.write(bytes.subarray(at, at + 1));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
