import type { Nat64ClientsAnswer, Nat64PoolAnswer } from '../../../../src/services/nat64/contract.ts';
import type { CountersAnswer } from '../../core/contract.ts';
import { formatNumber } from '../../core/format.ts';
import { text } from '../../core/locale.ts';
import { useResource } from '../../core/resource.ts';
import { Address, Card, Empty } from '../../ui/basics.tsx';
import { Meter, Table } from '../../ui/table.tsx';
import { HistoryCharts } from '../history.tsx';
import { ServiceCounters, ServiceState } from '../service-parts.tsx';

const REFRESH_MS = 5000;
const PROTOCOLS = ['tcp', 'udp', 'icmp'] as const;

export function Overview() {
  const pool = useResource<Nat64PoolAnswer>('nat64/pool', { everyMs: REFRESH_MS });
  return (
    <>
      <ServiceState
        name="nat64"
        figures={{
          sessions: text('Sessions'),
          bibEntries: text('Mappings (BIB)'),
          pool4Address: text('IPv4 address (pool4)'),
          fastPath: text('Fast path in the kernel'),
        }}
      />
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
        title={text('The last day')}
        names={['nat64UpBytesPerSecond', 'nat64Sessions', 'nat64DropsPerSecond']}
        hours={24}
      />
      <ServiceCounters name="nat64" />
    </>
  );
}

function Pools({ answer: { pools, sessions, maxSessions } }: { answer: Nat64PoolAnswer }) {
  const total = text('{used} of {max} sessions', {
    used: formatNumber(sessions),
    max: formatNumber(maxSessions),
  });
  return (
    <Card title={text('Ports of pool4')}>
      <p class="row">
        <Meter value={sessions} max={maxSessions} label={total} /> {total}
      </p>
      {pools.length === 0 ? (
        <Empty title={text('No IPv4 address to translate to')}>
          <p>{text('Connect the IPv4 network, or set nat64.pool4[0].address.')}</p>
        </Empty>
      ) : (
        <Table
          caption={text('Ports of pool4')}
          rows={pools}
          keyOf={({ address, firstPort }) => `${address}#${firstPort}`}
          columns={[
            {
              title: text('Pool'),
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
              title: protocol.toUpperCase(),
              cell: ({ used, size }: Nat64PoolAnswer['pools'][number]) => (
                <>
                  <Meter
                    value={used[protocol]}
                    max={size}
                    label={text('{protocol}: {used} of {size} ports', {
                      protocol: protocol.toUpperCase(),
                      used: formatNumber(used[protocol]),
                      size: formatNumber(size),
                    })}
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
  const { data } = useResource<Nat64ClientsAnswer>('nat64/clients', { everyMs: REFRESH_MS });
  if (data.value === undefined) return null;
  const { rows, clients, isComplete } = data.value;
  return (
    <Card title={text('Clients with the most sessions')}>
      {rows.length === 0 ? (
        <Empty title={text('No clients yet')}>
          <p>{text('None of the networks in nat64.allow has sent anything to the NAT64 prefix.')}</p>
        </Empty>
      ) : (
        <>
          <Table
            caption={text('Clients with the most sessions')}
            rows={rows}
            keyOf={({ client }) => client}
            columns={[
              {
                title: text('Client'),
                cell: ({ client }) => (
                  <a href={`/nat64?view=sessions&client=${encodeURIComponent(client)}`}>
                    <code>{client}</code>
                  </a>
                ),
              },
              { title: text('Sessions'), isNumber: true, cell: ({ sessions }) => formatNumber(sessions) },
              { title: text('Ports'), isNumber: true, cell: ({ mappings }) => formatNumber(mappings) },
            ]}
          />
          <p class="faint">
            {text(isComplete ? '{count} clients in all' : 'more than {count} clients in all', {
              count: formatNumber(clients),
            })}
          </p>
        </>
      )}
    </Card>
  );
}

function Drops() {
  const { data } = useResource<CountersAnswer>('counters', { everyMs: REFRESH_MS });
  const counters = data.value?.services.find(({ name }) => name === 'nat64')?.counters ?? [];
  const drops = counters
    .filter(({ name, value }) => name.startsWith('drop-') && value > 0)
    .sort((a, b) => b.value - a.value);
  return (
    <Card title={text('Why packets were dropped')}>
      {drops.length === 0 ? (
        <Empty title={text('No packet was dropped since the start')} />
      ) : (
        <Table
          caption={text('Why packets were dropped')}
          rows={drops}
          keyOf={({ name }) => name}
          columns={[
            {
              title: text('Reason'),
              cell: ({ explanation, name }) => (
                <>
                  {explanation} <code class="faint">{name}</code>
                </>
              ),
            },
            { title: text('Packets'), isNumber: true, cell: ({ value }) => formatNumber(value) },
          ]}
        />
      )}
    </Card>
  );
}
