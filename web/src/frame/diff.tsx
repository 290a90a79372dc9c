/** What a change of the configuration comes to, a line each, before and after beside each other. */
import type { DiffEntry } from '../core/contract.ts';
import { text } from './text.ts';

const SIGNS = { added: '+', removed: '−', changed: '~', moved: '↕' } as const;

const show = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value, undefined, 1)?.replace(/\n\s*/g, ' ') ?? '');

export function Diff({ entries }: { entries: readonly DiffEntry[] }) {
  const words = text.value.diff;
  return (
    <ul class="diff">
      {entries.map(({ kind, path, label, from, to }) => (
        <li key={kind + path} class={`diff-${kind}`}>
          <span class="diff-sign" aria-hidden="true">
            {SIGNS[kind]}
          </span>
          <div>
            <p>
              <code>{label}</code> <span class="faint">{words[kind]}</span>
            </p>
            {kind === 'moved' && <p class="faint">{words.position(Number(from) + 1, Number(to) + 1)}</p>}
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
