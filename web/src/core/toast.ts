/** Short messages that need no answer; screen readers read them aloud. */
import { signal } from '@preact/signals';
import { messageOf } from './api.ts';

export interface Toast {
  readonly id: number;
  readonly kind: 'done' | 'failed';
  readonly text: string;
}

const SHOWN_MS = 6000;
export const toasts = signal<readonly Toast[]>([]);
let last = 0;

export function toast(text: string, kind: Toast['kind'] = 'done'): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-2), { id, kind, text }];
  setTimeout(() => dismiss(id), kind === 'done' ? SHOWN_MS : 2 * SHOWN_MS);
}

export const toastError = (error: unknown): void => toast(messageOf(error), 'failed');

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((entry) => entry.id !== id);
}
