import { config } from '../../core/config.ts';
import { dictionary } from '../../core/locale.ts';
import { Card, Empty, LinkButton, PageHead } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ServiceCounters, ServiceState } from '../service-parts.tsx';

const text = dictionary(
  {
    title: 'Proxy',
    lead: 'Leads HTTP by its Host and TLS by its server name to the right server. TLS passes untouched: no certificate is on this appliance.',
    listeners: 'Listeners',
    name: 'Listener',
    port: 'Port',
    protocol: 'Picks the server by',
    http: 'the Host header',
    tls: 'the server name in the ClientHello (SNI)',
    servers: 'Servers',
    closed: 'closed: no server uses it',
    none: 'There is no server yet',
    noneHelp: 'A listener opens as soon as a server names it among its ways in.',
    add: 'Add a server',
    timeline: 'Its connections, live',
  },
  {
    title: 'Proxy',
    lead: 'Führt HTTP nach seinem Host und TLS nach seinem Servernamen zum richtigen Server. TLS läuft unangetastet durch: Kein Zertifikat liegt auf diesem Gerät.',
    listeners: 'Listener',
    name: 'Listener',
    port: 'Port',
    protocol: 'Wählt den Server nach',
    http: 'dem Host-Header',
    tls: 'dem Servernamen im ClientHello (SNI)',
    servers: 'Server',
    closed: 'geschlossen: kein Server benutzt ihn',
    none: 'Noch gibt es keinen Server',
    noneHelp: 'Ein Listener öffnet sich, sobald ein Server ihn unter seinen Wegen hinein nennt.',
    add: 'Server hinzufügen',
    timeline: 'Seine Verbindungen, live',
  },
);

export default function ProxyPage() {
  const words = text.value;
  const effective = config.value?.effective;
  return (
    <>
      <PageHead
        title={words.title}
        lead={words.lead}
        actions={
          <LinkButton href="/live?kind=connection" icon="live">
            {words.timeline}
          </LinkButton>
        }
      />
      {effective !== undefined && (
        <Card title={words.listeners}>
          {effective.hosts.length === 0 && (
            <Empty title={words.none}>
              <p>{words.noneHelp}</p>
              <LinkButton href="/add-server" kind="primary" icon="plus">
                {words.add}
              </LinkButton>
            </Empty>
          )}
          <Table
            caption={words.listeners}
            rows={effective.proxy.listeners}
            keyOf={({ name }) => name}
            columns={[
              { title: words.name, cell: ({ name }) => <strong>{name}</strong> },
              { title: words.port, cell: ({ port }) => <code>{port}</code> },
              { title: words.protocol, cell: ({ protocol }) => words[protocol] ?? protocol },
              {
                title: words.servers,
                cell: ({ name }) => {
                  const users = effective.hosts.filter(({ services }) => services.includes(name));
                  return users.length === 0 ? (
                    <span class="faint">{words.closed}</span>
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
