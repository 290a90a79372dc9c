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
import { say, text, textOf } from '../../core/locale.ts';
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
import { ACCESS_LOG } from './access-log.ts';
import { ClientAddress } from './client-address.tsx';
import { DnsRecords } from './dns-records.tsx';
import { HealthChecks } from './health-checks.tsx';
import { type HostDocument, addressesOf, defaultHostOf, hostsOf, withoutHost } from './model.ts';
import { HostState, Turned } from './state.tsx';
import { Traffic } from './traffic.tsx';

const CLIENTS_SHORT = {
  none: say('not passed on'),
  'proxy-v1': say('PROXY protocol 1'),
  'proxy-v2': say('PROXY protocol 2'),
  mapped: say('mapped to an IPv6 address'),
};

const TRUST = {
  trusted: say('trusted'),
  'self-signed': say('self-signed'),
  untrusted: say('issuer not trusted'),
};

const REFRESH_MS = 10_000;

export function Server({ name }: { name: string }) {
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
  const back = { href: '/servers', title: text('Servers') };
  if (host === undefined)
    return (
      <PageHead
        title={text('There is no server called {name}', { name })}
        lead={text('It may have been renamed or removed.')}
        back={back}
      />
    );
  return (
    <>
      <PageHead
        title={name}
        back={back}
        lead={
          <>
            <HostState
              host={host}
              health={answer?.health.state}
              word={answer === undefined ? text('not applied yet') : undefined}
            />
            {answer?.health.checkedAt != null && (
              <>
                {' '}
                · {text('Checked')} <Ago at={answer.health.checkedAt} />
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
              {text('Check now')}
            </Button>
            <LinkButton icon="edit" href={`/servers/${encodeURIComponent(name)}?edit=1`}>
              {text('Edit')}
            </LinkButton>
            <Button icon="remove" onClick={() => askToRemove(host, answer)}>
              {text('Remove')}
            </Button>
          </>
        }
      />
      <Turned host={host} />
      <div class="columns">
        <InShort host={host} answer={answer} />
        {answer !== undefined && <Ssh answer={answer} />}
      </div>
      {answer !== undefined && (
        <>
          <Traffic name={name} />
          <HealthChecks answer={answer} />
          <Probes answer={answer} />
          <Card title={text('DNS records to publish')}>
            <p class="faint">
              {text('A leads IPv4 clients to the appliance, AAAA leads IPv6 clients directly to the server.')}
            </p>
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
  ask({
    title: text('Remove {name}?', { name }),
    consequences: [
      hostnames.length === 0
        ? text('No host name leads to it.')
        : text('From IPv4, {names} will lead nowhere.', { names: hostnames.join(', ') }),
      ...(answer?.sshPort == null
        ? []
        : [
            text('SSH through port {port} ends; the port may be given to another server later.', {
              port: answer.sshPort,
            }),
          ]),
    ],
    undo: text(
      'Nothing happens before you apply the change. Afterwards you can bring the server back from the history of the configuration.',
    ),
    action: text('Remove'),
    async perform() {
      edit((document) => Object.assign(document, withoutHost(document, name)));
      toast(text('{name} is removed when you apply the change.', { name }));
      navigate('/servers');
    },
  });
}

function InShort({ host, answer }: { host: HostDocument; answer: HostAnswer | undefined }) {
  const { hostnames = [], balance = 'order', services = ['http', 'https'], clientAddress = 'none' } = host;
  const { allow = ['any'], redirectToHttps = false, accessLog } = host;
  const first = hostnames.find((name) => !name.startsWith('*'));
  const isQrShown = useSignal(false);
  return (
    <Card title={text('In short')}>
      <Facts
        rows={[
          [text('Address'), addressesOf(host).map((each) => <Address key={each} value={each} />)],
          addressesOf(host).length > 1 && [
            text('Several addresses'),
            balance === 'order' ? text('the first that answers') : text('each in turn'),
          ],
          [
            text('Host names'),
            hostnames.length === 0
              ? '–'
              : hostnames.map((name) => (
                  <div key={name}>
                    <Address value={name} />
                  </div>
                )),
          ],
          [
            text('Ways in'),
            <span class="tags">
              {services.map((service, i) => (
                <WayIn key={i} service={service} />
              ))}
            </span>,
          ],
          [text('Client’s address'), textOf(CLIENTS_SHORT, clientAddress)],
          redirectToHttps !== false && [
            text('Plain HTTP'),
            text('redirected to https ({status})', { status: redirectToHttps }),
          ],
          !(allow.length === 1 && allow[0] === 'any') && [
            text('Who may connect'),
            allow.length === 0 ? text('nobody') : <code>{allow.join(', ')}</code>,
          ],
          accessLog !== undefined && [text('Access log'), textOf(ACCESS_LOG, accessLog)],
          defaultHostOf(edited.value) === host.name && [
            text('Default server'),
            text('Also for clients that name none, or a name that no server has.'),
          ],
        ]}
      />
      {first !== undefined && answer !== undefined && (
        <details onToggle={(event) => (isQrShown.value = event.currentTarget.open)}>
          <summary>{text('Open a name')}</summary>
          <div class="row">
            {isQrShown.value && <Qr value={`https://${first}/`} what={`https://${first}/`} />}
            <p class="faint narrow">
              {text('With a phone outside your network, to see what the Internet sees.')}
            </p>
          </div>
        </details>
      )}
    </Card>
  );
}

/** A listener, and what differs there. */
function WayIn({ service }: { service: NonNullable<HostDocument['services']>[number] }) {
  if (typeof service === 'string') return <span class="tag">{service}</span>;
  const { listener, targetPort, clientAddress, alpn } = service;
  return (
    <span class="tag">
      {listener}
      {targetPort !== undefined && ` → ${targetPort}`}
      {alpn !== undefined && ` [${alpn.join(', ')}]`}
      {clientAddress !== undefined && ` (${textOf(CLIENTS_SHORT, clientAddress)})`}
    </span>
  );
}

function Ssh({ answer: { sshPort, sshConfig, name } }: { answer: HostAnswer }) {
  return (
    <Card title={text('SSH')}>
      {sshPort === null || sshConfig === null ? (
        <p class="faint">{text('No SSH port: it is switched off for this server.')}</p>
      ) : (
        <>
          <p class="faint">
            {text('From IPv4, port {port} of the appliance leads to this server’s sshd.', { port: sshPort })}
          </p>
          <p class="group-label">{text('For ~/.ssh/config')}</p>
          <Snippet value={sshConfig} what={`${text('For ~/.ssh/config')}: ${name}`} />
        </>
      )}
    </Card>
  );
}

function Probes({ answer: { health, addresses } }: { answer: HostAnswer }) {
  return (
    <Card title={text('What was measured')}>
      {health.probes.length === 0 ? (
        <Empty title={text('No measurement yet: the first one comes within a minute.')} />
      ) : (
        <Table<ProbeReport>
          caption={text('What was measured')}
          rows={health.probes}
          keyOf={({ name, address, port, hostname, service }) =>
            `${name} ${service} ${address} ${port} ${hostname}`
          }
          columns={[
            {
              title: text('Probe'),
              cell: ({ name, service, address, port }) => (
                <>
                  <strong>{name.toUpperCase()}</strong>{' '}
                  <span class="faint">
                    {service}, {text('port {port}', { port })}
                  </span>
                  {addresses.length > 1 && (
                    <div>
                      <code>{address}</code>
                    </div>
                  )}
                </>
              ),
            },
            { title: text('State'), cell: ({ state }) => <State state={state} /> },
            {
              title: text('Latency'),
              isNumber: true,
              cell: ({ latencyMs }) => (latencyMs === null ? '–' : formatMs(latencyMs)),
            },
            { title: text('Found'), cell: (probe) => <Found {...probe} /> },
          ]}
        />
      )}
    </Card>
  );
}

function Found({ detail, hostname, certificate }: ProbeReport) {
  return (
    <>
      {hostname !== null && <code>{hostname}</code>} {detail}
      {certificate !== null && (
        <div class="faint">
          {text('Certificate')} {text('for {names}', { names: certificate.names.join(', ') })},{' '}
          {text(TRUST[certificate.trust])}, {text('expires')}{' '}
          <time dateTime={certificate.expiresAt}>{formatDate(new Date(certificate.expiresAt))}</time>
        </div>
      )}
    </>
  );
}

const isEnded = (event: LiveEvent): event is ConnectionEvent =>
  event.kind === 'connection' && event['what'] !== 'opened';

function Recent({ name }: { name: string }) {
  const { data } = useResource<EventsAnswer>(
    `events?kind=connection&limit=20&server=${encodeURIComponent(name)}`,
    { everyMs: REFRESH_MS },
  );
  const rows = data.value?.events.filter(isEnded) ?? [];
  if (data.value === undefined) return null;
  return (
    <Card
      title={text('Recent connections')}
      actions={<a href={`/live?server=${encodeURIComponent(name)}`}>{text('In the timeline')}</a>}
    >
      {rows.length === 0 ? (
        <Empty title={text('Nobody has connected since the appliance started.')} />
      ) : (
        <Table
          caption={text('Recent connections')}
          rows={rows.slice(0, 10)}
          keyOf={({ id }) => id}
          columns={[
            { title: text('When'), cell: ({ at }) => <Ago at={at} /> },
            { title: text('Client'), cell: ({ client }) => <code>{client}</code> },
            {
              title: text('Asked for'),
              cell: ({ name: asked, listener }) => (
                <>
                  {asked ?? '–'} <span class="tag">{listener}</span>
                </>
              ),
            },
            {
              title: text('Up / down'),
              isNumber: true,
              cell: ({ bytesUp, bytesDown }) => `${formatBytes(bytesUp)} / ${formatBytes(bytesDown)}`,
            },
          ]}
        />
      )}
    </Card>
  );
}
