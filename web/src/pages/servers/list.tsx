import { useSignal } from '@preact/signals';
import { config, configLoad, draft, edited } from '../../core/config.ts';
import type { HostsAnswer } from '../../core/contract.ts';
import { useResource } from '../../core/resource.ts';
import { Ago, Address, Button, Card, Empty, LinkButton, Loading, PageHead, State } from '../../ui/basics.tsx';
import { Table } from '../../ui/table.tsx';
import { type HostDocument, hostsOf } from './model.ts';
import { PasteDialog } from './paste.tsx';
import { text } from './text.ts';
import { RateNow } from './traffic.tsx';

const REFRESH_MS = 10_000;

export function ServerList() {
  const words = text.value;
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
        title={words.title}
        lead={words.lead}
        actions={
          <>
            <Button onClick={() => (isPasting.value = true)}>{words.paste}</Button>
            <LinkButton href="/add-server" kind="primary" icon="plus">
              {words.add}
            </LinkButton>
          </>
        }
      />
      {isPasting.value && <PasteDialog onClose={() => (isPasting.value = false)} />}
      {config.value === undefined ? (
        <Loading of={configLoad} />
      ) : hosts.length === 0 ? (
        <Empty title={words.empty}>
          <p>{words.emptyHelp}</p>
          <LinkButton href="/add-server" kind="primary" icon="plus">
            {words.add}
          </LinkButton>
        </Empty>
      ) : (
        <Card>
          <Table
            caption={words.title}
            rows={hosts}
            keyOf={({ name }) => name}
            columns={[
              {
                title: words.name,
                cell: (host) => (
                  <>
                    <a class="strong" href={`/servers/${encodeURIComponent(host.name)}`}>
                      {host.name}
                    </a>
                    {isDraft(host) && (
                      <>
                        {' '}
                        <span class="tag">{words.inDraft}</span>
                      </>
                    )}
                  </>
                ),
              },
              {
                title: words.state,
                cell: ({ name }) => <State state={answers.get(name)?.health.state ?? 'unknown'} />,
              },
              {
                title: words.names,
                cell: ({ hostnames = [] }) => hostnames.map((name) => <div key={name}>{name}</div>),
              },
              { title: words.address, cell: ({ address }) => <Address value={address} /> },
              { title: words.trafficNow, isNumber: true, cell: ({ name }) => <RateNow name={name} /> },
              { title: words.checked, cell: ({ name }) => <Ago at={answers.get(name)?.health.checkedAt} /> },
            ]}
          />
        </Card>
      )}
    </>
  );
}
