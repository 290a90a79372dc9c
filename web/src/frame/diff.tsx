/** The differences that a change of the configuration makes: one line each, old and new value beside each other. */
import type { DiffEntry } from '../core/contract.ts';
import { say, text } from '../core/locale.ts';

const KINDS = {
  added: say('added'),
  removed: say('removed'),
  changed: say('changed'),
  moved: say('moved'),
};
const SIGNS = { added: '+', removed: '−', changed: '~', moved: '↕' } as const;

const show = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value, undefined, 1)?.replace(/\n\s*/g, ' ') ?? '');

export function Diff({ entries }: { entries: readonly DiffEntry[] }) {
  return (
    <ul class="diff">
      {entries.map(({ kind, path, label, from, to }) => (
        <li key={kind + path} class={`diff-${kind}`}>
          <span class="diff-sign" aria-hidden="true">
            {SIGNS[kind]}
          </span>
          <div>
            <p>
              <code>{label}</code> <span class="faint">{text(KINDS[kind])}</span>
            </p>
            {kind === 'moved' && (
              <p class="faint">
                {text('position {from} → {to}', { from: Number(from) + 1, to: Number(to) + 1 })}
              </p>
            )}
            {(kind === 'removed' || kind === 'changed') && (
              <p class="diff-from">
                <del>
                  <code>{show(from)}</code>
                </del>
              </p>
            )}
            {(kind === 'added' || kind === 'changed') && (
              <p class="diff-to">
                <ins>
                  <code>{show(to)}</code>
                </ins>
              </p>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}
