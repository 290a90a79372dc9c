/** Sessions or BIB entries. The filters are in the address; each further page is added below. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, query } from '../../core/api.ts';
import type { Nat64BibAnswer, Nat64SessionsAnswer } from '../../../../src/services/nat64/contract.ts';
import { formatDuration, formatNumber } from '../../core/format.ts';
import { text } from '../../core/locale.ts';
import { parameter, setParameters } from '../../core/router.ts';
import { usePages } from '../../core/resource.ts';
import { Button, Card, Empty, More } from '../../ui/basics.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Form, SelectField, TextField } from '../../ui/field.tsx';
import { ErrorBox, problemOf } from '../../ui/problems.tsx';

const PAGE_ROWS = 50;
type Session = Nat64SessionsAnswer['rows'][number];
type BibEntry = Nat64BibAnswer['rows'][number];
type Row = Session & BibEntry;

const FILTERS = ['protocol', 'client', 'remote', 'poolPort'] as const;

export function Rows({ list }: { list: 'sessions' | 'bib' }) {
  const applied = Object.fromEntries(FILTERS.map((name) => [name, parameter(name)])) as Record<
    (typeof FILTERS)[number],
    string
  >;
  const form = useSignal(applied);
  const key = query(applied);
  const pages = usePages<Row>((cursor) => {
    const remote = list === 'sessions' ? applied.remote : undefined;
    return api.get(`nat64/${list}${query({ ...applied, remote, cursor, limit: PAGE_ROWS })}`);
  });
  const { rows, isBusy, error } = pages;
  useEffect(() => void pages.reload(), [key]);
  const set = (name: (typeof FILTERS)[number]) => (value: string) =>
    (form.value = { ...form.value, [name]: value });
  const field = (name: (typeof FILTERS)[number]) => ({
    value: form.value[name],
    onInput: set(name),
    problem: problemOf(error.value)(name),
  });
  const mapping: readonly Column<Row>[] = [
    { title: text('Protocol'), cell: ({ protocol }) => protocol.toUpperCase() },
    {
      title: text('Client'),
      cell: ({ client, clientPort }) => (
        <code>
          {client}#{clientPort}
        </code>
      ),
    },
    {
      title: text('Mapped to'),
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
            title: text('Remote address'),
            cell: ({ remote, remotePort }) => (
              <code>
                {remote}#{remotePort}
              </code>
            ),
          },
          { title: text('State'), cell: ({ state }) => state ?? '–' },
          {
            title: text('Ends in'),
            isNumber: true,
            cell: ({ endsInSeconds }) => formatDuration(endsInSeconds),
          },
        ]
      : [
          ...mapping,
          { title: text('Kind'), cell: ({ isStatic }) => (isStatic ? text('static') : text('dynamic')) },
          { title: text('Sessions'), isNumber: true, cell: ({ sessions }) => formatNumber(sessions) },
        ];
  return (
    <Card>
      <Form
        class="form inline"
        onSend={() => {
          setParameters(form.value);
          if (query(form.value) === key) void pages.reload();
        }}
      >
        <SelectField
          label={text('Protocol')}
          value={form.value.protocol}
          onChange={set('protocol')}
          options={[
            ['', text('all')],
            ['tcp', 'TCP'],
            ['udp', 'UDP'],
            ['icmp', 'ICMP'],
          ]}
        />
        <TextField label={text('Client')} isCode placeholder="2001:db8:1::/64" {...field('client')} />
        {list === 'sessions' && (
          <TextField label={text('Remote address')} isCode placeholder="203.0.113.9" {...field('remote')} />
        )}
        <TextField label={text('Port of pool4')} isCode inputMode="numeric" size={7} {...field('poolPort')} />
        <Button type="submit" isBusy={isBusy.value}>
          {text('Show')}
        </Button>
      </Form>
      <ErrorBox error={error.value} fields={FILTERS} />
      {rows.value?.length === 0 && (
        <Empty title={text('Nothing matches')}>
          <p>{text('A session appears as soon as a server sends something to the NAT64 prefix.')}</p>
        </Empty>
      )}
      {rows.value !== undefined && rows.value.length > 0 && (
        <>
          <Table
            caption={list === 'sessions' ? text('Sessions') : text('Mappings (BIB)')}
            rows={rows.value}
            columns={columns}
            keyOf={(row) =>
              `${row.protocol} ${row.poolAddress} ${row.poolPort} ${row.client} ${row.remote} ${row.remotePort}`
            }
          />
          <div class="row">
            <More of={pages} />
            <span class="faint" role="status">
              {text('{count} shown', { count: formatNumber(rows.value.length) })}
            </span>
          </div>
        </>
      )}
    </Card>
  );
}
