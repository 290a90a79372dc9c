/** What happens now and what happened before: live events and history. */
import type { ShownEvent } from '../../runtime/event-kind.ts';
import { type Static, type TSchema, Type } from '../../runtime/shape.ts';
import { Nullable, strict } from './common.ts';

/** An event of any kind. The kinds with their shapes are in `state/event-kinds.ts`. */
export type LiveEvent = ShownEvent;

const eventsPage = {
  /** For the parameter "cursor" of the next request, which returns older events; null at the end. */
  nextCursor: Nullable(Type.Integer()),
  /** Id of the oldest stored event; null if there is none. */
  oldest: Nullable(Type.Integer()),
  /** Events since the start that were dropped because there were too many at once. */
  lost: Type.Integer(),
};
const EventsPage = Type.Object(eventsPage);

/** Newest first; `shapes` are the shapes of the kinds. */
export const eventsAnswer = (shapes: TSchema[]) =>
  Type.Object({ events: Type.Array(Type.Union(shapes)), ...eventsPage });
export type EventsAnswer = Static<typeof EventsPage> & { events: LiveEvent[] };

/** Filters of GET events and GET live; `kinds` are the names of the kinds. */
export const eventsQuery = (kinds: readonly string[]) => {
  const kind = `(${kinds.join('|')})`;
  return Type.Object(
    {
      kind: Type.Optional(
        Type.String({
          pattern: `^${kind}(,${kind})*$`,
          title: 'Which kinds',
          expected: `one of ${kinds.join(', ')}, or several with commas`,
        }),
      ),
      client: Type.Optional(
        Type.String({
          format: 'ip-prefix',
          title: 'Which clients',
          expected: 'an IP address or prefix such as 203.0.113.9 or 2001:db8:1::/64',
        }),
      ),
      server: Type.Optional(
        Type.String({ pattern: '^[^\\s]{1,63}$', title: 'Which server', expected: 'the name of a server' }),
      ),
      text: Type.Optional(
        Type.String({
          pattern: '^.{1,100}$',
          title: 'A part of a name, an address or a reason',
          expected: '1 to 100 characters',
        }),
      ),
      cursor: Type.Optional(
        Type.String({
          pattern: '^[0-9]{1,16}$',
          title: 'Where to go on',
          expected: 'the nextCursor of the answer before',
        }),
      ),
      limit: Type.Optional(
        Type.String({
          pattern: '^([1-9][0-9]?|[1-4][0-9]{2}|500)$',
          title: 'Events at most',
          expected: 'a whole number from 1 to 500',
        }),
      ),
    },
    strict,
  );
};
export type EventsQuery = Static<ReturnType<typeof eventsQuery>>;

/**
 * The data of the SSE events of GET live?topics=status,counters,sample,events (default: all). The id of an `events`
 * event is that of its last event; a browser sends it back as Last-Event-ID, and misses nothing that is still known.
 *
 * status   StatusAnswer, at first and when a service's state, problem or restarts change, else every 10 s
 * counters LiveCounters, each second
 * sample   LiveSample, every 10 s: what goes into the history
 * events   LiveEvent[], oldest first, each second at most
 * end      LiveEnd: the stream ends and must not be opened again without signing in
 */
export const LiveCounters = Type.Object({
  at: Type.String(),
  /** The first message has every counter; later ones only those that changed. Values since the start, not differences. */
  services: Type.Record(Type.String(), Type.Record(Type.String(), Type.Number())),
  /** The same by name of the server: bytes-up, bytes-down, accepted; connections is the number that are open now. */
  hosts: Type.Record(Type.String(), Type.Record(Type.String(), Type.Number())),
});
export const LiveSample = Type.Object({
  at: Type.String(),
  /** By name of the series; null if there is no value. */
  values: Type.Record(Type.String(), Nullable(Type.Number())),
});
export const LiveEnd = Type.Object({
  reason: Type.Union([Type.Literal('signed-out'), Type.Literal('stopping')]),
});

/**
 * GET history?series=a,b&from=ISO&to=ISO&points=300. Defaults: the last hour, 300 points. With host=NAME, the series are those of
 * HOST_SERIES, and of that server.
 */
export const HistoryAnswer = Type.Object({
  from: Type.String(),
  to: Type.String(),
  /** Time between two points; the first is at `from`. */
  stepSeconds: Type.Integer(),
  series: Type.Array(
    Type.Object({
      name: Type.String(),
      unit: Type.String(),
      /** The mean over each step; null if unknown. */
      mean: Type.Array(Nullable(Type.Number())),
      highest: Type.Array(Nullable(Type.Number())),
    }),
  ),
});

export type { HealthEvent, NoticeEvent, ServiceEvent } from '../../runtime/own-events.ts';
export type LiveCounters = Static<typeof LiveCounters>;
export type LiveSample = Static<typeof LiveSample>;
export type LiveEnd = Static<typeof LiveEnd>;
export type HistoryAnswer = Static<typeof HistoryAnswer>;
