/**
 * Server-sent events for every open page: one timer, which runs only while there are listeners. Data that is the same for all
 * is made once.
 */
import type { ServerResponse } from 'node:http';
import { randomInt } from 'node:crypto';
import { IPV6_HOST_BITS, clientAt } from '../net/client.ts';
import { createSlotShares, greediestSlot, heldBy, releaseSlot, takeSlot } from '../net/shares.ts';
import { parseIpAddress } from '../wire/ip-address.ts';
import { sumHosts } from '../runtime/host-traffic.ts';
import type { ServiceReport } from '../runtime/report.ts';
import type { EventFilter, EventLog } from '../state/event-log.ts';
import { HISTORY_SERIES } from '../state/history-series.ts';
import type { History } from '../state/history.ts';
import type { Principal } from './auth/principal.ts';
import type { LiveCounters, LiveEnd, LiveSample } from './contract/live.ts';
import { type Dictionary, translate } from '../texts/text.ts';
import { type StatusFound, toStatusAnswer } from './status-answer.ts';

export const LIVE_TOPICS = ['status', 'counters', 'sample', 'events'] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

/**
 * Streams at a time: the pages that people have open, with room for forgotten ones. At the limit, the client with the most
 * streams loses its oldest to a client with fewer.
 */
export const MAX_STREAMS = 16;
const TICK_MS = 1000;
/** The status has values that always change; changes of state are sent at once. */
const STATUS_EVERY_TICKS = 10;
/** A comment keeps proxies and browsers from closing a stream that has nothing to send. */
const KEEP_ALIVE_MS = 15_000;
/** A listener with more unread data than this is closed; its browser reconnects. */
const MAX_UNREAD_BYTES = 1 << 20;
/** Events per message: more are not useful in a timeline. */
const MAX_EVENTS = 200;

export interface LiveSources {
  readonly services: () => readonly ServiceReport[];
  readonly version: string;
  readonly startedAt: Date;
  readonly events: EventLog;
  readonly noteServices: (reports: readonly ServiceReport[], nowMs: number) => void;
  readonly history: History;
}

export interface LiveListener {
  readonly response: ServerResponse;
  /** The client's address; undefined if the peer has closed. */
  readonly remoteAddress: string | undefined;
  readonly principal: Pick<Principal, 'isValid'>;
  readonly topics: ReadonlySet<LiveTopic>;
  readonly filter: EventFilter;
  /** Events after this are sent first. undefined: only new events. */
  readonly lastEventId: number | undefined;
  /** The dictionary of the listener's language; undefined for English. */
  readonly words: Dictionary | undefined;
}

export interface LiveStream {
  readonly listeners: number;
  /** Whether a client may listen: there is room, or another client has more streams. */
  hasRoomFor(remoteAddress: string | undefined): boolean;
  /** Takes over a response whose head has been written; there must be room. */
  listen(listener: LiveListener): void;
  /** Ends all streams. */
  close(reason: LiveEnd['reason']): void;
}

type CounterTree = Omit<LiveCounters, 'at'>;

interface Stream extends LiveListener {
  slot: number;
  sentId: number;
  sentSampleMs: number;
  hasCounters: boolean;
  sentStates: string;
  ticks: number;
  writtenMs: number;
}

