/** The number of open checks, for the navigation. */
import { signal } from '@preact/signals';
import { api } from './api.ts';
import type { ChecksAnswer } from './contract.ts';

const EVERY_MS = 60_000;
export const openChecks = signal(0);
export const takeChecks = ({ open }: ChecksAnswer): void => void (openChecks.value = open);

export function startChecksBadge(): () => void {
  const load = () => {
    if (!document.hidden) void api.get<ChecksAnswer>('checks').then(takeChecks, () => {});
  };
  load();
  const timer = setInterval(load, EVERY_MS);
  return () => clearInterval(timer);
}
