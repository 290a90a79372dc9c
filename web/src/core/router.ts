/** Each place of the panel has a URL, so it can be linked, reloaded and reached with the back button. */
import { computed, signal } from '@preact/signals';

const read = () => new URL(location.href);
export const place = signal(read());
export const path = computed(() => place.value.pathname);

export function navigate(to: string, { replace = false } = {}): void {
  const next = new URL(to, location.href);
  if (next.href === location.href) return;
  const isOtherPage = next.pathname !== location.pathname;
  if (replace) history.replaceState(null, '', next);
  else history.pushState(null, '', next);
  place.value = next;
  if (isOtherPage) scrollTo(0, 0);
}

/** Changes URL parameters; undefined or "" removes one. */
export function setParameters(
  parameters: Readonly<Record<string, string | undefined>>,
  { replace = true } = {},
): void {
  const next = read();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === '') next.searchParams.delete(name);
    else next.searchParams.set(name, value);
  }
  navigate(next.href, { replace });
}

export const parameter = (name: string): string => place.value.searchParams.get(name) ?? '';

/** The named parts of a path ("/servers/:name"); undefined when the path does not match. */
export function match(pattern: string, pathname: string): Record<string, string> | undefined {
  const wanted = pattern.split('/');
  const given = pathname.replace(/(.)\/$/, '$1').split('/');
  if (wanted.length !== given.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(':')) {
      try {
        found[part.slice(1)] = decodeURIComponent(given[index]);
      } catch {
        return undefined; // not valid UTF-8, so it cannot be a name
      }
    } else if (part !== given[index]) return undefined;
  }
  return found;
}

/** Makes links of this page navigate inside the panel. */
export function startRouter(): void {
  addEventListener('popstate', () => (place.value = read()));
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
      return;
    const link = (event.target as Element).closest('a');
    const href = link?.getAttribute('href');
    if (!link || href == null || link.target !== '' || link.hasAttribute('download')) return;
    if (href.startsWith('#')) return;
    const url = new URL(href, location.href);
    if (url.origin !== location.origin || url.pathname.startsWith('/api/')) return;
    event.preventDefault();
    navigate(url.href);
  });
}
