/**
 * The phase in which a connection waits for something that another thread finds out, such as the address of a name. What the
 * client sends meanwhile stays in its socket. Its deadline is that of the opening.
 */
import { type Connection, Phase } from './connection.ts';
import { conversationOf } from './conversation.ts';
import type { Awaited } from './gate.ts';
import type { Loop } from './loop.ts';
import { decideAgain } from './opening.ts';

/** Those who waited are decided again: the answer is there, or it is certain that there is none. */
export function resumeWaiting(loop: Loop, { connections }: Awaited): void {
  // One that has to wait again is in a list that is empty now.
  for (const connection of connections.splice(0) as Connection[]) {
    if (connection.phase === Phase.waiting) decideAgain(loop, connection);
    else if (connection.phase === Phase.conversing) conversationOf(connection).onAnswered(loop, connection);
  }
}
