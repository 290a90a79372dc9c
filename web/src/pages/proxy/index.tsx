import { config, edit, edited } from '../../core/config.ts';
import { say, text, textOf } from '../../core/locale.ts';
import { Card, Empty, LinkButton, PageHead } from '../../ui/basics.tsx';
import { SelectField } from '../../ui/field.tsx';
import { Table } from '../../ui/table.tsx';
import { defaultHostOf, hostsOf, listenersOf, withDefaultHost } from '../servers/model.ts';
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
                    <span class="faint">{text('closed: no server uses it')}</span>
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
      <DefaultServer />
      <Workers />
      <TrustedProxies />
      <ServiceState name="proxy" />
      <ServiceCounters name="proxy" />
    </>
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
          'It gets the clients that name no server (TLS without a server name), or a name that no server has, on the listeners that it uses.',
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
