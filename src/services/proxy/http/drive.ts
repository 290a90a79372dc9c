/** Continues a connection as far as it gets: answers first, then requests. */
import { type Connection, Phase } from '../../../net/connection.ts';
import { close, countEnd, linger } from '../../../net/ending.ts';
import { type Loop, queue } from '../../../net/loop.ts';
import { continueAnswer } from './answers.ts';
import { isWhole } from './body.ts';
import { type HttpClient, State, clientOf } from './client.ts';
import { clientFailed } from './ends.ts';
import { endExchange } from './exchanges.ts';
import { continueRequest, readRequest } from './requests.ts';
import { uploadFailed } from './servers.ts';
import { flush } from './transfer.ts';

export function drive(loop: Loop, connection: Connection): void {
  const client = clientOf(connection);
  let budget = loop.shareBytes;
  while (connection.phase === Phase.conversing) {
    const moved = step(loop, connection, client);
    if (moved <= 0) return;
    budget -= moved;
    if (budget <= 0) return queue(loop, connection.up);
  }
}

/** More than 0 if something was done, and more may follow at once. */
function step(loop: Loop, connection: Connection, client: HttpClient): number {
  const { down } = connection;
  const isClientReady = flush(loop, down);
  if (down.finished) {
    clientFailed(loop, client);
    return 0;
  }
  const { exchange } = connection;
  if (exchange?.isWhole === true && isClientReady) endExchange(loop, client, exchange);
  switch (client.state) {
    case State.finishing:
      if (!isClientReady) return 0;
      countEnd(loop, connection, loop.index.closed);
      // Only bytes that come later would make the kernel reset the connection, and with it destroy the answer.
      if (client.isLast && client.left === null && isWhole(client.request) && !connection.up.readable)
        close(loop, connection);
      else linger(loop, connection);
      return 0;
    case State.asking:
      return 0;
    case State.reading:
      // The next answer comes after this one.
      return isClientReady ? readRequest(loop, client) : 0;
    default: {
      // A client that reads slowly does not hold back its own upload.
      const answered = isClientReady ? continueAnswer(loop, client) : 0;
      if (connection.phase !== Phase.conversing || client.state !== State.exchanging) return answered;
      return answered + upload(loop, connection, client);
    }
  }
}

function upload(loop: Loop, { up }: Connection, client: HttpClient): number {
  if (flush(loop, up)) return continueRequest(loop, client);
  if (up.finished) uploadFailed(loop, client);
  return 0;
}
