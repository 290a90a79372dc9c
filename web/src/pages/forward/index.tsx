import type { SshConfigAnswer } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { useResource } from '../../core/resource.ts';
import { Address, Card, Empty, LinkButton, PageHead, Snippet } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { LimitFields, Shares } from '../limits.tsx';
import { ServiceCounters, ServiceState } from '../service-parts.tsx';

export default function ForwardPage() {
  const { data } = useResource<SshConfigAnswer>('ssh-config');
  const servers = data.value?.servers ?? [];
  return (
    <>
      <PageHead
        title={text('SSH and ports')}
        lead={text(
          'Each server has a port of its own on the IPv4 side that leads to its sshd. The port stays the same for as long as the server is configured.',
        )}
      />
      <Card title={text('SSH ports')}>
        {data.value !== undefined && servers.length === 0 && (
          <Empty title={text('No server has an SSH port')}>
            <p>{text('A new server gets one unless its form says otherwise.')}</p>
            <LinkButton href="/add-server" kind="primary" icon="plus">
              {text('Add a server')}
            </LinkButton>
          </Empty>
        )}
        {servers.length > 0 && (
          <>
            <Table
              caption={text('SSH ports')}
              rows={servers}
              keyOf={({ name }) => name}
              columns={[
                {
                  title: text('Server'),
                  cell: ({ name }) => <a href={`/servers/${encodeURIComponent(name)}`}>{name}</a>,
                },
                {
                  title: text('Port on the IPv4 side'),
                  cell: ({ port }) => <Address value={String(port)} />,
                },
              ]}
            />
            <details>
              <summary>{text('All servers, for ~/.ssh/config')}</summary>
              <Snippet
                value={servers.map(({ snippet }) => snippet).join('\n')}
                what={text('All servers, for ~/.ssh/config')}
              />
            </details>
          </>
        )}
      </Card>
      <LimitFields name="forward" />
      <Shares name="forward" />
      <ServiceState name="forward" />
      <ServiceCounters name="forward" />
    </>
  );
}
