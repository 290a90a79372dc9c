/** The frame of every page: navigation on a large screen, a bar on a phone, the bar of pending changes, messages. */
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { openChecks, startChecksBadge } from '../core/badge.ts';
import { isLost } from '../core/live.ts';
import { locale, type Locale, LOCALES, setLocale, text } from '../core/locale.ts';
import type { PageRegistration, Parameters } from '../core/registry.ts';
import { match, path } from '../core/router.ts';
import { session, signOut } from '../core/session.ts';
import { setTheme, THEME_TITLES, type Theme, theme } from '../core/theme.ts';
import { toastError } from '../core/toast.ts';
import { PAGES } from '../pages/all.ts';
import { Button, LinkButton, PageHead, Shape } from '../ui/basics.tsx';
import { SelectField } from '../ui/field.tsx';
import { QuestionDialog } from '../ui/dialog.tsx';
import { Icon } from '../ui/icon.tsx';
import { Palette, isPaletteOpen } from './palette.tsx';
import { PendingBar } from './pending.tsx';
import { Refused } from './refused.tsx';
import { Toasts } from './toasts.tsx';

const loaded = signal<ReadonlyMap<string, ComponentType<Parameters> | Error>>(new Map());

function load(page: PageRegistration): void {
  page.load().then(
    (module) => (loaded.value = new Map(loaded.value).set(page.id, module.default)),
    (error: Error) => (loaded.value = new Map(loaded.value).set(page.id, error)),
  );
}

function find(pathname: string): { page: PageRegistration; parameters: Parameters } | undefined {
  for (const page of PAGES) {
    for (const pattern of page.paths) {
      const parameters = match(pattern, pathname);
      if (parameters !== undefined) return { page, parameters };
    }
  }
  return undefined;
}

export function Frame() {
  useEffect(startChecksBadge, []);
  return (
    <>
      <a class="skip" href="#content">
        {text('Skip to the content')}
      </a>
      <div class="frame">
        <Side />
        <div class="content">
          {isLost.value && (
            <p class="lost" role="alert">
              {text('No connection to the appliance. The page may show old data; trying again.')}
            </p>
          )}
          <Refused />
          <main id="content" tabIndex={-1}>
            <Page />
          </main>
          <PendingBar />
        </div>
        <Bottom />
      </div>
      {isPaletteOpen.value && <Palette />}
      <QuestionDialog />
      <Toasts />
    </>
  );
}

function Page() {
  const found = find(path.value);
  const before = useRef<string>(path.value);
  useEffect(() => {
    if (found !== undefined && !loaded.value.has(found.page.id)) load(found.page);
  }, [found?.page.id]);
  const Component = found === undefined ? undefined : loaded.value.get(found.page.id);
  // After a change of page, the focus for keyboards and screen readers is on its title.
  useEffect(() => {
    if (before.current === path.value || Component === undefined) return;
    before.current = path.value;
    // Unless the page has put the focus into a field.
    if (document.activeElement?.closest('main form') == null)
      document.querySelector<HTMLElement>('h1')?.focus();
  }, [path.value, Component]);
  if (found === undefined) {
    return (
      <div class="page">
        <PageHead
          title={text('This page does not exist')}
          lead={text('The address may be old, or mistyped.')}
        />
        <p>
          <LinkButton href="/" kind="primary">
            {text('To the dashboard')}
          </LinkButton>
        </p>
      </div>
    );
  }
  if (Component === undefined) return null;
  if (Component instanceof Error) {
    return (
      <div class="page">
        <PageHead title={text('This page could not be loaded')} lead={Component.message} />
        <p>
          <Button icon="refresh" onClick={() => location.reload()}>
            {text('Try again')}
          </Button>
        </p>
      </div>
    );
  }
  return (
    <div class="page">
      <Component {...found.parameters} />
    </div>
  );
}

const isCurrent = (page: PageRegistration): boolean =>
  find(path.value)?.page.group !== undefined &&
  (page.paths[0] === '/'
    ? path.value === '/'
    : path.value === page.paths[0] || path.value.startsWith(`${page.paths[0]}/`));

