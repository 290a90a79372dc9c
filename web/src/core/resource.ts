/** Data from the API, updated while the page is visible. */
import { type ReadonlySignal, type Signal, useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { api, messageOf } from './api.ts';
import { locale } from './locale.ts';

export interface Resource<T> {
  readonly data: Signal<T | undefined>;
  /** Why the last request failed; undefined after a success. */
  readonly problem: ReadonlySignal<string | undefined>;
  reload(): Promise<void>;
}

interface Options {
  /** Repeats the request this long after each response; only one request when undefined. */
  readonly everyMs?: number;
}

/** GETs `path` when the component appears and when the path changes; undefined sends no request. */
export function useResource<T>(path: string | undefined, { everyMs }: Options = {}): Resource<T> {
  const data = useSignal<T | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  const turn = useRef(0);

  const load = async (): Promise<void> => {
    if (path === undefined) return;
    const mine = ++turn.current;
    try {
      const answer = await api.get<T>(path);
      if (mine !== turn.current) return;
      data.value = answer;
      problem.value = undefined;
    } catch (error) {
      if (mine === turn.current) problem.value = messageOf(error);
    }
  };

  useEffect(() => {
    void load();
    if (everyMs === undefined) return () => void turn.current++;
    const timer = setInterval(() => {
      if (!document.hidden) void load();
    }, everyMs);
    return () => {
      clearInterval(timer);
      turn.current++;
    };
  }, [path, everyMs, locale.value]);

  return { data, problem, reload: load };
}

/** Runs an action, never twice at the same time; `isBusy` while it runs, `problem` when it failed. */
export function useAction<Args extends readonly unknown[]>(
  action: (...args: Args) => Promise<void>,
): { run: (...args: Args) => Promise<void>; isBusy: Signal<boolean>; error: Signal<unknown> } {
  const isBusy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const run = async (...args: Args): Promise<void> => {
    if (isBusy.value) return;
    isBusy.value = true;
    error.value = undefined;
    try {
      await action(...args);
    } catch (problem) {
      error.value = problem;
    } finally {
      isBusy.value = false;
    }
  };
  return { run, isBusy, error };
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** The start of the next page; null when this is the last. */
  readonly nextCursor: number | null;
}

export interface Pages<Row> {
  /** Undefined until the first page has arrived. */
  readonly rows: Signal<readonly Row[] | undefined>;
  readonly isBusy: Signal<boolean>;
  readonly error: Signal<unknown>;
  /** The error as a sentence. */
  readonly problem: ReadonlySignal<string | undefined>;
  /** Whether there are more pages. */
  readonly hasMore: ReadonlySignal<boolean>;
  /** Starts again with the first page, even while another one is being loaded. */
  reload(): Promise<void>;
  /** Loads the next page and appends it. */
  more(): Promise<void>;
}

/** A list that is loaded in pages; sends no request by itself. */
export function usePages<Row>(ask: (cursor: number | undefined) => Promise<Page<Row>>): Pages<Row> {
  const rows = useSignal<readonly Row[] | undefined>(undefined);
  const nextCursor = useSignal<number | null>(null);
  const isBusy = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const turn = useRef(0);
  const load = async (cursor: number | undefined): Promise<void> => {
    const mine = ++turn.current;
    isBusy.value = true;
    error.value = undefined;
    try {
      const page = await ask(cursor);
      if (mine !== turn.current) return;
      rows.value = cursor === undefined ? page.rows : [...(rows.value ?? []), ...page.rows];
      nextCursor.value = page.nextCursor;
    } catch (problem) {
      if (mine === turn.current) error.value = problem;
    } finally {
      if (mine === turn.current) isBusy.value = false;
    }
  };
  return {
    rows,
    isBusy,
    error,
    problem: useComputed(() => (error.value === undefined ? undefined : messageOf(error.value))),
    hasMore: useComputed(() => nextCursor.value !== null),
    reload: () => load(undefined),
    more: () => load(nextCursor.value ?? undefined),
  };
}
