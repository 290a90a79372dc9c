/** The progress of the first run, in this browser: a reload continues at the same step. */
import { computed, effect, signal } from '@preact/signals';

export type Step = 'password' | 'restore' | 'network' | 'server' | 'outside' | 'done';
/** The five steps; a restore replaces those after the password. */
export const STEPS: readonly Step[] = ['password', 'network', 'server', 'outside', 'done'];

const KEY = 'tombolo-first-run';
const SERVER_KEY = 'tombolo-first-server';

export const step = signal<Step | undefined>((localStorage.getItem(KEY) as Step | null) ?? undefined);
/** The name of the server that was added in the first run. */
export const firstServer = signal(localStorage.getItem(SERVER_KEY) ?? '');
export const isFirstRun = computed(() => step.value !== undefined);

effect(() => {
  if (step.value === undefined) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, step.value);
});
effect(() => localStorage.setItem(SERVER_KEY, firstServer.value));
