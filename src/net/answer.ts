/** Applies the verdict on a server's first bytes (`Route.answer`), and ends an exchange. */
import type { Connection } from './connection.ts';
import { countEnd, linger, refuse } from './ending.ts';
import type { AnswerVerdict } from './gate.ts';
import { hold } from './holding.ts';
import { type Loop, queue } from './loop.ts';

/** There is a verdict on the server's first bytes. */
export function answered(
  loop: Loop,
  connection: Connection,
  verdict: Exclude<AnswerVerdict, { kind: 'more' }>,
): void {
  const { up, down } = connection;
  connection.answer = null;
  if (verdict.kind === 'refuse') return refuse(loop, connection, verdict.refusal);
  const { counter, bytes, isTunnel, remainingBytes } = verdict;
  if (counter >= 0) loop.values[counter]++;
  hold(loop, down, bytes);
  down.remainingBytes = remainingBytes;
  if (isTunnel) {
    connection.oneExchange = false;
    hold(loop, up, connection.route?.tunnelled ?? null);
  }
  connection.route = null;
  up.remainingBytes = isTunnel ? -1 : 0;
  up.waiting = false;
  queue(loop, up);
}

/** The server has ended (or reset) its answer in a connection with one exchange. True: handled, nothing more to do. */
export function answerEnded(loop: Loop, connection: Connection): boolean {
  if (connection.down.movedBytes === 0) {
    refuse(loop, connection, connection.gate.serverFailed(connection.route!, 'no-answer'));
    return true;
  }
  if (connection.failed) return false;
  countEnd(loop, connection, loop.index.closed);
  linger(loop, connection);
  return true;
}
