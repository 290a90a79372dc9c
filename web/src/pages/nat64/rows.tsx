/** Sessions or BIB entries: filters are in the address, pages follow each other. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiProblem, api, messageOf, query } from '../../core/api.ts';
import type { Nat64BibAnswer, Nat64SessionsAnswer } from '../../core/contract.ts';
import { formatDuration, formatNumber } from '../../core/format.ts';
import { parameter, setParameters } from '../../core/router.ts';
import { useAction } from '../../core/resource.ts';
import { Button, Card, Empty } from '../../ui/basics.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { text } from './text.ts';

const PAGE_ROWS = 50;
type Session = Nat64SessionsAnswer['rows'][number];
type BibEntry = Nat64BibAnswer['rows'][number];
type Row = Session & BibEntry;

const FILTERS = ['protocol', 'client', 'remote', 'poolPort'] as const;

export function Rows({ list }: { list: 'sessions' | 'bib' }) {
  const words = text.value;
  const applied = Object.fromEntries(FILTERS.map((name) => [name, parameter(name)])) as Record<
    (typeof FILTERS)[number],
    string
  >;
  const form = useSignal(applied);
  const rows = useSignal<readonly Row[] | undefined>(undefined);
  const nextCursor = useSignal<number | null>(null);
  const key = query(applied);
  const { run, isBusy, error } = useAction(async (cursor: number | undefined) => {
    const remote = list === 'sessions' ? applied.remote : undefined;
    const answer = await api.get<{ rows: Row[]; nextCursor: number | null }>(
      `nat64/${list}${query({ ...applied, remote, cursor, limit: PAGE_ROWS })}`,
    );
    rows.value = cursor === undefined ? answer.rows : [...(rows.value ?? []), ...answer.rows];
    nextCursor.value = answer.nextCursor;
  });
  useEffect(() => void run(undefined), [key]);
  const set = (name: (typeof FILTERS)[number]) => (value: string) =>
    (form.value = { ...form.value, [name]: value });
  const problems = error.value instanceof ApiProblem ? error.value.problems : [];
  const problem = (name: string) => problems.find(({ path }) => path === `/${name}`)?.message;
  const mapping: readonly Column<Row>[] = [
    { title: words.protocol, cell: ({ protocol }) => words.protocols[protocol] },
    {
      title: words.client,
      cell: ({ client, clientPort }) => (
        <code>
          {client}#{clientPort}
        </code>
      ),
    },
    {
      title: words.mapping,
      cell: ({ poolAddress, poolPort }) => (
        <code>
          {poolAddress}#{poolPort}
        </code>
      ),
    },
  ];
  const columns: readonly Column<Row>[] =
    list === 'sessions'
      ? [
          ...mapping,
          {
            title: words.remote,
            cell: ({ remote, remotePort }) => (
              <code>
                {remote}#{remotePort}
              </code>
            ),
          },
          { title: words.state, cell: ({ state }) => state ?? '–' },
          { title: words.ends, isNumber: true, cell: ({ endsInSeconds }) => formatDuration(endsInSeconds) },
        ]
      : [
          ...mapping,
          { title: words.kind, cell: ({ isStatic }) => (isStatic ? words.static : words.dynamic) },
          { title: words.sessionsColumn, isNumber: true, cell: ({ sessions }) => formatNumber(sessions) },
        ];
  return (
    <Card>
      <form
        class="form inline"
        onSubmit={(event) => {
          event.preventDefault();
          setParameters(form.value);
          if (query(form.value) === key) void run(undefined);
        }}
      >
        <SelectField
          label={words.protocol}
          value={form.value.protocol}
          onChange={set('protocol')}
          options={[
            ['', words.all],
            ['tcp', 'TCP'],
            ['udp', 'UDP'],
            ['icmp', 'ICMP'],
          ]}
        />
        <TextField
          label={words.client}
          isCode
          placeholder="2001:db8:1::/64"
          value={form.value.client}
          onInput={set('client')}
          problem={problem('client')}
        />
        {list === 'sessions' && (
          <TextField
            label={words.remote}
            isCode
            placeholder="203.0.113.9"
            value={form.value.remote}
            onInput={set('remote')}
            problem={problem('remote')}
          />
        )}
        <TextField
          label={words.poolPort}
          isCode
          inputMode="numeric"
          size={7}
          value={form.value.poolPort}
          onInput={set('poolPort')}
          problem={problem('poolPort')}
        />
        <Button type="submit" isBusy={isBusy.value}>
          {words.filter}
        </Button>
      </form>
      {error.value !== undefined && problems.length === 0 && (
        <p class="problem" role="alert">
          {messageOf(error.value)}
        </p>
      )}
      {rows.value?.length === 0 && (
        <Empty title={words.none}>
          <p>{words.noneHelp}</p>
        </Empty>
      )}
      {rows.value !== undefined && rows.value.length > 0 && (
        <>
          <Table
            caption={words[list]}
            rows={rows.value}
            columns={columns}
            keyOf={(row) =>
              `${row.protocol} ${row.poolAddress} ${row.poolPort} ${row.client} ${row.remote} ${row.remotePort}`
            }
          />
          <div class="row">
            {nextCursor.value !== null && (
              <Button isBusy={isBusy.value} onClick={() => void run(nextCursor.value ?? undefined)}>
                {words.moreRows}
              </Button>
            )}
            <span class="faint" role="status">
              {words.shown(formatNumber(rows.value.length))}
            </span>
          </div>
        </>
      )}
    </Card>
  );
}
