/** What the API says about something, kept up to date while somebody looks at it. */
import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { api, messageOf } from './api.ts';
import { locale } from './locale.ts';

export interface Resource<T> {
  readonly data: Signal<T | undefined>;
  /** Why the last request failed; undefined after a success. */
  readonly problem: Signal<string | undefined>;
  reload(): Promise<void>;
}

interface Options {
  /** Asks again so long after each answer; only once when left out. */
  readonly everyMs?: number;
}

/** GETs `path` when the component appears and when the path changes; undefined asks nothing. */
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

/** Runs an action once at a time; `isBusy` while it runs, `problem` when it failed. */
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
