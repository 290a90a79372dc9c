import { config, edit, edited } from '../../core/config.ts';
import type { Dns64Config } from '../../core/contract.ts';
import { formatNumber, formatPercent, formatRate } from '../../core/format.ts';
import { counterOf, rates } from '../../core/live.ts';
import { dictionary } from '../../core/locale.ts';
import { Address, Card, LinkButton, PageHead } from '../../ui/basics.tsx';
import { SelectField } from '../../ui/field.tsx';
import { Facts } from '../../ui/table.tsx';
import { HistoryCharts } from '../history.tsx';
import { ServiceCounters, ServiceState } from '../service-parts.tsx';

const text = dictionary(
  {
    title: 'DNS64',
    figures: {
      cacheEntries: 'Answers in the cache',
      hitPercent: 'From the cache, %',
      inFlight: 'Queries under way',
      tcpConnections: 'TCP connections of clients',
    },
    lead: 'The resolver of the servers. For names that have only an IPv4 address it makes an IPv6 address inside the NAT64 prefix.',
    off: 'It is switched off (dns64.enabled).',
    rate: 'Queries',
    hits: 'From the cache',
    synthesised: 'AAAA made from A',
    failed: 'Unanswered by upstreams',
    settings: 'How it is set',
    prefixes: 'NAT64 prefixes',
    upstreams: 'Asks',
    allow: 'May ask',
    port: 'Listens on',
    timeline: 'Its queries, live',
    edit: 'Edit as JSON',
    charts: 'The last day',
    log: 'Queries in the timeline',
    logHint:
      'The last 1000 are kept in memory, never on disk. With less, what was recorded before is forgotten. It takes effect when you apply the change.',
    logs: { full: 'who asked for what', names: 'names, not who asked', off: 'none' },
  },
  {
    title: 'DNS64',
    figures: {
      cacheEntries: 'Antworten im Cache',
      hitPercent: 'Aus dem Cache, %',
      inFlight: 'Anfragen unterwegs',
      tcpConnections: 'TCP-Verbindungen von Clients',
    },
    lead: 'Der Resolver der Server. Für Namen, die nur eine IPv4-Adresse haben, macht er eine IPv6-Adresse im NAT64-Präfix.',
    off: 'Er ist ausgeschaltet (dns64.enabled).',
    rate: 'Anfragen',
    hits: 'Aus dem Cache',
    synthesised: 'AAAA aus A gemacht',
    failed: 'Von Upstreams unbeantwortet',
    settings: 'Wie er eingestellt ist',
    prefixes: 'NAT64-Präfixe',
    upstreams: 'Fragt',
    allow: 'Dürfen fragen',
    port: 'Lauscht auf',
    timeline: 'Seine Anfragen, live',
    edit: 'Als JSON bearbeiten',
    charts: 'Der letzte Tag',
    log: 'Anfragen in der Zeitleiste',
    logHint:
      'Die letzten 1000 bleiben im Arbeitsspeicher, nie auf der Karte. Mit weniger wird vergessen, was zuvor aufgezeichnet war. Es wirkt, wenn Sie die Änderung anwenden.',
    logs: { full: 'wer wonach fragte', names: 'Namen, nicht wer fragte', off: 'keine' },
  },
);

export default function Dns64Page() {
  const words = text.value;
  const settings = config.value?.effective.dns64;
  const count = (name: string) => counterOf('dns64', name);
  const total = count('hits') + count('misses');
  return (
    <>
      <PageHead
        title={words.title}
        lead={settings?.enabled === false ? words.off : words.lead}
        actions={
          <LinkButton href="/live?kind=dns" icon="live">
            {words.timeline}
          </LinkButton>
        }
      />
      <dl class="tiles">
        <div>
          <dt>{words.rate}</dt>
          <dd>{formatRate(rates.value('dns64', 'queries-udp') + rates.value('dns64', 'queries-tcp'))}</dd>
        </div>
        <div>
          <dt>{words.hits}</dt>
          <dd>{total === 0 ? '–' : formatPercent((count('hits') / total) * 100, 1)}</dd>
        </div>
        <div>
          <dt>{words.synthesised}</dt>
          <dd>{formatNumber(count('synthesised'))}</dd>
        </div>
        <div>
          <dt>{words.failed}</dt>
          <dd>{formatNumber(count('upstream-timeouts'))}</dd>
        </div>
      </dl>
      <div class="columns">
        <ServiceState name="dns64" figures={words.figures} />
        {settings !== undefined && (
          <Card title={words.settings} actions={<a href="/configuration?view=json">{words.edit}</a>}>
            <Facts
              rows={[
                [
                  words.prefixes,
                  settings.prefixes.map((prefix) => (
                    <div key={prefix}>
                      <Address value={prefix} />
                    </div>
                  )),
                ],
                [
                  words.upstreams,
                  settings.upstreams.map((upstream) => (
                    <div key={upstream}>
                      <code>{upstream}</code>
                    </div>
                  )),
                ],
                [
                  words.allow,
                  settings.allow.map((entry) => (
                    <div key={entry}>
                      <code>{entry}</code>
                    </div>
                  )),
                ],
                [
                  words.port,
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
      <HistoryCharts title={words.charts} names={['dnsQueriesPerSecond']} hours={24} />
      <ServiceCounters name="dns64" />
    </>
  );
}

type Level = Dns64Config['queryLog'];
const LEVELS: readonly Level[] = ['full', 'names', 'off'];

/** `applied`: what is in force; what is chosen goes into the draft. */
function QueryLog({ applied }: { applied: Level }) {
  const words = text.value;
  const { dns64 } = edited.value as { dns64?: { queryLog?: Level } };
  return (
    <SelectField<Level>
      label={words.log}
      hint={words.logHint}
      value={dns64?.queryLog ?? applied}
      options={LEVELS.map((level) => [level, words.logs[level]])}
      onChange={(queryLog) => edit((document) => (document['dns64'] = { ...dns64, queryLog }))}
    />
  );
}