function NavLink({ page, onClick }: { page: PageRegistration; onClick?: () => void }) {
  return (
    <a
      class="nav-link"
      href={page.paths[0]}
      aria-current={isCurrent(page) ? 'page' : undefined}
      onClick={onClick}
    >
      <Icon name={page.icon} />
      <span>{page.title()}</span>
      {page.id === 'checks' && openChecks.value > 0 && (
        <span class="badge">
          <Shape tone="warn" size={11} />
          <span aria-hidden="true">{openChecks.value}</span>
          <span class="visually-hidden">
            {text(openChecks.value === 1 ? '1 open check' : '{count} open checks', {
              count: openChecks.value,
            })}
          </span>
        </span>
      )}
    </a>
  );
}

const groups = ['main', 'services', 'manage'] as const;

function Side() {
  return (
    <header class="side-column">
      <div class="side">
        <Brand />
        <nav aria-label={text('Pages')}>
          {groups.map((group) => (
            <ul class="nav-group" key={group}>
              {PAGES.filter((page) => page.group === group).map((page) => (
                <li key={page.id}>
                  <NavLink page={page} />
                </li>
              ))}
            </ul>
          ))}
        </nav>
        <div class="side-foot">
          <button type="button" class="nav-link" onClick={() => (isPaletteOpen.value = true)}>
            <Icon name="search" /> <span>{text('Go to…')}</span> <kbd>Ctrl K</kbd>
          </button>
          <button type="button" class="nav-link" popovertarget="preferences">
            <Icon name="theme" /> <span>{text('Appearance and language')}</span>
          </button>
          <div id="preferences" class="menu side-menu" popover="auto">
            <Preferences />
          </div>
          <button type="button" class="nav-link" onClick={() => void signOut()}>
            <Icon name="signOut" /> <span>{text('Sign out')}</span>
          </button>
        </div>
      </div>
    </header>
  );
}

export function Preferences() {
  return (
    <div class="stack tight preferences">
      <SelectField<Theme>
        label={text('Appearance')}
        value={theme.value}
        onChange={setTheme}
        options={(['system', 'light', 'dark'] as const).map((each) => [each, text(THEME_TITLES[each])])}
      />
      <SelectField<Locale>
        label={text('Language')}
        value={locale.value}
        onChange={(next) => void setLocale(next).catch(toastError)}
        options={Object.entries(LOCALES) as [Locale, string][]}
      />
    </div>
  );
}

export function Brand() {
  return (
    <a class="brand" href="/">
      <img src="/icon.svg" alt="" width="30" height="30" />
      <span>
        Tombolo
        {session.value?.hostname !== undefined && <small>{session.value.hostname}</small>}
      </span>
    </a>
  );
}

/** Phones: the most used pages; the others are behind "More". */
function Bottom() {
  const close = () => document.getElementById('more')?.hidePopover();
  return (
    <>
      <nav class="bottom" aria-label={text('Pages')}>
        {PAGES.filter(({ isPrimary }) => isPrimary).map((page) => (
          <NavLink key={page.id} page={page} />
        ))}
        <button type="button" class="nav-link" popovertarget="more">
          <Icon name="more" /> <span>{text('More')}</span>
        </button>
      </nav>
      <div id="more" class="menu" popover="auto">
        <ul class="nav-group">
          {PAGES.filter(({ isPrimary }) => !isPrimary).map((page) => (
            <li key={page.id}>
              <NavLink page={page} onClick={close} />
            </li>
          ))}
          <li>
            <button
              type="button"
              class="nav-link"
              onClick={() => {
                close();
                isPaletteOpen.value = true;
              }}
            >
              <Icon name="search" /> {text('Go to…')}
            </button>
          </li>
          <li>
            <button type="button" class="nav-link" onClick={() => void signOut()}>
              <Icon name="signOut" /> {text('Sign out')}
            </button>
          </li>
        </ul>
        <Preferences />
      </div>
    </>
  );
}
