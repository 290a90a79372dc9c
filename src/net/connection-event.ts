/** The event that every service over the TCP engine reports: a connection was opened, closed or refused. */
import { type Found, eventKind, eventShape } from '../runtime/event-kind.ts';
import { Nullable, type Static, Type } from '../runtime/shape.ts';

export const ConnectionEvent = eventShape('connection', {
  /** opened: its server answered. closed: it had been opened. refused: it never reached a server. */
  what: Type.Union([Type.Literal('opened'), Type.Literal('closed'), Type.Literal('refused')]),
  /** Name of the service. */
  service: Type.String(),
  /** The same number for the opened and closed events of a connection; unique within the service. 0: refused when it was accepted. */
  connection: Type.Integer(),
  /** Name of the listener; for a port that belongs to a server, the name of the server. */
  listener: Type.String(),
  client: Type.String(),
  clientPort: Type.Integer(),
  /** The name that the client asked for, in SNI or Host; null if there was none or it was not understood. */
  name: Nullable(Type.String()),
  /** Name of the server in the configuration. */
  server: Nullable(Type.String()),
  /**
   * Unique id (PP2_TYPE_UNIQUE_ID) that servers with clientAddress "proxy-v2" are told, or that a trusted proxy has told; null if
   * there is none.
   */
  uniqueId: Nullable(Type.String()),
  bytesUp: Type.Integer(),
  bytesDown: Type.Integer(),
  /** Time since it was accepted. */
  durationMs: Type.Integer(),
  /** For closed and refused: the counter that counted the end ("closed-idle", "refused-tls-no-name"), and its explanation. */
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
    const id = event.uniqueId === null ? '' : ` id ${event.uniqueId}`;
    const moved =
      what === 'closed'
        ? ` up ${bytes(bytesUp)}, down ${bytes(bytesDown)}, ${(durationMs / 1000).toFixed(1)} s`
        : '';
    const why = reason === null ? '' : ` (${reason})`;
    return `${service} ${what} ${client} ${listener} ${name ?? '-'} -> ${server ?? '-'}${moved}${id}${why}`;
  },
});
