import type { SshConfigAnswer } from '../../core/contract.ts';
import { dictionary } from '../../core/locale.ts';
import { useResource } from '../../core/resource.ts';
import { Address, Card, Empty, LinkButton, PageHead, Snippet } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { ServiceCounters, ServiceState } from '../service-parts.tsx';

const text = dictionary(
  {
    title: 'SSH and ports',
    lead: 'Each server has a port of its own on the IPv4 side that leads to its sshd. The port stays the same for as long as the server is configured.',
    ports: 'SSH ports',
    server: 'Server',
    port: 'Port on the IPv4 side',
    all: 'All servers, for ~/.ssh/config',
    none: 'No server has an SSH port',
    noneHelp: 'A new server gets one unless its form says otherwise.',
    add: 'Add a server',
  },
  {
    title: 'SSH und Ports',
    lead: 'Jeder Server hat auf der IPv4-Seite einen eigenen Port, der zu seinem sshd führt. Der Port bleibt, solange der Server eingerichtet ist.',
    ports: 'SSH-Ports',
    server: 'Server',
    port: 'Port auf der IPv4-Seite',
    all: 'Alle Server, für ~/.ssh/config',
    none: 'Kein Server hat einen SSH-Port',
    noneHelp: 'Ein neuer Server bekommt einen, wenn sein Formular nichts anderes sagt.',
    add: 'Server hinzufügen',
  },
);

export default function ForwardPage() {
  const words = text.value;
  const { data } = useResource<SshConfigAnswer>('ssh-config');
  const servers = data.value?.servers ?? [];
  return (
    <>
      <PageHead title={words.title} lead={words.lead} />
      <Card title={words.ports}>
        {data.value !== undefined && servers.length === 0 && (
          <Empty title={words.none}>
            <p>{words.noneHelp}</p>
            <LinkButton href="/add-server" kind="primary" icon="plus">
              {words.add}
            </LinkButton>
          </Empty>
        )}
        {servers.length > 0 && (
          <>
            <Table
              caption={words.ports}
              rows={servers}
              keyOf={({ name }) => name}
              columns={[
                {
                  title: words.server,
                  cell: ({ name }) => <a href={`/servers/${encodeURIComponent(name)}`}>{name}</a>,
                },
                { title: words.port, cell: ({ port }) => <Address value={String(port)} /> },
              ]}
            />
            <details>
              <summary>{words.all}</summary>
              <Snippet value={servers.map(({ snippet }) => snippet).join('\n')} what={words.all} />
            </details>
          </>
        )}
      </Card>
      <ServiceState name="forward" />
      <ServiceCounters name="forward" />
    </>
  );
}
