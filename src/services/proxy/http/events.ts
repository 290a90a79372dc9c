/** What the events of the two sockets mean. */
import { EPOLLERR, EPOLLHUP, EPOLLOUT } from '../../../os/libc.ts';
import type { Half } from '../../../net/connection.ts';
import { EXHAUSTIVE, type Loop, READABLE } from '../../../net/loop.ts';
import { clientOf } from './client.ts';
import { drive } from './drive.ts';
import { clientFailed, serverFailed } from './ends.ts';
import { dialAgain, onDialEvents } from './servers.ts';

export function onHttpEvents(loop: Loop, half: Half, events: number): void {
  const { connection } = half;
  const { up, down } = connection;
  const client = clientOf(connection);
  if (half === up && (events & (EPOLLERR | EPOLLHUP)) !== 0) return clientFailed(loop, client);
  const { server } = client;
  if (half === down && server !== null && !server.isConnected) {
    const failure = onDialEvents(loop, client, server, events);
    const last = failure && dialAgain(loop, client, failure);
    if (last !== undefined) return serverFailed(loop, client, last);
    if (failure !== undefined) return;
    if (!server.isConnected) return;
  }
  if ((events & EPOLLOUT) !== 0) (half === up ? down : up).writable = true;
  if ((events & EXHAUSTIVE) !== 0) half.exhaustive = true;
  if ((events & READABLE) !== 0) half.readable = true;
  drive(loop, connection);
}
