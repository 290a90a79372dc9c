/** Light, dark, or the system's setting. */
import { signal } from '@preact/signals';
import { say } from './locale.ts';

export type Theme = 'system' | 'light' | 'dark';
export const THEME_TITLES = {
  system: say('Same as the system'),
  light: say('Light'),
  dark: say('Dark'),
};

const KEY = 'tombolo-theme';

const stored = localStorage.getItem(KEY);
export const theme = signal<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system');

const system = matchMedia('(prefers-color-scheme: dark)');
/** Whether the page is dark now: drawings on a canvas must be adapted. */
export const isDark = signal(false);
const follow = () => {
  isDark.value = theme.value === 'system' ? system.matches : theme.value === 'dark';
};
system.addEventListener('change', follow);

export function setTheme(next: Theme): void {
  theme.value = next;
  if (next === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  showTheme();
}

export function showTheme(): void {
  if (theme.value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  follow();
}

/** The current value of a design token, for drawings on a canvas. */
export function token(name: string): string {
  const probe = document.createElement('span');
  probe.className = `token-${name}`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
