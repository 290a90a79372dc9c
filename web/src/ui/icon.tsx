/** Line icons on a grid of 24; always beside a word, or inside an element with a label. */
const PATHS = {
  dashboard: 'M4 13h6V4H4zM14 20h6v-9h-6zM4 20h6v-3H4zM14 7h6V4h-6z',
  servers: 'M4 4h16v6H4zM4 14h16v6H4zM8 7h.01M8 17h.01M12 7h4M12 17h4',
  explain:
    'M5 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4M19 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4M7 17h6a3 3 0 0 0 0-6h-2a3 3 0 0 1 0-4h6',
  checks: 'M9 4h6v3H9zM9 5H6v16h12V5h-3M9 14l2 2 4-4',
  live: 'M3 12h4l3-8 4 16 3-8h4',
  configuration: 'M4 6h10M18 6h2M14 4v4M4 12h2M10 12h10M6 10v4M4 18h8M16 18h4M12 16v4',
  system: 'M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  done: 'M5 12l5 5 9-10',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14M20 20l-4-4',
  more: 'M4 7h16M4 12h16M4 17h16',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  remove: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  refresh: 'M20 11a8 8 0 1 0-2 6M20 5v6h-6',
  download: 'M12 4v11M7 11l5 5 5-5M4 20h16',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 5l12 7-12 7z',
  right: 'M9 5l7 7-7 7',
  left: 'M15 5l-7 7 7 7',
  undo: 'M4 10h11a5 5 0 0 1 0 10h-4M8 6l-4 4 4 4',
  signOut: 'M14 4H5v16h9M10 12h10M17 8l4 4-4 4',
  theme: 'M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18',
  language: 'M4 6h10M9 4v2M6 6c1 4 4 6 7 7M12 6c-1 4-4 6-7 7M12 20l4-10 4 10M13.5 17h5',
  lock: 'M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3',
} as const;
/** One of these, or a path from the page itself. */
export type IconName = keyof typeof PATHS | { readonly path: string };

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={typeof name === 'string' ? PATHS[name] : name.path} />
    </svg>
  );
}
