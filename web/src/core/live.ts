/** The stream of live data, open while a user is signed in and the page is visible. */
import { computed, effect, signal } from '@preact/signals';
import type { LiveCounters, LiveEnd, LiveEvent, StatusAnswer } from './contract.ts';
import { locale } from './locale.ts';
import { loadSession } from './session.ts';

type Counters = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Rates are averaged over this many seconds: one is unsteady, ten is slow. */
const RATE_WINDOW_MS = 5000;
const RETRY_MS = 3000;

export const status = signal<StatusAnswer | undefined>(undefined);
export const counters = signal<Counters>({});
/** Whether the stream has failed and is not back yet: the data shown may be old. */
export const isLost = signal(false);

const window = signal<readonly { readonly atMs: number; readonly counters: Counters }[]>([]);
const listeners = new Set<(events: readonly LiveEvent[]) => void>();

/** By service (or `hostKey`) and counter: the growth per second; 0 while unknown. */
export const rates = computed(() => {
  const [first] = window.value;
  const last = window.value.at(-1);
  return (service: string, counter: string): number => {
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    const from = first.counters[service]?.[counter];
    const to = last.counters[service]?.[counter] ?? 0;
    // A counter that decreased belongs to a thread that was restarted.
    return from === undefined || to < from ? 0 : ((to - from) * 1000) / (last.atMs - first.atMs);
  };
});

/** The key of a configured server in `counters` and `rates`. */
export const hostKey = (name: string): string => `host ${name}`;

export const counterOf = (service: string, counter: string): number =>
  counters.value[service]?.[counter] ?? 0;

/** Calls the listener with new events, oldest first; returns the function that stops it. */
export function onEvents(listener: (events: readonly LiveEvent[]) => void): () => void {
  listeners.add(listener);
  open();
  return () => {
    listeners.delete(listener);
    open();
  };
}

const openings = new Set<() => void>();

/** Calls the listener each time the stream begins: what happened before is not in it. */
export function onStreamOpen(listener: () => void): () => void {
  openings.add(listener);
  return () => void openings.delete(listener);
}

let source: EventSource | undefined;
let openKey = '';
let isWanted = false;
let retry: ReturnType<typeof setTimeout> | undefined;

/** Opens, closes or reopens the stream, as needed. */
function open(): void {
  const wanted =
    !isWanted || document.hidden ? '' : listeners.size > 0 ? 'status,counters,events' : 'status,counters';
  // In another language the stream sends the same data again.
  const key = wanted && wanted + locale.value;
  if (key === openKey) return;
  close();
  openKey = key;
  if (wanted === '') return;
  source = new EventSource(`/api/live?topics=${wanted}`);
  source.addEventListener('open', () => {
    for (const listener of openings) listener();
  });
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
    // The browser has given up: the response was not a stream, for example without a session or during a start.
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
  openKey = '';
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
effect(open);
