/**
 * A protocol in which the gate handles a connection for as long as it lives, such as HTTP with many requests. The functions are
 * shared by all connections of the gate; the state of one is in `connection.conversation`.
 */
import type { Connection, Half } from './connection.ts';
import type { ConnectionTimeouts } from './timeouts.ts';
import type { Loop } from './loop.ts';

export interface Conversation {
  /** A client was accepted. Its socket is watched, and has probably sent its first bytes. */
  begin(loop: Loop, connection: Connection): void;
  /** An event of the client's socket (`half` is `up`) or of the server's (`down`). */
  onEvents(loop: Loop, half: Half, events: number): void;
  /** Continues a connection that had used up its share of the previous turn. */
  resume(loop: Loop, connection: Connection): void;
  /** Called at least once per second. */
  onDeadline(loop: Loop, connection: Connection, timeouts: ConnectionTimeouts): void;
  /** One of several addresses of a server does not answer (ATTEMPT_MS). */
  onSlowDial(loop: Loop, connection: Connection): void;
  /** No answer has come back to the source of the connection to the server (way-back.ts). */
  onNoWayBack(loop: Loop, connection: Connection): void;
  /** The process is about to end: ends what is idle. */
  onDrain(loop: Loop, connection: Connection): void;
}

/** The conversation of a connection in `Phase.conversing`. A gate cannot name the type, because it knows no connections. */
export const conversationOf = ({ gate }: Connection): Conversation => gate.conversation as Conversation;
