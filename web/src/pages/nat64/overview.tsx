import type { Nat64ClientsAnswer, Nat64PoolAnswer } from '../../../../src/services/nat64/contract.ts';
import type { CountersAnswer } from '../../core/contract.ts';
import { formatNumber } from '../../core/format.ts';
import { useResource } from '../../core/resource.ts';
import { Address, Card, Empty } from '../../ui/basics.tsx';
import { Meter, Table } from '../../ui/table.tsx';
import { HistoryCharts } from '../history.tsx';
import { ServiceCounters, ServiceState } from '../service-parts.tsx';
import { text } from './text.ts';

const REFRESH_MS = 5000;
const PROTOCOLS = ['tcp', 'udp', 'icmp'] as const;

export function Overview() {
  const words = text.value;
  const pool = useResource<Nat64PoolAnswer>('nat64/pool', { everyMs: REFRESH_MS });
  return (
    <>
      <ServiceState name="nat64" figures={words.figures} />
      {pool.problem.value !== undefined && (
        <p class="note" role="status">
          {pool.problem.value}
        </p>
      )}
      {pool.data.value !== undefined && <Pools answer={pool.data.value} />}
      <div class="columns">
        <Clients />
        <Drops />
      </div>
      <HistoryCharts
        title={words.charts}
        names={['nat64UpBytesPerSecond', 'nat64Sessions', 'nat64DropsPerSecond']}
        hours={24}
      />
      <ServiceCounters name="nat64" />
    </>
  );
}

function Pools({ answer: { pools, sessions, maxSessions } }: { answer: Nat64PoolAnswer }) {
  const words = text.value;
  const total = words.sessionsOf(formatNumber(sessions), formatNumber(maxSessions));
  return (
    <Card title={words.pool}>
      <p class="row">
        <Meter value={sessions} max={maxSessions} label={total} /> {total}
      </p>
      {pools.length === 0 ? (
        <Empty title={words.poolNone}>
          <p>{words.poolNoneHelp}</p>
        </Empty>
      ) : (
        <Table
          caption={words.pool}
          rows={pools}
          keyOf={({ address, firstPort }) => `${address}#${firstPort}`}
          columns={[
            {
              title: words.poolColumn,
              cell: ({ address, firstPort, lastPort }) => (
                <>
                  <Address value={address} />{' '}
                  <span class="faint">
                    {firstPort}–{lastPort}
                  </span>
                </>
              ),
            },
            ...PROTOCOLS.map((protocol) => ({
              title: words.protocols[protocol],
              cell: ({ used, size }: Nat64PoolAnswer['pools'][number]) => (
                <>
                  <Meter
                    value={used[protocol]}
                    max={size}
                    label={words.ports(
                      words.protocols[protocol],
                      formatNumber(used[protocol]),
                      formatNumber(size),
                    )}
                  />
                  <div class="faint">
                    {formatNumber(used[protocol])} / {formatNumber(size)}
                  </div>
                </>
              ),
            })),
          ]}
        />
      )}
    </Card>
  );
}

function Clients() {
  const words = text.value;
  const { data } = useResource<Nat64ClientsAnswer>('nat64/clients', { everyMs: REFRESH_MS });
  if (data.value === undefined) return null;
  const { rows, clients, isComplete } = data.value;
  return (
    <Card title={words.clients}>
      {rows.length === 0 ? (
        <Empty title={words.clientsNone}>
          <p>{words.clientsNoneHelp}</p>
        </Empty>
      ) : (
        <>
          <Table
            caption={words.clients}
            rows={rows}
            keyOf={({ client }) => client}
            columns={[
              {
                title: words.client,
                cell: ({ client }) => (
                  <a href={`/nat64?view=sessions&client=${encodeURIComponent(client)}`}>
                    <code>{client}</code>
                  </a>
                ),
              },
              { title: words.sessionsColumn, isNumber: true, cell: ({ sessions }) => formatNumber(sessions) },
              { title: words.mappingsColumn, isNumber: true, cell: ({ mappings }) => formatNumber(mappings) },
            ]}
          />
          <p class="faint">{words.clientsTotal(formatNumber(clients), isComplete)}</p>
        </>
      )}
    </Card>
  );
}

function Drops() {
  const words = text.value;
  const { data } = useResource<CountersAnswer>('counters', { everyMs: REFRESH_MS });
  const counters = data.value?.services.find(({ name }) => name === 'nat64')?.counters ?? [];
  const drops = counters
    .filter(({ name, value }) => name.startsWith('drop-') && value > 0)
    .sort((a, b) => b.value - a.value);
  return (
    <Card title={words.drops}>
      {drops.length === 0 ? (
        <Empty title={words.dropsNone} />
      ) : (
        <Table
          caption={words.drops}
          rows={drops}
          keyOf={({ name }) => name}
          columns={[
            {
              title: words.reason,
              cell: ({ explanation, name }) => (
                <>
                  {explanation} <code class="faint">{name}</code>
                </>
              ),
            },
            { title: words.packets, isNumber: true, cell: ({ value }) => formatNumber(value) },
          ]}
        />
      )}
    </Card>
  );
}
