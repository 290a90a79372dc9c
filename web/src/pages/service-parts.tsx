/** What every service's page shows alike: its state, its figures, its counters with what each counts. */
import { useSignal } from '@preact/signals';
import type { CountersAnswer } from '../core/contract.ts';
import { formatNumber } from '../core/format.ts';
import { status } from '../core/live.ts';
import { dictionary } from '../core/locale.ts';
import { useResource } from '../core/resource.ts';
import { Card, Empty, State } from '../ui/basics.tsx';
import { Facts, Table } from '../ui/table.tsx';
import { CheckField } from '../ui/field.tsx';

const REFRESH_MS = 5000;

const text = dictionary(
  {
    state: 'State',
    problem: 'Problem',
    restarts: 'Restarts of its thread',
    settings: 'Settings',
    counters: 'Counters since the start',
    zeros: 'also those that are zero',
    nothing: 'Nothing was counted yet: no traffic has come by since the start.',
    meaning: 'What it counts',
    count: 'Count',
    now: 'Now',
    figures: {
      connections: 'Open connections',
      openings: 'Connections being opened',
      pipes: 'Kernel pipes for them',
      listeners: 'Ports that it listens on',
      maxConnections: 'Connections at most',
    },
  },
  {
    state: 'Zustand',
    problem: 'Problem',
    restarts: 'Neustarts seines Threads',
    settings: 'Einstellungen',
    counters: 'Zähler seit dem Start',
    zeros: 'auch die, die null sind',
    nothing: 'Noch wurde nichts gezählt: Seit dem Start kam kein Verkehr vorbei.',
    meaning: 'Was er zählt',
    count: 'Anzahl',
    now: 'Jetzt',
    figures: {
      connections: 'Offene Verbindungen',
      openings: 'Im Aufbau',
      pipes: 'Pipes des Kernels dafür',
      listeners: 'Ports, auf denen er lauscht',
      maxConnections: 'Verbindungen höchstens',
    },
  },
);

interface StateProps {
  readonly name: string;
  /** Titles of its own figures, beside those of the TCP engine. */
  readonly figures?: Readonly<Record<string, string>>;
}

/** A figure that has no title is one of a kind, such as an upstream. */
export function ServiceState({ name, figures: own = {} }: StateProps) {
  const report = status.value?.services.find((each) => each.name === name);
  if (report === undefined) return null;
  const { state, problem, restarts, figures } = report;
  const titles: Readonly<Record<string, string>> = { ...text.value.figures, ...own };
  return (
    <Card title={text.value.now}>
      <Facts
        rows={[
          [text.value.state, <State state={state} />],
          problem !== null && [text.value.problem, <span class="problem">{problem}</span>],
          ...Object.entries(figures).map(
            ([figure, value]) =>
              [titles[figure] ?? figure, typeof value === 'number' ? formatNumber(value, 1) : value] as const,
          ),
          restarts > 0 && [text.value.restarts, String(restarts)],
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
      title={text.value.counters}
      actions={
        <CheckField
          label={text.value.zeros}
          isChecked={showsZeros.value}
          onChange={(next) => (showsZeros.value = next)}
        />
      }
    >
      {rows.length === 0 ? (
        <Empty title={text.value.nothing} />
      ) : (
        <Table
          caption={text.value.counters}
          rows={rows}
          keyOf={(row) => row.name}
          columns={[
            {
              title: text.value.meaning,
              cell: ({ explanation, name: counter }) => (
                <>
                  {explanation} <code class="faint">{counter}</code>
                </>
              ),
            },
            { title: text.value.count, isNumber: true, cell: ({ value }) => formatNumber(value) },
          ]}
        />
      )}
    </Card>
  );
}
