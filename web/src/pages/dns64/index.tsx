import { config, edit, edited } from '../../core/config.ts';
import type { Dns64Config } from '../../core/contract.ts';
import { formatNumber, formatPercent, formatRate } from '../../core/format.ts';
import { counterOf, rates } from '../../core/live.ts';
import { say, text } from '../../core/locale.ts';
import { Address, Card, LinkButton, PageHead } from '../../ui/basics.tsx';
import { SelectField } from '../../ui/field.tsx';
import { Facts } from '../../ui/table.tsx';
import { HistoryCharts } from '../history.tsx';
import { ServiceCounters, ServiceState } from '../service-parts.tsx';

const LOGS = {
  full: say('who asked for what'),
  names: say('names, not who asked'),
  off: say('none'),
};

export default function Dns64Page() {
  const settings = config.value?.effective.dns64;
  const count = (name: string) => counterOf('dns64', name);
  const total = count('hits') + count('misses');
  return (
    <>
      <PageHead
        title={text('DNS64')}
        lead={
          settings?.enabled === false
            ? text('It is switched off (dns64.enabled).')
            : text(
                'The resolver of the servers. For names that have only an IPv4 address it makes an IPv6 address inside the NAT64 prefix.',
              )
        }
        actions={
          <LinkButton href="/live?kind=dns" icon="live">
            {text('Its queries, live')}
          </LinkButton>
        }
      />
      <dl class="tiles">
        <div>
          <dt>{text('Queries')}</dt>
          <dd>{formatRate(rates.value('dns64', 'queries-udp') + rates.value('dns64', 'queries-tcp'))}</dd>
        </div>
        <div>
          <dt>{text('From the cache')}</dt>
          <dd>{total === 0 ? '–' : formatPercent((count('hits') / total) * 100, 1)}</dd>
        </div>
        <div>
          <dt>{text('AAAA made from A')}</dt>
          <dd>{formatNumber(count('synthesised'))}</dd>
        </div>
        <div>
          <dt>{text('Unanswered by upstreams')}</dt>
          <dd>{formatNumber(count('upstream-timeouts'))}</dd>
        </div>
      </dl>
      <div class="columns">
        <ServiceState
          name="dns64"
          figures={{
            cacheEntries: text('Answers in the cache'),
            hitPercent: text('From the cache, %'),
            inFlight: text('Queries in progress'),
            tcpConnections: text('TCP connections of clients'),
          }}
        />
        {settings !== undefined && (
          <Card
            title={text('Settings')}
            actions={<a href="/configuration?view=json">{text('Edit as JSON')}</a>}
          >
            <Facts
              rows={[
                [
                  text('NAT64 prefixes'),
                  settings.prefixes.map((prefix) => (
                    <div key={prefix}>
                      <Address value={prefix} />
                    </div>
                  )),
                ],
                [
                  text('Asks'),
                  settings.upstreams.map((upstream) => (
                    <div key={upstream}>
                      <code>{upstream}</code>
                    </div>
                  )),
                ],
                [
                  text('Allowed clients'),
                  settings.allow.map((entry) => (
                    <div key={entry}>
                      <code>{entry}</code>
                    </div>
                  )),
                ],
                [
                  text('Listens on'),
                  settings.listen.map((address) => (
                    <div key={address}>
                      <code>
                        {address}#{settings.port}
                      </code>
                    </div>
                  )),
                ],
              ]}
            />
            <QueryLog applied={settings.queryLog} />
          </Card>
        )}
      </div>
      <HistoryCharts title={text('The last day')} names={['dnsQueriesPerSecond']} hours={24} />
      <ServiceCounters name="dns64" />
    </>
  );
}

type Level = Dns64Config['queryLog'];
const LEVELS: readonly Level[] = ['full', 'names', 'off'];

/** `applied`: the active value; a choice goes into the draft. */
function QueryLog({ applied }: { applied: Level }) {
  const { dns64 } = edited.value as { dns64?: { queryLog?: Level } };
  return (
    <SelectField<Level>
      label={text('Queries in the timeline')}
      hint={text(
        'The last 1000 queries are kept in memory, never on disk. If you choose less, earlier records are deleted. The choice takes effect when you apply the change.',
      )}
      value={dns64?.queryLog ?? applied}
      options={LEVELS.map((level) => [level, text(LOGS[level])])}
      onChange={(queryLog) => edit((document) => (document['dns64'] = { ...dns64, queryLog }))}
    />
  );
}