export function createLiveStream(sources: LiveSources): LiveStream {
  const { events, history } = sources;
  const streams = new Set<Stream>();
  // Listeners have signed in, and all hosts of an attached network share one /64, so here a client is a single address.
  const shares = createSlotShares({ slots: MAX_STREAMS, seed: randomInt(2 ** 32), ipv6Bits: IPV6_HOST_BITS });
  let timer: NodeJS.Timeout | undefined;
  const readCounters = createCounterReader();

  function end(stream: Stream, reason: LiveEnd['reason'] | undefined): void {
    if (streams.delete(stream)) releaseSlot(shares, stream.slot);
    if (reason !== undefined) send(stream, 'end', JSON.stringify({ reason }));
    stream.response.end();
    if (streams.size === 0) clearInterval(timer);
  }

  function tick(only?: Stream): void {
    const reports = sources.services();
    const now = performance.now();
    sources.noteServices(reports, Date.now());
    const at = new Date().toISOString();
    const counters = readCounters(reports);
    const status = toStatusAnswer(reports, sources);
    const states = statesOf(status);
    // Made when first needed, then shared.
    const once = <T>(make: () => T) => {
      let text: string | undefined;
      return () => (text ??= JSON.stringify(make()));
    };
    const statusTexts = new Map<Dictionary | undefined, string>();
    const statusText = (words: Dictionary | undefined): string => {
      const text = statusTexts.get(words) ?? JSON.stringify(translate(status, words));
      statusTexts.set(words, text);
      return text;
    };
    const changedText = once((): LiveCounters => ({ at, ...counters.changed }));
    const allText = once((): LiveCounters => ({ at, ...counters.all }));
    const sampleText = once(() => latestSample(history));
    const { services, hosts } = counters.changed;
    const hasChanged = Object.keys(services).length + Object.keys(hosts).length > 0;

    for (const stream of only === undefined ? streams : [only]) {
      const { topics, response, words } = stream;
      if (!stream.principal.isValid()) {
        end(stream, 'signed-out');
        continue;
      }
      if (response.writableLength > MAX_UNREAD_BYTES) {
        end(stream, undefined);
        response.destroy();
        continue;
      }
      if (topics.has('status') && (stream.sentStates !== states || stream.ticks % STATUS_EVERY_TICKS === 0)) {
        stream.sentStates = states;
        send(stream, 'status', statusText(words));
      }
      if (topics.has('counters') && (hasChanged || !stream.hasCounters)) {
        send(stream, 'counters', stream.hasCounters ? changedText() : allText());
        stream.hasCounters = true;
      }
      const sampledMs = history.latest?.timeMs ?? 0;
      if (topics.has('sample') && sampledMs !== stream.sentSampleMs) {
        stream.sentSampleMs = sampledMs;
        send(stream, 'sample', sampleText());
      }
      if (topics.has('events') && events.newest !== stream.sentId) {
        const found = events.since(stream.sentId, stream.filter, MAX_EVENTS);
        stream.sentId = events.newest;
        if (found.length > 0)
          send(stream, 'events', JSON.stringify(translate(found, words)), found[found.length - 1].id);
      }
      stream.ticks++;
      if (now - stream.writtenMs > KEEP_ALIVE_MS) {
        stream.writtenMs = now;
        response.write(': still here\n\n');
      }
    }
  }

  return {
    get listeners() {
      return streams.size;
    },
    hasRoomFor(remoteAddress) {
      const { word0, word1, word2, word3 } = clientOf(remoteAddress);
      return streams.size < MAX_STREAMS || heldBy(shares, word0, word1, word2, word3) + 1 < shares.most;
    },
    listen(listener) {
      const { word0, word1, word2, word3 } = clientOf(listener.remoteAddress);
      if (streams.size === MAX_STREAMS) {
        const victim = greediestSlot(shares);
        for (const each of streams) if (each.slot === victim) end(each, undefined);
      }
      const stream: Stream = {
        ...listener,
        slot: takeSlot(shares, 1, word0, word1, word2, word3),
        sentId: startOf(listener.lastEventId, events.newest),
        sentSampleMs: 0,
        hasCounters: false,
        sentStates: '',
        ticks: 0,
        writtenMs: performance.now(),
      };
      // A browser that loses the stream waits this long before it reconnects.
      listener.response.write('retry: 2000\n\n');
      listener.response.once('close', () => {
        if (streams.has(stream)) end(stream, undefined);
      });
      listener.response.on('error', () => {});
      streams.add(stream);
      if (streams.size === 1) timer = setInterval(tick, TICK_MS, undefined).unref();
      tick(stream);
    },
    close(reason) {
      for (const stream of streams) end(stream, reason);
    },
  };
}

/** An id in the future was given before a restart, while the clock was ahead: all events are new then. */
const startOf = (lastEventId: number | undefined, newest: number): number =>
  lastEventId === undefined ? newest : lastEventId > newest ? 0 : lastEventId;

const clientOf = (remoteAddress: string | undefined) =>
  clientAt(parseIpAddress((remoteAddress ?? '').split('%')[0]) ?? new Uint8Array(16));

/** The parts of the status whose changes are sent at once. */
const statesOf = ({ services }: StatusFound): string =>
  JSON.stringify(services.map(({ name, state, problem, restarts }) => [name, state, problem, restarts]));

function latestSample({ latest }: History): LiveSample {
  const values = latest?.values ?? [];
  return {
    at: new Date(latest?.timeMs ?? 0).toISOString(),
    values: Object.fromEntries(
      Object.keys(HISTORY_SERIES).map((name, i) => [name, Number.isFinite(values[i]) ? values[i] : null]),
    ),
  };
}

/** Returns every counter, and those that have changed since the last call. */
function createCounterReader() {
  let values = new Map<string, number>();
  return (reports: readonly ServiceReport[]) => {
    const next = new Map<string, number>();
    const all: CounterTree = { services: {}, hosts: {} };
    const changed: CounterTree = { services: {}, hosts: {} };
    const take = (branch: keyof CounterTree, name: string, counters: Readonly<Record<string, number>>) => {
      all[branch][name] = counters;
      for (const [counter, value] of Object.entries(counters)) {
        const key = `${branch} ${name} ${counter}`;
        next.set(key, value);
        if (values.get(key) !== value) (changed[branch][name] ??= {})[counter] = value;
      }
    };
    for (const { name, counters } of reports) take('services', name, counters);
    for (const [name, traffic] of sumHosts(reports)) take('hosts', name, traffic);
    values = next;
    return { all, changed };
  };
}

function send(stream: Stream, event: LiveTopic | 'end', data: string, id?: number): void {
  stream.writtenMs = performance.now();
  stream.response.write(`event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`);
}
