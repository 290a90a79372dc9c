/** Formats figures and times in the language of the page. */
import { computed, signal } from '@preact/signals';
import { locale } from './locale.ts';

/** The language of the page with the region of the browser: "en-GB" and "en-US" write times differently. */
export const region = computed(
  () => navigator.languages.find((tag) => tag.startsWith(locale.value)) ?? locale.value,
);

const cache = new Map<string, Intl.NumberFormat>();
function numberFormat(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = region.value + JSON.stringify(options);
  let format = cache.get(key);
  if (format === undefined) cache.set(key, (format = new Intl.NumberFormat(region.value, options)));
  return format;
}

export const formatNumber = (value: number, digits = 0): string =>
  numberFormat({ maximumFractionDigits: digits }).format(value);

function scaled(value: number, step: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  while (rest >= step * 0.9995 && unit < units.length - 1) {
    rest /= step;
    unit++;
  }
  return `${formatNumber(rest, rest < 10 && unit > 0 ? 1 : 0)}\u00a0${units[unit]}`;
}

export const formatBytes = (bytes: number): string => scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
export const formatBitRate = (bytesPerSecond: number): string =>
  scaled(bytesPerSecond * 8, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s']);
export const formatPercent = (value: number, digits = 0): string => `${formatNumber(value, digits)}\u00a0%`;
export const formatRate = (value: number): string => `${formatNumber(value, value < 10 ? 1 : 0)}/s`;
export const formatMs = (ms: number): string =>
  ms < 1000 ? `${formatNumber(ms, ms < 10 ? 1 : 0)}\u00a0ms` : `${formatNumber(ms / 1000, 1)}\u00a0s`;

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** "2 days", "3 hours": the largest unit that fits. */
export function formatDuration(seconds: number): string {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? UNITS[3];
  return numberFormat({ style: 'unit', unit, unitDisplay: 'long' }).format(Math.floor(seconds / size));
}

/** "3 minutes ago". */
export function formatAgo(at: Date, nowMs: number): string {
  const seconds = (at.getTime() - nowMs) / 1000;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS[3];
  const relative = new Intl.RelativeTimeFormat(region.value, { numeric: 'auto' });
  return relative.format(Math.trunc(seconds / size), unit);
}

export const formatTime = (at: Date): string =>
  new Intl.DateTimeFormat(region.value, { dateStyle: 'medium', timeStyle: 'medium' }).format(at);
export const formatClock = (at: Date): string =>
  new Intl.DateTimeFormat(region.value, { timeStyle: 'medium' }).format(at);
export const formatDate = (at: Date): string =>
  new Intl.DateTimeFormat(region.value, { dateStyle: 'medium' }).format(at);

/** Milliseconds, updated regularly while the page is visible. */
export const now = signal(Date.now());
const CLOCK_MS = 5000;
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, CLOCK_MS);

export const formatCount = (value: number): string => formatNumber(value, value < 10 ? 1 : 0);
