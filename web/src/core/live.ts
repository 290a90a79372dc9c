/** The one stream of live data, open while somebody is signed in and looks. */
import { computed, signal } from '@preact/signals';
import type { LiveCounters, LiveEnd, LiveEvent, StatusAnswer } from './contract.ts';
import { loadSession } from './session.ts';

type Counters = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Seconds that rates are averaged over: one is restless, ten late. */
const RATE_WINDOW_MS = 5000;
const RETRY_MS = 3000;

export const status = signal<StatusAnswer | undefined>(undefined);
export const counters = signal<Counters>({});
/** Whether the stream has failed and is not back: what is shown may be old. */
export const isLost = signal(false);

const window = signal<readonly { readonly atMs: number; readonly counters: Counters }[]>([]);
const listeners = new Set<(events: readonly LiveEvent[]) => void>();

/** By service (or `hostKey`) and counter: how much it grew a second; 0 while that is not known. */
export const rates = computed(() => {
  const [first] = window.value;
  const last = window.value.at(-1);
  return (service: string, counter: string): number => {
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    const from = first.counters[service]?.[counter];
    const to = last.counters[service]?.[counter] ?? 0;
    // A counter that went back is one of a thread that was started again.
    return from === undefined || to < from ? 0 : ((to - from) * 1000) / (last.atMs - first.atMs);
  };
});

/** Where `counters` and `rates` have a server of the configuration. */
export const hostKey = (name: string): string => `host ${name}`;

export const counterOf = (service: string, counter: string): number =>
  counters.value[service]?.[counter] ?? 0;

/** Hears of new events, oldest first; returns how to stop. */
export function onEvents(listener: (events: readonly LiveEvent[]) => void): () => void {
  listeners.add(listener);
  open();
  return () => {
    listeners.delete(listener);
    open();
  };
}

let source: EventSource | undefined;
let topics = '';
let isWanted = false;
let retry: ReturnType<typeof setTimeout> | undefined;

/** Opens, closes or opens anew, whichever is right now. */
function open(): void {
  const wanted =
    !isWanted || document.hidden ? '' : listeners.size > 0 ? 'status,counters,events' : 'status,counters';
  if (wanted === topics) return;
  close();
  topics = wanted;
  if (wanted === '') return;
  source = new EventSource(`/api/live?topics=${wanted}`);
  const hear = <T>(name: string, take: (data: T) => void) =>
    source?.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data) as T));
  hear<StatusAnswer>('status', (next) => {
    status.value = next;
    isLost.value = false;
  });
  hear<LiveCounters>('counters', takeCounters);
  hear<readonly LiveEvent[]>('events', (events) => {
    for (const listener of listeners) listener(events);
  });
  hear<LiveEnd>('end', ({ reason }) => {
    stop();
    if (reason === 'signed-out') void loadSession();
    else retry = setTimeout(startLive, RETRY_MS);
  });
  source.addEventListener('error', () => {
    isLost.value = true;
    if (source?.readyState !== EventSource.CLOSED) return;
    // The browser has given up: an answer that is no stream, as without a session or while it starts.
    stop();
    retry = setTimeout(() => void loadSession().then(startLive), RETRY_MS);
  });
}

function takeCounters({ at, services, hosts }: LiveCounters): void {
  const next: Record<string, Record<string, number>> = { ...counters.value };
  const merge = (key: string, changed: Record<string, number>) => (next[key] = { ...next[key], ...changed });
  for (const [service, changed] of Object.entries(services)) merge(service, changed);
  for (const [host, changed] of Object.entries(hosts)) merge(hostKey(host), changed);
  counters.value = next;
  const atMs = Date.parse(at);
  window.value = [
    ...window.value.filter((entry) => atMs - entry.atMs <= RATE_WINDOW_MS),
    { atMs, counters: next },
  ];
}

function close(): void {
  clearTimeout(retry);
  source?.close();
  source = undefined;
  topics = '';
  window.value = [];
}

function stop(): void {
  isWanted = false;
  close();
}

export function startLive(): void {
  isWanted = true;
  open();
}

export const stopLive = stop;

document.addEventListener('visibilitychange', open);
