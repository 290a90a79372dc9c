import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api } from '../../core/api.ts';
import { config, configLoad, edit, edited } from '../../core/config.ts';
import type {
  ConnectionEvent,
  EventsAnswer,
  HostAnswer,
  HostsAnswer,
  LiveEvent,
  ProbeReport,
} from '../../core/contract.ts';
import { formatBytes, formatDate, formatMs } from '../../core/format.ts';
import { useAction, useResource } from '../../core/resource.ts';
import { navigate } from '../../core/router.ts';
import { toast, toastError } from '../../core/toast.ts';
import {
  Ago,
  Address,
  Button,
  Card,
  Empty,
  LinkButton,
  Loading,
  PageHead,
  Snippet,
  State,
} from '../../ui/basics.tsx';
import { Facts, Table } from '../../ui/table.tsx';
import { ask } from '../../ui/dialog.tsx';
import { Qr } from '../../ui/qr.tsx';
import { DnsRecords } from './dns-records.tsx';
import { type HostDocument, hostsOf, withoutHost } from './model.ts';
import { text } from './text.ts';
import { Traffic } from './traffic.tsx';

const REFRESH_MS = 10_000;

export function Server({ name }: { name: string }) {
  const words = text.value;
  const hosts = useResource<HostsAnswer>('hosts', { everyMs: REFRESH_MS });
  const { data, reload } = hosts;
  const host = hostsOf(edited.value).find((each) => each.name === name);
  const answer = data.value?.hosts.find((each) => each.name === name);
  const applied = config.value?.revision;
  useEffect(() => void reload(), [applied]);
  const probe = useAction(async () => {
    await api.post(`hosts/${encodeURIComponent(name)}/check`).catch(toastError);
    await reload();
  });
  if (config.value === undefined) return <Loading of={configLoad} />;
  if (data.value === undefined) return <Loading of={hosts} />;
  const back = { href: '/servers', title: words.title };
  if (host === undefined)
    return <PageHead title={words.notFound(name)} lead={words.notFoundLead} back={back} />;
  return (
    <>
      <PageHead
        title={name}
        back={back}
        lead={
          <>
            <State
              state={answer?.health.state ?? 'unknown'}
              word={answer === undefined ? words.inDraft : undefined}
            />
            {answer?.health.checkedAt != null && (
              <>
                {' '}
                · {words.checked} <Ago at={answer.health.checkedAt} />
              </>
            )}
          </>
        }
        actions={
          <>
            <Button
              icon="refresh"
              isBusy={probe.isBusy.value}
              isDisabled={answer === undefined}
              onClick={() => void probe.run()}
            >
              {words.probing}
            </Button>
            <LinkButton icon="edit" href={`/servers/${encodeURIComponent(name)}?edit=1`}>
              {words.edit}
            </LinkButton>
            <Button icon="remove" onClick={() => askToRemove(host, answer)}>
              {words.remove}
            </Button>
          </>
        }
      />
      <div class="columns">
        <InShort host={host} answer={answer} />
        {answer !== undefined && <Ssh answer={answer} />}
      </div>
      {answer !== undefined && (
        <>
          <Traffic name={name} />
          <Probes answer={answer} />
          <Card title={words.dns}>
            <p class="faint">{words.dnsLead}</p>
            <DnsRecords name={name} />
          </Card>
          <ClientAddress answer={answer} />
          <Recent name={name} />
        </>
      )}
    </>
  );
}

function askToRemove({ name, hostnames = [] }: HostDocument, answer: HostAnswer | undefined): void {
  const words = text.value;
  ask({
    title: words.removeTitle(name),
    consequences: [
      hostnames.length === 0 ? words.removeNoNames : words.removeNames(hostnames.join(', ')),
      ...(answer?.sshPort == null ? [] : [words.removeSsh(answer.sshPort)]),
    ],
    undo: words.removeUndo,
    action: words.remove,
    async perform() {
      edit((document) => Object.assign(document, withoutHost(document, name)));
      toast(words.removed(name));
      navigate('/servers');
    },
  });
}

function InShort({ host, answer }: { host: HostDocument; answer: HostAnswer | undefined }) {
  const words = text.value;
  const { hostnames = [], address, services = ['http', 'https'], clientAddress = 'none' } = host;
  const first = hostnames.find((name) => !name.startsWith('*'));
  const isQrShown = useSignal(false);
  return (
    <Card title={words.facts}>
      <Facts
        rows={[
          [words.address, <Address value={address} />],
          [
            words.names,
            hostnames.length === 0
              ? '–'
              : hostnames.map((name) => (
                  <div key={name}>
                    <Address value={name} />
                  </div>
                )),
          ],
          [
            words.services,
            <span class="tags">
              {services.map((name) => (
                <span class="tag" key={name}>
                  {name}
                </span>
              ))}
            </span>,
          ],
          [words.client, words.form.clientsShort[clientAddress as 'none'] ?? clientAddress],
        ]}
      />
      {first !== undefined && answer !== undefined && (
        <details onToggle={(event) => (isQrShown.value = event.currentTarget.open)}>
          <summary>{words.open}</summary>
          <div class="row">
            {isQrShown.value && <Qr value={`https://${first}/`} what={`https://${first}/`} />}
            <p class="faint narrow">{words.openLead}</p>
          </div>
        </details>
      )}
    </Card>
  );
}

