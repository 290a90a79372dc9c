/** The event that every service over the TCP engine tells: a connection was opened, closed or refused. */
import { type Found, eventKind, eventShape } from '../runtime/event-kind.ts';
import { Nullable, type Static, Type } from '../runtime/shape.ts';

export const ConnectionEvent = eventShape('connection', {
  /** opened: its server answered. closed: it had been opened. refused: it never reached a server. */
  what: Type.Union([Type.Literal('opened'), Type.Literal('closed'), Type.Literal('refused')]),
  /** Name of the service. */
  service: Type.String(),
  /** The same number for a connection's opened and closed; of one service. */
  connection: Type.Integer(),
  /** Name of the listener; where a port is a server's, the server's name. */
  listener: Type.String(),
  client: Type.String(),
  clientPort: Type.Integer(),
  /** What the client asked for, in SNI or Host; null when nothing was asked or understood. */
  name: Nullable(Type.String()),
  /** Name of the server in the configuration. */
  server: Nullable(Type.String()),
  bytesUp: Type.Integer(),
  bytesDown: Type.Integer(),
  /** Since it was accepted. */
  durationMs: Type.Integer(),
  /** closed and refused: the counter that counted the end ("closed-idle", "refused-tls-no-name"), and its explanation. */
  reason: Nullable(Type.String()),
  explanation: Nullable(Type.String()),
});
export type ConnectionEvent = Static<typeof ConnectionEvent>;
export type ConnectionFound = Found<ConnectionEvent, 'explanation'>;

export const connectionKind = eventKind<ConnectionEvent>({
  name: 'connection',
  shape: ConnectionEvent,
  kept: 1000,
  serverBy: 'server',
  line(event, bytes) {
    const { service, what, client, listener, name, server, bytesUp, bytesDown, durationMs, reason } = event;
    const moved =
      what === 'closed'
        ? ` up ${bytes(bytesUp)}, down ${bytes(bytesDown)}, ${(durationMs / 1000).toFixed(1)} s`
        : '';
    const why = reason === null ? '' : ` (${reason})`;
    return `${service} ${what} ${client} ${listener} ${name ?? '-'} -> ${server ?? '-'}${moved}${why}`;
  },
});
