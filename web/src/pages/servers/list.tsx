import { useSignal } from '@preact/signals';
import { config, configLoad, draft, edited } from '../../core/config.ts';
import type { HostsAnswer } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { useResource } from '../../core/resource.ts';
import { Ago, Address, Button, Card, Empty, LinkButton, Loading, PageHead } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { type HostDocument, addressesOf, hostsOf } from './model.ts';
import { PasteDialog } from './paste.tsx';
import { HostState } from './state.tsx';
import { RateNow } from './traffic.tsx';

const REFRESH_MS = 10_000;

export function ServerList() {
  const { data } = useResource<HostsAnswer>('hosts', { everyMs: REFRESH_MS });
  const isPasting = useSignal(false);
  const hosts = hostsOf(edited.value);
  const applied = new Map(
    hostsOf(config.value?.document ?? {}).map((host) => [host.name, JSON.stringify(host)]),
  );
  const answers = new Map(data.value?.hosts.map((host) => [host.name, host]));
  const isDraft = (host: HostDocument) =>
    draft.value !== undefined && applied.get(host.name) !== JSON.stringify(host);
  return (
    <>
      <PageHead
        title={text('Servers')}
        lead={text('The IPv6-only machines, the names that lead to them, and their measured state.')}
        actions={
          <>
            <Button onClick={() => (isPasting.value = true)}>{text('Paste several')}</Button>
            <LinkButton href="/add-server" kind="primary" icon="plus">
              {text('Add a server')}
            </LinkButton>
          </>
        }
      />
      {isPasting.value && <PasteDialog onClose={() => (isPasting.value = false)} />}
      {config.value === undefined ? (
        <Loading of={configLoad} />
      ) : hosts.length === 0 ? (
        <Empty title={text('No servers yet')}>
          <p>
            {text(
              'Give each server a label, its IPv6 address and the host names that lead to it. HTTP and HTTPS work at once; SSH gets a port of its own.',
            )}
          </p>
          <LinkButton href="/add-server" kind="primary" icon="plus">
            {text('Add a server')}
          </LinkButton>
        </Empty>
      ) : (
        <Card>
          <Table
            caption={text('Servers')}
            rows={hosts}
            keyOf={({ name }) => name}
            columns={[
              {
                title: text('Name'),
                cell: (host) => (
                  <>
                    <a class="strong" href={`/servers/${encodeURIComponent(host.name)}`}>
                      {host.name}
                    </a>
                    {isDraft(host) && (
                      <>
                        {' '}
                        <span class="tag">{text('not applied yet')}</span>
                      </>
                    )}
                  </>
                ),
              },
              {
                title: text('State'),
                cell: (host) => <HostState host={host} health={answers.get(host.name)?.health.state} />,
              },
              {
                title: text('Host names'),
                cell: ({ hostnames = [] }) => hostnames.map((name) => <div key={name}>{name}</div>),
              },
              {
                title: text('Address'),
                cell: (host) => addressesOf(host).map((each) => <Address key={each} value={each} />),
              },
              { title: text('Now, up / down'), isNumber: true, cell: ({ name }) => <RateNow name={name} /> },
              {
                title: text('Checked'),
                cell: ({ name }) => <Ago at={answers.get(name)?.health.checkedAt} />,
              },
            ]}
          />
        </Card>
      )}
    </>
  );
}
