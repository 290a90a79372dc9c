/** What the health checks of a server find: they decide where its clients are led. */
import type { HostAnswer } from '../../core/contract.ts';
import { formatMs } from '../../core/format.ts';
import { text, textOf } from '../../core/locale.ts';
import { Ago, Card, State } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { CHECK_NAMES } from './health-fields.tsx';

type AddressHealth = HostAnswer['healthChecks'][number];

export function HealthChecks({ answer: { healthChecks } }: { answer: HostAnswer }) {
  if (healthChecks.length === 0) return null;
  const isServed = ({ service, state }: AddressHealth) =>
    state !== 'fail' || healthChecks.some((other) => other.service === service && other.state !== 'fail');
  return (
    <Card title={text('Health checks')}>
      <p class="faint">
        {healthChecks.every(isServed)
          ? text('Clients are not led to an address that fails.')
          : text('No address passes: clients are led there nevertheless, because a check may be wrong.')}
      </p>
      <Table<AddressHealth>
        caption={text('Health checks')}
        rows={healthChecks}
        keyOf={({ service, address }) => `${service} ${address}`}
        columns={[
          {
            title: text('Address'),
            cell: ({ service, address, port }) => (
              <>
                <code>{address}</code>{' '}
                <span class="faint">
                  {service}, {text('port {port}', { port })}
                </span>
              </>
            ),
          },
          {
            title: text('State'),
            cell: ({ state, since }) => (
              <>
                <State state={state} />{' '}
                {since !== null && (
                  <span class="faint">
                    <Ago at={since} />
                  </span>
                )}
              </>
            ),
          },
          {
            title: text('Latency'),
            isNumber: true,
            cell: ({ latencyMs }) => (latencyMs === null ? '–' : formatMs(latencyMs)),
          },
          {
            title: text('Found'),
            cell: ({ check, hostname, detail, falls }) => (
              <>
                {textOf(CHECK_NAMES, check)} {hostname !== null && <code>{hostname}</code>} {detail}
                {falls > 0 && (
                  <div class="faint">
                    {falls === 1 ? text('1 failure so far') : text('{falls} failures so far', { falls })}
                  </div>
                )}
              </>
            ),
          },
          { title: text('Checked'), cell: ({ checkedAt }) => <Ago at={checkedAt} /> },
        ]}
      />
    </Card>
  );
}
