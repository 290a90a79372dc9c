/** Who holds how much of a TCP service's connections, who was refused at a limit, and the limits that are configured. */
import { config, draftCheck, edit, edited } from '../core/config.ts';
import type { Config, TcpSharesAnswer } from '../core/contract.ts';
import { formatNumber, formatPercent } from '../core/format.ts';
import { text } from '../core/locale.ts';
import { useResource } from '../core/resource.ts';
import { Ago, Card, Empty } from '../ui/basics.tsx';
import { TextField } from '../ui/field.tsx';
import { Meter, Table } from '../ui/table.tsx';

const REFRESH_MS = 5000;

/** The services that have limits. */
type ServiceName = {
  [Name in keyof Config]: Config[Name] extends { limits: object } ? Name : never;
}[keyof Config];
type Limits = Config[ServiceName]['limits'];

export function Shares({ name }: { name: ServiceName }) {
  const { data } = useResource<TcpSharesAnswer>(`${name}/shares`, { everyMs: REFRESH_MS });
  if (data.value === undefined) return null;
  const { maxConnections, clients, refused } = data.value;
  return (
    <Card title={text('Who has most')}>
      {clients.length === 0 ? (
        <Empty title={text('Nobody is connected.')} />
      ) : (
        <Table
          caption={text('The clients with most connections')}
          rows={clients}
          keyOf={({ client }) => client}
          columns={[
            { title: text('Client'), cell: ({ client }) => <code>{client}</code> },
            {
              title: text('Connections'),
              isNumber: true,
              cell: ({ connections }) => formatNumber(connections),
            },
            {
              title: text('without a server yet'),
              isNumber: true,
              cell: ({ openings }) => formatNumber(openings),
            },
            {
              title: text('Of all that may be open'),
              cell: ({ connections }) => (
                <Meter
                  value={connections}
                  max={maxConnections}
                  label={formatPercent((100 * connections) / maxConnections, 1)}
                />
              ),
            },
          ]}
        />
      )}
      {refused.length > 0 && (
        <Table
          caption={text('Clients that were refused at a limit, or lost connections to it')}
          rows={refused}
          keyOf={({ client }) => client}
          columns={[
            { title: text('Client'), cell: ({ client }) => <code>{client}</code> },
            { title: text('How often'), isNumber: true, cell: ({ count }) => formatNumber(count) },
            {
              title: text('Why, the last time'),
              cell: ({ counter, explanation }) => (
                <>
                  {explanation} <code class="faint">{counter}</code>
                </>
              ),
            },
            { title: text('When'), cell: ({ lastMs }) => <Ago at={new Date(lastMs).toISOString()} /> },
          ]}
        />
      )}
    </Card>
  );
}

/** `proxy.limits` and `forward.limits`. */
export function LimitFields({ name }: { name: ServiceName }) {
  const effective = config.value?.effective;
  if (effective === undefined) return null;
  const limits = ((edited.value[name] ?? {}) as { limits?: Partial<Limits> }).limits ?? {};
  const field = (key: keyof Limits, label: string, hint: string, unit = 1) => {
    const value = limits[key];
    const shown = typeof value === 'number' ? String(value / unit) : String(value ?? '');
    const problem = draftCheck.value?.problems.find(({ path }) => path === `/${name}/limits/${key}`);
    return (
      <TextField
        label={label}
        hint={hint}
        isOptional
        problem={
          problem === undefined || unit === 1
            ? problem?.message
            : // The appliance's message speaks of milliseconds, which nobody has typed here.
              text('"{value}" is not a whole number of seconds from 1 to 86400', { value: shown })
        }
        inputMode="numeric"
        value={shown}
        onInput={(next) => setLimit(name, key, next, unit)}
      />
    );
  };
  return (
    <Card title={text('Limits')}>
      <p>
        {text(
          'Left empty, a limit is not needed: what is there is shared, and at the end of it those with most lose first.',
        )}
      </p>
      {field(
        'connectionsPerClient',
        text('Connections of one client'),
        text('A client is an IPv4 address, or the /64 of IPv6 addresses: a whole household.'),
      )}
      {field(
        'newConnectionsPerSecondPerClient',
        text('New connections of one client in a second'),
        text('Left empty, only a client that keeps others waiting is refused.'),
      )}
      {field(
        'connectionsPerServer',
        text('Connections to one server'),
        text('Left empty, some are always left for the other servers.'),
      )}
      {field('connections', text('Connections in all'), text('Left empty, as many as there is room for.'))}
      {field(
        'halfClosedTimeoutMs',
        text('Seconds until a half-closed connection ends'),
        text('One side has ended, and the other one sends nothing. Left empty: 600.'),
        1000,
      )}
    </Card>
  );
}

/** What is not a number stays as it was typed: the check of the configuration says what is wrong with it. */
function setLimit(name: ServiceName, key: keyof Limits, typed: string, unit: number): void {
  edit((document) => {
    const { limits: before, ...service } = (document[name] ?? {}) as { limits?: Record<string, unknown> };
    const { [key]: _before, ...limits } = before ?? {};
    const trimmed = typed.trim();
    if (trimmed !== '') limits[key] = /^[0-9]+$/.test(trimmed) ? Number(trimmed) * unit : trimmed;
    document[name] = Object.keys(limits).length === 0 ? service : { ...service, limits };
  });
}
