/** Dispatches the events of sockets to the current phase of their connection. */
import { type Half, Phase } from './connection.ts';
import { conversationOf } from './conversation.ts';
import { onClientEvents, onDialEvents } from './dialling.ts';
import { discardLate } from './ending.ts';
import { onIntroductionEvents } from './introducing.ts';
import { type Loop, shareOfTurn } from './loop.ts';
import { onOpeningEvents } from './opening.ts';
import { onRelayEvents } from './relaying.ts';

/** A turn begins, with a batch of events. */
export function beginTurn(loop: Loop, count: number): void {
  const { epoll, parked, queued } = loop;
  loop.turn = (loop.turn + 1) | 0;
  loop.shareBytes = shareOfTurn(count + queued.length);
  // First what came to connections that wait for a use: none of these events belongs to an answer.
  for (let position = 0; position < count; position++) parked[epoll.fdAt(position)]?.onEvents(loop);
}

/** False if the descriptor belongs to no connection. */
export function dispatch(loop: Loop, fd: number, events: number): boolean {
  const half = loop.halves[fd];
  if (half === undefined) {
    const parked = loop.parked[fd];
    parked?.onEvents(loop);
    return parked !== undefined;
  }
  handle(loop, half, events);
  return true;
}

function handle(loop: Loop, half: Half, events: number): void {
  const { connection } = half;
  switch (connection.phase) {
    case Phase.relaying:
      return onRelayEvents(loop, half, events);
    case Phase.opening:
      return onOpeningEvents(loop, connection, events);
    case Phase.waiting:
      return onClientEvents(loop, connection, events);
    case Phase.dialing:
      if (half === connection.up) return onClientEvents(loop, connection, events);
      return onDialEvents(loop, connection, events);
    case Phase.conversing:
      return conversationOf(connection).onEvents(loop, half, events);
    case Phase.lingering:
      return discardLate(loop, connection);
    case Phase.introducing:
      return onIntroductionEvents(loop, connection, events);
    default:
  }
}

/** Ends the idle conversations, for example before the process ends. */
export function drainConversations(loop: Loop): void {
  for (const half of loop.halves) {
    if (half === undefined || half !== half.connection.up) continue;
    const { connection } = half;
    if (connection.phase === Phase.conversing) conversationOf(connection).onDrain(loop, connection);
  }
}
