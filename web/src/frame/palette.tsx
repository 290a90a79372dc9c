/** Ctrl-K: searches every page, every server and the common actions while typing. */
import { signal, useSignal } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import { edited } from '../core/config.ts';
import { LOCALES, type Locale, setLocale, text } from '../core/locale.ts';
import { navigate } from '../core/router.ts';
import { signOut } from '../core/session.ts';
import { setTheme, THEME_TITLES } from '../core/theme.ts';
import { toastError } from '../core/toast.ts';
import { PAGES } from '../pages/all.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';

export const isPaletteOpen = signal(false);

interface Entry {
  readonly id: string;
  readonly title: string;
  readonly kind: string;
  readonly icon: IconName;
  readonly keywords: string;
  readonly run: () => void;
}

function entries(): Entry[] {
  const hosts = (edited.value['hosts'] ?? []) as readonly {
    name: string;
    address?: string;
    addresses?: string[];
    hostnames?: string[];
  }[];
  const go = (to: string) => () => navigate(to);
  return [
    ...PAGES.flatMap(({ id, title, icon, paths: [path], keywords, views }) => {
      const page = {
        id,
        title: title(),
        kind: text('page'),
        icon,
        keywords: keywords?.() ?? '',
        run: go(path),
      };
      const parts = Object.entries(views?.() ?? {}).map(([view, part]) => ({
        ...page,
        id: `${id}-${view}`,
        title: `${page.title} › ${part}`,
        keywords: '',
        run: go(`${path}?view=${view}`),
      }));
      return [page, ...parts];
    }),
    ...hosts.map(({ name, address = '', addresses = [], hostnames = [] }) => ({
      id: `server-${name}`,
      title: name,
      kind: text('server'),
      icon: 'servers' as const,
      keywords: [address, ...addresses, ...hostnames].join(' '),
      run: go(`/servers/${encodeURIComponent(name)}`),
    })),
    ...(['light', 'dark', 'system'] as const).map((theme) => ({
      id: `theme-${theme}`,
      title: `${text('Appearance')}: ${text(THEME_TITLES[theme])}`,
      kind: text('action'),
      icon: 'theme' as const,
      keywords: 'theme',
      run: () => setTheme(theme),
    })),
    ...(Object.entries(LOCALES) as [Locale, string][]).map(([id, title]) => ({
      id,
      title,
      kind: text('action'),
      icon: 'language' as const,
      keywords: text('Language'),
      run: () => void setLocale(id).catch(toastError),
    })),
    {
      id: 'sign-out',
      title: text('Sign out'),
      kind: text('action'),
      icon: 'signOut',
      keywords: 'logout',
      run: () => void signOut(),
    },
  ];
}

/** How well an entry matches: smaller is better; undefined if it does not match. */
function rank({ title, keywords }: Entry, wanted: string): number | undefined {
  const at = title.toLowerCase().indexOf(wanted);
  if (at >= 0) return at;
  return keywords.toLowerCase().includes(wanted) ? 100 : undefined;
}

/** The best matches first. */
function find(wanted: string): Entry[] {
  const word = wanted.trim().toLowerCase();
  return entries()
    .map((entry) => ({ entry, rank: rank(entry, word) }))
    .filter((each) => each.rank !== undefined)
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0))
    .map(({ entry }) => entry);
}

export function startPalette(): void {
  addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      isPaletteOpen.value = !isPaletteOpen.value;
    }
  });
}

export function Palette() {
  const wanted = useSignal('');
  const at = useSignal(0);
  const id = useId();
  const close = () => (isPaletteOpen.value = false);
  const found = find(wanted.value);
  const chosen = found[Math.min(at.value, found.length - 1)];
  useEffect(() => {
    document.getElementById(`${id}-${chosen?.id}`)?.scrollIntoView({ block: 'nearest' });
  }, [chosen?.id]);
  const run = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    close();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      at.value = (at.value + step + found.length) % Math.max(1, found.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      // By the present input: the list may not be drawn yet.
      const now = find(wanted.value);
      run(now[Math.min(at.value, now.length - 1)]);
    }
  };
  return (
    <Dialog title={text('Go to…')} onClose={close}>
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={chosen === undefined ? undefined : `${id}-${chosen.id}`}
        aria-label={text('A page, a server, an action')}
        placeholder={text('A page, a server, an action')}
        autocomplete="off"
        spellcheck={false}
        value={wanted.value}
        onInput={(event) => {
          wanted.value = event.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={onKeyDown}
      />
      <p class="visually-hidden" role="status">
        {found.length === 0
          ? text('No match.')
          : text(found.length === 1 ? '1 result' : '{count} results', { count: found.length })}
      </p>
      {found.length === 0 && <p class="faint">{text('No match.')}</p>}
      <div class="palette-list" id={`${id}-list`} role="listbox" aria-label={text('Go to…')}>
        {found.map((entry) => (
          <div
            key={entry.id}
            id={`${id}-${entry.id}`}
            role="option"
            aria-selected={entry === chosen}
            tabIndex={-1}
            onClick={() => run(entry)}
          >
            <Icon name={entry.icon} size={18} />
            {entry.title}
            <span class="faint">{entry.kind}</span>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
