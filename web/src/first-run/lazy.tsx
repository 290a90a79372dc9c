/** Needed only once in an appliance's life, so it is not in the first download. */
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';

const loaded = signal<ComponentType | undefined>(undefined);

export function FirstRun() {
  useEffect(() => void import('./first-run.tsx').then((module) => (loaded.value = module.FirstRunPage)), []);
  const Component = loaded.value;
  return Component === undefined ? null : <Component />;
}
