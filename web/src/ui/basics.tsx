/** Basic components: buttons, states, addresses, times, empty places. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { formatAgo, formatTime, now } from '../core/format.ts';
import { say, text } from '../core/locale.ts';
import type { Pages, Resource } from '../core/resource.ts';
import { Icon, type IconName } from './icon.tsx';

/** All possible states. */
export const STATE_WORDS = {
  ok: say('works'),
  warn: say('needs attention'),
  fail: say('fails'),
  unknown: say('not known'),
  running: say('running'),
  degraded: say('degraded'),
  failed: say('failed'),
  disabled: say('off'),
  passed: say('holds'),
  refused: say('refused'),
};

interface ButtonProps {
  readonly kind?: 'primary' | 'quiet' | 'danger';
  readonly icon?: IconName;
  readonly type?: 'button' | 'submit';
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  readonly isSmall?: boolean;
  readonly label?: string;
  readonly id?: string;
  readonly onClick?: (event: MouseEvent) => void;
  readonly children?: ComponentChildren;
}

/** `label` names a button that shows only an icon, or adds to its text. */
export function Button({
  kind = 'quiet',
  icon,
  type = 'button',
  isBusy = false,
  isDisabled = false,
  isSmall = false,
  label,
  id,
  onClick,
  children,
}: ButtonProps) {
  const classes = `button ${kind}${isSmall ? ' small' : ''}${children === undefined ? ' icon-only' : ''}`;
  return (
    <button
      class={classes}
      type={type}
      id={id}
      aria-label={label}
      title={children === undefined ? label : undefined}
      aria-busy={isBusy || undefined}
      disabled={isDisabled || isBusy}
      onClick={onClick}
    >
      {icon !== undefined && <Icon name={icon} size={isSmall ? 16 : 18} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

export function LinkButton({
  href,
  kind = 'quiet',
  icon,
  download,
  children,
}: {
  href: string;
  kind?: 'primary' | 'quiet';
  icon?: IconName;
  download?: boolean;
  children: ComponentChildren;
}) {
  return (
    <a class={`button ${kind}`} href={href} download={download}>
      {icon !== undefined && <Icon name={icon} size={18} />}
      <span>{children}</span>
    </a>
  );
}

/** If the page may not write to the clipboard (plain HTTP), copying a selection still works. */
async function copyText(value: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(value);
  const area = document.createElement('textarea');
  area.value = value;
  area.className = 'visually-hidden';
  const holder = document.querySelector('dialog[open]') ?? document.body;
  holder.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function CopyButton({ value, what }: { value: string; what: string }) {
  const isCopied = useSignal(false);
  const copy = async (event: MouseEvent) => {
    event.preventDefault();
    event.stopPropagation();
    const button = event.currentTarget as HTMLElement;
    await copyText(value);
    button.focus();
    isCopied.value = true;
    setTimeout(() => (isCopied.value = false), 1500);
  };
  const label = isCopied.value ? text('Copied') : text('Copy {what}', { what });
  return (
    <button type="button" class="copy" onClick={copy} aria-label={label} title={label}>
      <Icon name={isCopied.value ? 'done' : 'copy'} size={15} />
      {isCopied.value && (
        <span role="status" class="visually-hidden">
          {text('Copied')}
        </span>
      )}
    </button>
  );
}

/** Breaks a long value, such as a fingerprint, after its colons. */
const breakable = (value: string): ComponentChildren =>
  value.length > 60 ? value.split(/(?<=:)/).flatMap((part) => [part, <wbr />]) : value;

/** An address, a name, a port: monospace and copyable. */
export function Address({ value }: { value: string }) {
  return (
    <span class="address">
      <code>{breakable(value)}</code>
      <CopyButton value={value} what={value} />
    </span>
  );
}

/** Several lines to paste into another program. */
export function Snippet({ value, what }: { value: string; what: string }) {
  return (
    <div class="snippet">
      <pre tabIndex={0} role="region" aria-label={what}>
        {value}
      </pre>
      <CopyButton value={value} what={what} />
    </div>
  );
}

export type StateName =
  | 'ok'
  | 'warn'
  | 'fail'
  | 'unknown'
  | 'running'
  | 'degraded'
  | 'failed'
  | 'disabled'
  | 'passed'
  | 'refused';
export type Tone = 'ok' | 'warn' | 'fail' | 'off';
export const toneOf = (state: StateName): Tone =>
  state === 'ok' || state === 'running' || state === 'passed'
    ? 'ok'
    : state === 'warn' || state === 'degraded'
      ? 'warn'
      : state === 'fail' || state === 'failed' || state === 'refused'
        ? 'fail'
        : 'off';

/** On a grid of 16: a disc with a tick, a triangle, a square with a cross. */
const SHAPES = {
  ok: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM7 11.3 3.9 8.2l1.1-1.1L7 9.1l4.1-4.2 1.1 1.1z',
  warn: 'M8 1 .5 14.5h15zM7.2 6h1.6v4H7.2zm0 5.2h1.6v1.6H7.2z',
  fail: 'M1.5 1.5h13v13h-13zM5 4 4 5l3 3-3 3 1 1 3-3 3 3 1-1-3-3 3-3-1-1-3 3z',
} as const;

/** The shape alone, for use inside a drawing. */
export const ShapePath = ({ tone }: { tone: Tone }) =>
  tone === 'off' ? (
    <circle class="outlined" cx="8" cy="8" r="6" />
  ) : (
    <path class="filled" d={SHAPES[tone]} fill-rule="evenodd" />
  );

/** A shape for each tone, so that the meaning does not depend on colour alone. */
export function Shape({ tone, size = 14 }: { tone: Tone; size?: number }) {
  return (
    <svg class={`shape tone-${tone}`} viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
      <ShapePath tone={tone} />
    </svg>
  );
}

/** Shape, word and colour together. `word` replaces the state's own word. */
export function State({ state, word }: { state: StateName; word?: string }) {
  const tone = toneOf(state);
  return (
    <span class={`state tone-${tone}`}>
      <Shape tone={tone} />
      <span>{word ?? text(STATE_WORDS[state])}</span>
    </span>
  );
}

/** "3 minutes ago"; the exact time is shown on hover and is available to screen readers. */
export function Ago({ at }: { at: string | null | undefined }) {
  if (at == null) return <span class="faint">{text('never')}</span>;
  const date = new Date(at);
  return (
    <time dateTime={at} title={formatTime(date)}>
      {formatAgo(date, Math.max(now.value, Math.min(date.getTime(), Date.now())))}
    </time>
  );
}

/** Shown in an empty place: its purpose, and the first step. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function Card({
  title,
  actions,
  children,
  id,
}: {
  title?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
  id?: string;
}) {
  return (
    <section class="card" id={id}>
      {(title !== undefined || actions !== undefined) && (
        <div class="card-head">
          {title !== undefined && <h2>{title}</h2>}
          {actions !== undefined && <div class="actions">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

/** The head of a page: its title is also the document's. */
export function PageHead({
  title,
  lead,
  actions,
  back,
}: {
  title: string;
  lead?: ComponentChildren;
  actions?: ComponentChildren;
  back?: { href: string; title: string };
}) {
  document.title = `${title} · Tombolo`;
  return (
    <header class="page-head">
      <div>
        {back !== undefined && (
          <a class="back" href={back.href}>
            <Icon name="left" size={14} />
            {back.title}
          </a>
        )}
        <h1 tabIndex={-1}>{title}</h1>
        {lead !== undefined && <p class="lead">{lead}</p>}
      </div>
      {actions !== undefined && <div class="actions">{actions}</div>}
    </header>
  );
}

/** A placeholder for data that is being loaded; on failure it shows the reason and offers a retry. */
export function Loading({ of }: { of: Pick<Resource<unknown>, 'problem' | 'reload'> }) {
  return of.problem.value === undefined ? (
    <p class="faint loading">{text('Loading…')}</p>
  ) : (
    <div class="stack tight">
      <p class="problem" role="alert">
        {of.problem.value}
      </p>
      <div>
        <Button icon="refresh" onClick={() => void of.reload()}>
          {text('Try again')}
        </Button>
      </div>
    </div>
  );
}

type Paging = Omit<Pages<unknown>, 'rows'>;

/** Loads the next page of a list, if there is one. */
export function More({ of: { hasMore, isBusy, more } }: { of: Paging }) {
  return hasMore.value ? (
    <Button isBusy={isBusy.value} onClick={() => void more()}>
      {text('Older')}
    </Button>
  ) : null;
}

/** Reloads the data shown. */
export const Reload = ({ of: { isBusy, reload } }: { of: Pick<Paging, 'isBusy' | 'reload'> }) => (
  <Button
    isSmall
    icon="refresh"
    label={text('Refresh')}
    isBusy={isBusy.value}
    onClick={() => void reload()}
  />
);
