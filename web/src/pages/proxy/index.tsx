import { useSignal } from '@preact/signals';
import { config, draftCheck, edit, edited } from '../../core/config.ts';
import { formatNumber } from '../../core/format.ts';
import { counterOf, counters, hostKey } from '../../core/live.ts';
import { say, text, textOf } from '../../core/locale.ts';
import { Card, Empty, LinkButton, PageHead } from '../../ui/basics.tsx';
import { SelectField, TextArea } from '../../ui/field.tsx';
import { Facts, Table } from '../../ui/table.tsx';
import { ACCESS_LOG } from '../servers/access-log.ts';
import {
  accessLogOf,
  allowedPrefixesOf,
  defaultHostOf,
  hostsOf,
  listenersOf,
  splitNames,
  withAccessLog,
  withAllowedPrefixes,
  withDefaultHost,
} from '../servers/model.ts';
import { LEARNED_SERVER } from '../live/line.ts';
import { RateNow } from '../servers/traffic.tsx';
import { LimitFields, Shares } from '../limits.tsx';
import { ServiceCounters, ServiceState } from '../service-parts.tsx';
import { Workers } from './workers.tsx';
import { TrustedProxies } from './trusted-proxies.tsx';

const PICKS_BY = {
  http: say('the Host header'),
  tls: say('the server name in the ClientHello (SNI)'),
};

export default function ProxyPage() {
  const effective = config.value?.effective;
  return (
    <>
      <PageHead
        title={text('Proxy')}
        lead={text(
          'Routes HTTP by Host and TLS by server name to the right server. TLS is not decrypted: no certificate is on this appliance.',
        )}
        actions={
          <LinkButton href="/live?kind=connection" icon="live">
            {text('Its connections, live')}
          </LinkButton>
        }
      />
      {effective !== undefined && (
        <Card title={text('Listeners')}>
          {effective.hosts.length === 0 && (
            <Empty title={text('There is no server yet')}>
              <p>{text('A listener opens as soon as a server uses it.')}</p>
              <LinkButton href="/add-server" kind="primary" icon="plus">
                {text('Add a server')}
              </LinkButton>
            </Empty>
          )}
          <Table
            caption={text('Listeners')}
            rows={effective.proxy.listeners}
            keyOf={({ name }) => name}
            columns={[
              { title: text('Listener'), cell: ({ name }) => <strong>{name}</strong> },
              { title: text('Port'), cell: ({ port }) => <code>{port}</code> },
              {
                title: text('Picks the server by'),
                cell: ({ protocol }) => textOf(PICKS_BY, protocol),
              },
              {
                title: text('Servers'),
                cell: ({ name }) => {
                  const users = effective.hosts.filter(
                    (host) => host.enabled && listenersOf(host).includes(name),
                  );
                  return users.length === 0 ? (
                    <span class="faint">
                      {effective.proxy.allowedPrefixes.length > 0
                        ? text('names in DNS only')
                        : text('closed: no server uses it')}
                    </span>
                  ) : (
                    <span class="row">
                      {users.map((host) => (
                        <a key={host.name} href={`/servers/${encodeURIComponent(host.name)}`}>
                          {host.name}
                        </a>
                      ))}
                    </span>
                  );
                },
              },
            ]}
          />
        </Card>
      )}
      <NamesInDns />
      <DefaultServer />
      <LimitFields name="proxy" />
      <Shares name="proxy" />
      <AccessLog />
      <Workers />
      <TrustedProxies />
      <ServiceState name="proxy" />
      <ServiceCounters name="proxy" />
    </>
  );
}

/** `proxy.allowedPrefixes`. */
function NamesInDns() {
  const typed = useSignal(allowedPrefixesOf(edited.value).join('\n'));
  const change = (next: string) => {
    typed.value = next;
    edit((document) => Object.assign(document, withAllowedPrefixes(document, splitNames(next))));
  };
  // A draft that was discarded or restored elsewhere.
  const configured = allowedPrefixesOf(edited.value);
  const shown = splitNames(typed.value).join() === configured.join() ? typed.value : configured.join('\n');
  const problem = draftCheck.value?.problems.find(({ path }) => path.startsWith('/proxy/allowedPrefixes'));
  return (
    <Card title={text('Names in DNS')}>
      <TextArea
        label={text('Networks of servers that need no entry here')}
        hint={text(
          'IPv6 prefixes. A name that no server has leads to its AAAA record, if the address is in one of these networks: publish the address of this appliance as its A record. Servers there see connections from this appliance, so they must not trust it more than others. Empty: only the servers in the list are reached.',
        )}
        rows={3}
        placeholder="2001:db8:1::/64"
        value={shown}
        onInput={change}
        problem={problem?.message}
      />
      {counters.value[hostKey(LEARNED_SERVER)] !== undefined && (
        <Facts
          rows={[
            [text('Now, up / down'), <RateNow name={LEARNED_SERVER} />],
            [text('Look-ups of names'), formatNumber(counterOf('proxy', 'aaaa-asked'))],
            [text('Led to an address in DNS'), formatNumber(counterOf('proxy', 'aaaa-routed'))],
          ]}
        />
      )}
    </Card>
  );
}

/** `proxy.defaultHost`. */
function DefaultServer() {
  const hosts = hostsOf(edited.value);
  if (hosts.length === 0) return null;
  const choose = (name: string) =>
    edit((document) => Object.assign(document, withDefaultHost(document, name === '' ? undefined : name)));
  return (
    <Card title={text('Default server')}>
      <SelectField
        label={text('Server for unknown names')}
        hint={text(
          'It gets the clients that name no server (TLS without a server name, HTTP/1.0 without Host), or a name that no server has, on the listeners that it uses.',
        )}
        value={defaultHostOf(edited.value) ?? ''}
        options={[
          ['', text('none: they are refused')] as const,
          ...hosts.map(({ name }) => [name, name] as const),
        ]}
        onChange={choose}
      />
    </Card>
  );
}

/** `proxy.accessLog`. */
function AccessLog() {
  const choose = (value: string) =>
    edit((document) => Object.assign(document, withAccessLog(document, value)));
  return (
    <Card title={text('Access log')}>
      <SelectField
        label={text('Requests and connections that have a line')}
        hint={text(
          'A line of JSON in the log of the appliance for each HTTP request and each TLS or SSH connection: who, when, which server, and how it ended. It has no query strings, cookies or other header fields. A server can have another setting.',
        )}
        value={accessLogOf(edited.value)}
        options={Object.entries(ACCESS_LOG).map(([value, title]) => [value, text(title)] as const)}
        onChange={choose}
      />
    </Card>
  );
}
