/** What would happen, step by step, each with its rule. */
import { config } from '../../core/config.ts';
import type { ExplainOutcome, ExplainStep } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { Shape, State, type StateName } from '../../ui/basics.tsx';

/** All others are shown as ok. */
const STATES: Readonly<Record<string, StateName>> = { refused: 'refused', unknown: 'unknown' };

export function Outcome({ outcome }: { outcome: ExplainOutcome }) {
  return (
    <p class="outcome">
      <State state={STATES[outcome.kind] ?? 'ok'} word={outcome.text} />
      {outcome.server !== null && (
        <>
          {' '}
          <a href={`/servers/${encodeURIComponent(outcome.server)}`}>{outcome.server}</a>
        </>
      )}
    </p>
  );
}

/** The page of the panel for a rule of the configuration. */
function ruleHref(configPath: string): string {
  const host = /^\/hosts\/(\d+)/.exec(configPath);
  const name = host === null ? undefined : config.value?.effective.hosts[Number(host[1])]?.name;
  return name === undefined
    ? `/configuration?view=json&path=${encodeURIComponent(configPath)}`
    : `/servers/${encodeURIComponent(name)}`;
}

export function Steps({ steps }: { steps: readonly ExplainStep[] }) {
  return (
    <ol class="steps">
      {steps.map(({ isOk, service, text: line, counter, configPath }) => (
        <li key={line}>
          <Shape tone={isOk ? 'ok' : 'fail'} />
          <span>
            <span class="tag">{service}</span> {line}{' '}
            {configPath !== undefined && (
              <a href={ruleHref(configPath)} aria-label={`${text('the rule')}: ${configPath}`}>
                {text('the rule')}
              </a>
            )}
            {counter !== undefined && (
              <span class="faint">
                {' '}
                {text('Counted as')} <code>{counter}</code>
              </span>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}