function Ssh({ answer: { sshPort, sshConfig, name } }: { answer: HostAnswer }) {
  const words = text.value;
  return (
    <Card title={words.ssh}>
      {sshPort === null || sshConfig === null ? (
        <p class="faint">{words.sshNone}</p>
      ) : (
        <>
          <p class="faint">{words.sshLead(sshPort)}</p>
          <p class="group-label">{words.sshConfig}</p>
          <Snippet value={sshConfig} what={`${words.sshConfig}: ${name}`} />
        </>
      )}
    </Card>
  );
}

function Probes({ answer: { health } }: { answer: HostAnswer }) {
  const words = text.value;
  return (
    <Card title={words.probes}>
      {health.probes.length === 0 ? (
        <Empty title={words.noProbes} />
      ) : (
        <Table<ProbeReport>
          caption={words.probes}
          rows={health.probes}
          keyOf={({ name, port, hostname, service }) => `${name} ${service} ${port} ${hostname}`}
          columns={[
            {
              title: words.probe,
              cell: ({ name, service, port }) => (
                <>
                  <strong>{name.toUpperCase()}</strong>{' '}
                  <span class="faint">
                    {service}, {words.port(port)}
                  </span>
                </>
              ),
            },
            { title: words.state, cell: ({ state }) => <State state={state} /> },
            {
              title: words.latency,
              isNumber: true,
              cell: ({ latencyMs }) => (latencyMs === null ? '–' : formatMs(latencyMs)),
            },
            { title: words.found, cell: (probe) => <Found {...probe} /> },
          ]}
        />
      )}
    </Card>
  );
}

function Found({ detail, hostname, certificate }: ProbeReport) {
  const words = text.value;
  return (
    <>
      {hostname !== null && <code>{hostname}</code>} {detail}
      {certificate !== null && (
        <div class="faint">
          {words.certificate} {words.certificateNames(certificate.names.join(', '))},{' '}
          {words.trust[certificate.trust]}, {words.expires}{' '}
          <time dateTime={certificate.expiresAt}>{formatDate(new Date(certificate.expiresAt))}</time>
        </div>
      )}
    </>
  );
}

function ClientAddress({ answer: { clientAddress, snippets } }: { answer: HostAnswer }) {
  const words = text.value;
  return (
    <Card title={words.clientTitle}>
      <p>{clientAddress === 'none' ? words.clientNone : words.clientHeader}</p>
      {snippets.map(({ title, text: snippet, explanation }) => (
        <div class="stack tight" key={title}>
          <h3>{title}</h3>
          <Snippet value={snippet} what={title} />
          <p class="faint">{explanation}</p>
        </div>
      ))}
    </Card>
  );
}

const isEnded = (event: LiveEvent): event is ConnectionEvent =>
  event.kind === 'connection' && event['what'] !== 'opened';

function Recent({ name }: { name: string }) {
  const words = text.value;
  const { data } = useResource<EventsAnswer>(
    `events?kind=connection&limit=20&server=${encodeURIComponent(name)}`,
    { everyMs: REFRESH_MS },
  );
  const rows = data.value?.events.filter(isEnded) ?? [];
  if (data.value === undefined) return null;
  return (
    <Card
      title={words.recent}
      actions={<a href={`/live?server=${encodeURIComponent(name)}`}>{words.recentAll}</a>}
    >
      {rows.length === 0 ? (
        <Empty title={words.recentNone} />
      ) : (
        <Table
          caption={words.recent}
          rows={rows.slice(0, 10)}
          keyOf={({ id }) => id}
          columns={[
            { title: words.when, cell: ({ at }) => <Ago at={at} /> },
            { title: words.who, cell: ({ client }) => <code>{client}</code> },
            {
              title: words.asked,
              cell: ({ name: asked, listener }) => (
                <>
                  {asked ?? '–'} <span class="tag">{listener}</span>
                </>
              ),
            },
            {
              title: words.traffic,
              isNumber: true,
              cell: ({ bytesUp, bytesDown }) => `${formatBytes(bytesUp)} / ${formatBytes(bytesDown)}`,
            },
          ]}
        />
      )}
    </Card>
  );
}
