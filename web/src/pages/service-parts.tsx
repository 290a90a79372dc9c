/** What every service's page shows: its state, its figures, its counters with their explanations. */
import { useSignal } from '@preact/signals';
import type { CountersAnswer } from '../core/contract.ts';
import { formatNumber } from '../core/format.ts';
import { status } from '../core/live.ts';
import { say, text, textOf } from '../core/locale.ts';
import { useResource } from '../core/resource.ts';
import { Card, Empty, State } from '../ui/basics.tsx';
import { Facts, Table } from '../ui/table.tsx';
import { CheckField } from '../ui/field.tsx';

const REFRESH_MS = 5000;

/** Figures of the TCP engine. */
const FIGURES = {
  connections: say('Open connections'),
  openings: say('Connections being opened'),
  pipes: say('Kernel pipes for them'),
  workers: say('Worker threads'),
  listeners: say('Ports that it listens on'),
  maxConnections: say('Maximum of connections'),
};

interface StateProps {
  readonly name: string;
  /** Titles of its own figures, in addition to those of the TCP engine. */
  readonly figures?: Readonly<Record<string, string>>;
}

/** A figure without a title is one of several of the same kind, e.g. one per upstream. */
export function ServiceState({ name, figures: own = {} }: StateProps) {
  const report = status.value?.services.find((each) => each.name === name);
  if (report === undefined) return null;
  const { state, problem, restarts, figures } = report;
  return (
    <Card title={text('Now')}>
      <Facts
        rows={[
          [text('State'), <State state={state} />],
          problem !== null && [text('Problem'), <span class="problem">{problem}</span>],
          ...Object.entries(figures).map(
            ([figure, value]) =>
              [
                own[figure] ?? textOf(FIGURES, figure),
                typeof value === 'number' ? formatNumber(value, 1) : value,
              ] as const,
          ),
          restarts > 0 && [text('Restarts of its thread'), String(restarts)],
        ]}
      />
    </Card>
  );
}

export function ServiceCounters({ name }: { name: string }) {
  const showsZeros = useSignal(false);
  const { data } = useResource<CountersAnswer>('counters', { everyMs: REFRESH_MS });
  const counters = data.value?.services.find((each) => each.name === name)?.counters;
  if (counters === undefined) return null;
  const rows = counters.filter(({ value }) => showsZeros.value || value > 0);
  return (
    <Card
      title={text('Counters since the start')}
      actions={
        <CheckField
          label={text('also those that are zero')}
          isChecked={showsZeros.value}
          onChange={(next) => (showsZeros.value = next)}
        />
      }
    >
      {rows.length === 0 ? (
        <Empty title={text('Nothing was counted yet: there was no traffic since the start.')} />
      ) : (
        <Table
          caption={text('Counters since the start')}
          rows={rows}
          keyOf={(row) => row.name}
          columns={[
            {
              title: text('What it counts'),
              cell: ({ explanation, name: counter }) => (
                <>
                  {explanation} <code class="faint">{counter}</code>
                </>
              ),
            },
            { title: text('Count'), isNumber: true, cell: ({ value }) => formatNumber(value) },
          ]}
        />
      )}
    </Card>
  );
}
