/**
 * The last events of each kind, in memory only: who looks up what is nobody's business after a restart, and an SD card
 * does not live long under a query log. Kinds are kept apart, so that a flood of one does not wash out the others.
 */
import type { EventRing } from '../runtime/event-ring.ts';
import type { DataPlaneEvent, EventSink } from '../runtime/events.ts';
import { parseIpAddress } from '../wire/ip-address.ts';
import { type IpPrefix, prefixContains } from '../wire/ip-prefix.ts';
import { type Text, english } from '../texts/text.ts';

export type EventKind = DataPlaneEvent['kind'];

/** As the API shows it. NAT64 events gain the server whose address the client has. */
export type LoggedEvent = DataPlaneEvent & { readonly id: number; readonly at: string };

export interface EventFilter {
  readonly kinds?: readonly EventKind[] | undefined;
  readonly client?: IpPrefix | undefined;
  /** Name of the server. */
  readonly server?: string | undefined;
  /** Part of any of the event's texts, whatever the case. */
  readonly text?: string | undefined;
}

export interface EventPage {
  /** Newest first. */
  readonly events: LoggedEvent[];
  readonly nextCursor: number | null;
  readonly oldest: number | null;
  readonly lost: number;
}

export interface EventLog extends EventSink, Disposable {
  /** Events older than `cursor` (all when undefined), `limit` at most. */
  page(filter: EventFilter, cursor: number | undefined, limit: number): EventPage;
  /** Events newer than `id`, oldest first, the newest `limit` of them. */
  since(id: number, filter: EventFilter, limit: number): LoggedEvent[];
  /** Id of the newest event. */
  readonly newest: number;
  /** Reads what waits in the rings now. */
  drain(): void;
}

export interface EventLogOptions {
  /** Name of the server with this IPv6 address, if one has it. */
  readonly serverAt: (address: string) => string | undefined;
}

const KEPT: Readonly<Record<EventKind, number>> = {
  connection: 1000,
  dns: 1000,
  nat64: 500,
  service: 200,
  health: 200,
  notice: 200,
};
/** What waits in a ring is seen this soon. */
const DRAIN_MS = 500;

interface Entry {
  readonly id: number;
  readonly timeMs: number;
  readonly event: DataPlaneEvent;
}

export function createEventLog({ serverAt }: EventLogOptions): EventLog {
  const kept = new Map<EventKind, Entry[]>();
  const rings = new Map<EventRing, () => void>();
  // Ids count up over restarts too, as long as the clock does: a page that comes back must not take new for old.
  let newest = Date.now() * 1000;
  let lostBefore = 0;
  let timer: NodeJS.Timeout | undefined;

  function put(event: DataPlaneEvent, timeMs: number): void {
    let entries = kept.get(event.kind);
    if (entries === undefined) kept.set(event.kind, (entries = []));
    entries.push({ id: ++newest, timeMs, event });
    if (entries.length > KEPT[event.kind]) entries.shift();
  }

  const drain = () => rings.forEach((drainOne) => drainOne());

  function show({ id, timeMs, event }: Entry): LoggedEvent {
    const head = { id, at: new Date(timeMs).toISOString() };
    if (event.kind !== 'nat64') return { ...head, ...event };
    const server = serverAt(event.client) ?? null;
    return { ...head, ...event, ...{ server } };
  }

  /** Newest first. */
  function find(filter: EventFilter, isInRange: (id: number) => boolean): Entry[] {
    drain();
    const isWanted = matcher(filter, serverAt);
    return (filter.kinds ?? [...kept.keys()])
      .flatMap((kind) => (kept.get(kind) ?? []).filter(({ id, event }) => isInRange(id) && isWanted(event)))
      .sort((a, b) => b.id - a.id);
  }

  return {
    put,
    forget(kind) {
      drain();
      kept.delete(kind);
    },
    drainRing(ring, decode) {
      rings.set(ring, () =>
        ring.drain((record) => {
          const event = decode(record);
          if (event !== undefined) put(event, record.timeMs);
        }),
      );
      timer ??= setInterval(drain, DRAIN_MS);
      timer.unref();
      return {
        [Symbol.dispose]() {
          rings.get(ring)?.();
          lostBefore += ring.lost();
          rings.delete(ring);
        },
      };
    },
    page(filter, cursor, limit) {
      const found = find(filter, (id) => cursor === undefined || id < cursor);
      const events = found.slice(0, limit).map(show);
      const oldest = Math.min(...[...kept.values()].map((entries) => entries[0].id));
      return {
        events,
        nextCursor: found.length > limit ? found[limit - 1].id : null,
        oldest: Number.isFinite(oldest) ? oldest : null,
        lost: [...rings.keys()].reduce((sum, ring) => sum + ring.lost(), lostBefore),
      };
    },
    since: (after, filter, limit) =>
      find(filter, (id) => id > after)
        .slice(0, limit)
        .map(show)
        .reverse(),
    get newest() {
      return newest;
    },
    drain,
    [Symbol.dispose]() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}

/** Whether an event passes the filter. */
function matcher(filter: EventFilter, serverAt: EventLogOptions['serverAt']) {
  const { client, server } = filter;
  const text = filter.text?.toLowerCase();
  return (event: DataPlaneEvent): boolean => {
    if (client !== undefined) {
      const address = 'client' in event && event.client !== null ? parseIpAddress(event.client) : undefined;
      if (address === undefined || !prefixContains(client, address)) return false;
    }
    if (server !== undefined && serverOf(event, serverAt) !== server) return false;
    return (
      text === undefined ||
      Object.values(event).some((value) => isTextual(value) && english(value).toLowerCase().includes(text))
    );
  };
}

const isTextual = (value: unknown): value is Text | string =>
  typeof value === 'string' || (typeof value === 'object' && value !== null);

/** The server that an event is about: that was connected to or looked at, or that sent. */
function serverOf(event: DataPlaneEvent, serverAt: EventLogOptions['serverAt']): string | null | undefined {
  if (event.kind === 'connection' || event.kind === 'health') return event.server;
  return event.kind === 'service' || event.kind === 'notice' || event.client === null
    ? undefined
    : serverAt(event.client);
}
