/**
 * The last events of each kind, in memory only: look-ups are private and must not survive a restart, and a query log would wear
 * out an SD card. Each kind has its own limit, so that a flood of one does not push out the others.
 */
import type { EventRecord, EventRing } from '../runtime/event-ring.ts';
import type { EventKind } from '../runtime/event-kind.ts';
import type { AppEvent, EventSink } from '../runtime/events.ts';
import { parseIpAddress } from '../wire/ip-address.ts';
import { type IpPrefix, prefixContains } from '../wire/ip-prefix.ts';
import { type UndecodedRecords, createUndecodedRecords } from './undecoded-records.ts';
import { type Dictionary, type Text, english, translate } from '../texts/text.ts';

/** As the API shows it, but with untranslated texts. */
export type LoggedEvent = AppEvent & { readonly id: number; readonly at: string };

export interface EventFilter {
  readonly kinds?: readonly string[] | undefined;
  readonly client?: IpPrefix | undefined;
  /** Name of the server. */
  readonly server?: string | undefined;
  /** Part of any of the event's texts, ignoring case, in English or in the language of the reader. */
  readonly text?: string | undefined;
  /** The texts of that language; undefined for English. */
  readonly words?: Dictionary | undefined;
}

export interface EventPage {
  /** Newest first. */
  readonly events: LoggedEvent[];
  readonly nextCursor: number | null;
  readonly oldest: number | null;
  readonly lost: number;
}

export interface EventLog extends EventSink, Disposable {
  /** Events older than `cursor` (all when undefined), at most `limit`. */
  page(filter: EventFilter, cursor: number | undefined, limit: number): EventPage;
  /** Events newer than `id`, oldest first; at most the newest `limit`. */
  since(id: number, filter: EventFilter, limit: number): LoggedEvent[];
  /** Id of the newest event. */
  readonly newest: number;
  /** Reads the events that wait in the rings now. */
  drain(): void;
}

export interface EventLogOptions {
  readonly kinds: readonly EventKind[];
  /** Name of the server with this IPv6 address, if one has it. */
  readonly serverAt: (address: string) => string | undefined;
}

/** The longest time that an event waits in a ring. */
const DRAIN_MS = 500;

interface Entry {
  readonly id: number;
  readonly timeMs: number;
  /** null until it is read for the first time: then it is in `records` under `number`. */
  event: AppEvent | null;
  records: UndecodedRecords | null;
  readonly number: number;
}

function eventOf(entry: Entry): AppEvent {
  if (entry.event === null) {
    entry.event = entry.records!.read(entry.number);
    entry.records = null;
  }
  return entry.event;
}

/** The memory of these records goes away. */
function decodeAll(entries: readonly Entry[], records: UndecodedRecords): void {
  for (const entry of entries) if (entry.records === records) eventOf(entry);
}

export function createEventLog({ kinds, serverAt }: EventLogOptions): EventLog {
  const kindOf = new Map(kinds.map((kind) => [kind.name, kind]));
  const kept = new Map<string, Entry[]>();
  const rings = new Map<EventRing, () => void>();
  const undecoded = new Map<UndecodedRecords, string>();
  // Ids also count up over restarts, as long as the clock does: a page that reconnects must not mistake new events for old
  // ones.
  let newest = Date.now() * 1000;
  let lostBefore = 0;
  let timer: NodeJS.Timeout | undefined;

  const limitOf = (kind: string): number => kindOf.get(kind)?.kept ?? 0;

  function add(
    kind: string,
    timeMs: number,
    event: AppEvent | null,
    records: UndecodedRecords | null,
    number: number,
  ): void {
    let entries = kept.get(kind);
    if (entries === undefined) kept.set(kind, (entries = []));
    entries.push({ id: ++newest, timeMs, event, records, number });
    if (entries.length > limitOf(kind)) entries.shift();
  }

  const put = (event: AppEvent, timeMs: number): void => add(event.kind, timeMs, event, null, 0);

  const drain = () => rings.forEach((drainOne) => drainOne());

  function follow(ring: EventRing, handle: (record: EventRecord) => void): Disposable {
    rings.set(ring, () => void ring.drain(handle));
    timer ??= setInterval(drain, DRAIN_MS);
    timer.unref();
    return {
      [Symbol.dispose]() {
        rings.get(ring)?.();
        lostBefore += ring.lost();
        rings.delete(ring);
      },
    };
  }

  function show(entry: Entry): LoggedEvent {
    const { id, timeMs } = entry;
    const event = eventOf(entry);
    const head = { id, at: new Date(timeMs).toISOString() };
    if (kindOf.get(event.kind)?.addsServer !== true) return { ...head, ...event };
    return { ...head, ...event, server: serverOf(event) ?? null };
  }

  /** The server that an event concerns: the one connected to or looked up, or the sender. */
  function serverOf(event: AppEvent): string | undefined {
    const { serverBy } = kindOf.get(event.kind) ?? {};
    const known = serverBy === undefined ? null : event[serverBy];
    if (typeof known !== 'string') return undefined;
    return serverBy === 'server' ? known : serverAt(known);
  }

  /** Newest first. */
  function find(filter: EventFilter, isInRange: (id: number) => boolean): Entry[] {
    drain();
    const isWanted = matcher(filter, serverOf);
    return (filter.kinds ?? [...kept.keys()])
      .flatMap((kind) =>
        (kept.get(kind) ?? []).filter((entry) => isInRange(entry.id) && isWanted(eventOf(entry))),
      )
      .sort((a, b) => b.id - a.id);
  }

  return {
    put,
    forget(kind) {
      drain();
      kept.delete(kind);
      for (const [records, ofKind] of undecoded) if (ofKind === kind) records.clear();
    },
    drainRing: (ring, decode) =>
      follow(ring, (record) => {
        const event = decode(record);
        if (event !== undefined) put(event, record.timeMs);
      }),
    drainRingLater(ring, kind, decode) {
      // No more entries of the kind are kept, so none is overwritten that can still be read.
      const records = createUndecodedRecords(ring.recordBytes, limitOf(kind), decode);
      undecoded.set(records, kind);
      const handle = (record: EventRecord) => add(kind, record.timeMs, null, records, records.add(record));
      const following = new DisposableStack();
      following.defer(() => undecoded.delete(records));
      following.defer(() => decodeAll(kept.get(kind) ?? [], records));
      following.use(follow(ring, handle));
      return following;
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
function matcher(filter: EventFilter, serverOf: (event: AppEvent) => string | undefined) {
  const { client, server, words } = filter;
  const text = filter.text?.toLowerCase();
  const has = (shown: string) => shown.toLowerCase().includes(text ?? '');
  return (event: AppEvent): boolean => {
    if (client !== undefined) {
      const address = typeof event['client'] === 'string' ? parseIpAddress(event['client']) : undefined;
      if (address === undefined || !prefixContains(client, address)) return false;
    }
    if (server !== undefined && serverOf(event) !== server) return false;
    return (
      text === undefined ||
      Object.values(event).some(
        (value) =>
          isTextual(value) && (has(english(value)) || (words !== undefined && has(translate(value, words)))),
      )
    );
  };
}

const isTextual = (value: unknown): value is Text | string =>
  typeof value === 'string' || (typeof value === 'object' && value !== null);
