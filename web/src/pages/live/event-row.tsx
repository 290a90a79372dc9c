/** One event: a line, and on demand its details and a link to its rule. */
import { useSignal } from '@preact/signals';
import type { LiveEvent } from '../../core/contract.ts';
import { formatClock, formatTime } from '../../core/format.ts';
import { Shape } from '../../ui/basics.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Facts } from '../../ui/table.tsx';
import { lineOf } from './rows.ts';

export function EventRow({ event }: { event: LiveEvent }) {
  const isOpen = useSignal(false);
  const at = new Date(event.at);
  const { icon, tone, sentence, note, facts, links } = lineOf(event);
  return (
    <li>
      <details onToggle={(toggle) => (isOpen.value = toggle.currentTarget.open)}>
        <summary>
          <time dateTime={event.at} title={formatTime(at)}>
            {formatClock(at)}
          </time>
          <Icon name={icon} size={16} />
          <span class="sentence">{sentence}</span>
          <span class={`note-of tone-${tone}`}>
            <Shape tone={tone} size={11} /> {note}
          </span>
        </summary>
        {isOpen.value && (
          <div class="event-details">
            <Facts rows={facts.map((fact) => fact && [fact[0], <span class="code">{fact[1]}</span>])} />
            <p class="row">
              {links.map(([href, title]) => (
                <a key={href} href={href}>
                  {title}
                </a>
              ))}
            </p>
          </div>
        )}
      </details>
    </li>
  );
}
