import { config } from '../../core/config.ts';
import { say, text, textOf } from '../../core/locale.ts';
import { Card, Empty, LinkButton, PageHead } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ServiceCounters, ServiceState } from '../service-parts.tsx';

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
                  const users = effective.hosts.filter(({ services }) => services.includes(name));
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
      <ServiceState name="proxy" />
      <ServiceCounters name="proxy" />
    </>
  );
}
