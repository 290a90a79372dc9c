/** One event: a line, and on demand what is known of it and where its rule is. */
import { useSignal } from '@preact/signals';
import { query } from '../../core/api.ts';
import { config } from '../../core/config.ts';
import type {
  ConnectionEvent,
  DnsEvent,
  HealthEvent,
  LiveEvent,
  Nat64Event,
  NoticeEvent,
  ServiceEvent,
} from '../../core/contract.ts';
import { formatBytes, formatClock, formatMs, formatTime } from '../../core/format.ts';
import { Shape, type Tone, toneOf } from '../../ui/basics.tsx';
import { Facts } from '../../ui/table.tsx';
import { Icon, type IconName } from '../../ui/icon.tsx';
import { text as common } from '../../ui/text.ts';
import { PAGES } from '../all.ts';
import { text } from './text.ts';

interface Line {
  readonly icon: IconName;
  readonly tone: Tone;
  readonly sentence: string;
  readonly note: string;
  readonly facts: readonly (readonly [string, string] | false)[];
  readonly links: readonly (readonly [href: string, title: string])[];
}

export function EventRow({ event }: { event: LiveEvent }) {
  const isOpen = useSignal(false);
  const at = new Date(event.at);
  const { icon, tone, sentence, note, facts, links } = lineOf(event);
  return (
    <li>
      <details onToggle={(toggle) => (isOpen.value = toggle.currentTarget.open)}>
        <summary>
          <time dateTime={event.at} title={formatTime(at)}>
            {formatClock(at)}
          </time>
          <Icon name={icon} size={16} />
          <span class="sentence">{sentence}</span>
          <span class={`note-of tone-${tone}`}>
            <Shape tone={tone} size={11} /> {note}
          </span>
        </summary>
        {isOpen.value && (
          <div class="event-details">
            <Facts rows={facts.map((fact) => fact && [fact[0], <span class="code">{fact[1]}</span>])} />
            <p class="row">
              {links.map(([href, title]) => (
                <a key={href} href={href}>
                  {title}
                </a>
              ))}
            </p>
          </div>
        )}
      </details>
    </li>
  );
}

function lineOf(event: LiveEvent): Line {
  switch (event.kind) {
    case 'connection':
      return connectionLine(event);
    case 'dns':
      return dnsLine(event);
    case 'nat64':
      return nat64Line(event);
    case 'service':
      return serviceLine(event);
    case 'health':
      return healthLine(event);
    case 'notice':
      return noticeLine(event);
  }
}

const toServer = (server: string): readonly [string, string] => [
  `/servers/${encodeURIComponent(server)}`,
  `${text.value.toServer} ${server}`,
];

const ofClient = (client: string): readonly [string, string] => [
  `/live${query({ client })}`,
  text.value.toClient,
];

function connectionLine({
  what,
  client,
  clientPort,
  name,
  server,
  listener,
  service,
  bytesUp,
  bytesDown,
  durationMs,
  reason,
  explanation,
}: ConnectionEvent): Line {
  const words = text.value;
  const asked = name ?? (what === 'refused' ? (explanation ?? words.connection.noName) : listener);
  const where = server ?? words.connection.nowhere;
  const port = config.value?.effective.proxy.listeners.find((each) => each.name === listener)?.port;
  return {
    icon: service,
    tone: what === 'refused' ? 'fail' : what === 'opened' ? 'ok' : 'off',
    sentence:
      what === 'refused'
        ? words.connection.refused(client, asked)
        : words.connection[what](client, asked, where),
    note:
      what === 'opened'
        ? listener
        : what === 'refused'
          ? (reason ?? '')
          : `${formatBytes(bytesUp)} / ${formatBytes(bytesDown)}`,
    facts: [
      [words.client, `${client}#${clientPort}`],
      [words.facts.listener, listener],
      name !== null && [words.facts.name, name],
      [words.facts.duration, formatMs(durationMs)],
      what !== 'opened' && [words.facts.bytes, `${formatBytes(bytesUp)} / ${formatBytes(bytesDown)}`],
      reason !== null && [words.facts.reason, `${explanation ?? ''} (${reason})`],
    ],
    links: [
      ...(server === null ? [] : [toServer(server)]),
      ...(name === null || port === undefined
        ? []
        : [
            [`/explain${query({ from: client, protocol: 'tcp', to: name, port })}`, words.explainIt] as const,
          ]),
      ofClient(client),
    ],
  };
}

function dnsLine({ client, name, type, transport, answer, rcode, durationMs }: DnsEvent): Line {
  const words = text.value;
  const isBad = answer === 'refused' || answer === 'failed' || answer === 'malformed';
  return {
    icon: 'dns64',
    tone: isBad ? 'fail' : rcode === 'NOERROR' ? 'ok' : 'off',
    sentence: words.dns.line(client ?? words.dns.someone, type, name),
    note: rcode === 'NOERROR' || isBad ? words.dns.answers[answer] : rcode,
    facts: [
      client !== null && [words.client, client],
      [words.facts.name, `${type} ${name}`],
      [words.facts.rcode, `${rcode}, ${words.dns.answers[answer]}`],
      [words.facts.duration, formatMs(durationMs)],
      [words.facts.transport, transport.toUpperCase()],
    ],
    links: [['/dns64', 'DNS64'], ...(client === null ? [] : [ofClient(client)])],
  };
}

function nat64Line(event: Nat64Event): Line {
  const { what, protocol, client, clientPort, server, poolAddress, poolPort } = event;
  const remote = `${event.remote}#${event.remotePort}`;
  const words = text.value;
  const pool = `${poolAddress}#${poolPort}`;
  return {
    icon: 'nat64',
    tone: what.endsWith('created') ? 'ok' : 'off',
    sentence: words.nat64[what](server ?? client, pool, protocol.toUpperCase(), remote),
    note: protocol.toUpperCase(),
    facts: [
      [words.client, `${client}#${clientPort}`],
      ['pool4', pool],
      ...(event.remote === null ? [] : [[words.facts.remote, remote] as const]),
    ],
    links: [
      [`/nat64${query({ view: 'sessions', client })}`, words.toSessions],
      ...(server === null ? [] : [toServer(server)]),
      ofClient(client),
    ],
  };
}

function serviceLine({ service, state, problem, restarts }: ServiceEvent): Line {
  const words = text.value;
  const page = PAGES.find((each) => each.service?.name === service);
  return {
    icon: 'system',
    tone: toneOf(state),
    sentence: words.service(service, common.value.state[state]),
    note: common.value.state[state],
    facts: [problem !== null && [words.facts.problem, problem], [words.facts.restarts, String(restarts)]],
    links: page?.service === undefined ? [] : [[page.service.href, page.title()]],
  };
}

function noticeLine({ service, severity, text: sentence }: NoticeEvent): Line {
  return {
    icon: 'system',
    tone: severity,
    sentence,
    note: common.value.state[severity],
    facts: [[text.value.facts.part, service]],
    links: [],
  };
}

function healthLine({
  server,
  state,
  before,
  probe,
  service,
  port,
  hostname,
  detail,
  failing,
}: HealthEvent): Line {
  const words = text.value;
  const states = common.value.state;
  return {
    icon: 'servers',
    tone: toneOf(state),
    sentence:
      service === null || port === null ? words.health.well(server) : words.health.not(server, service, port),
    note: states[state],
    facts: [
      probe !== null && [words.facts.probe, [probe.toUpperCase(), hostname].filter(Boolean).join(' ')],
      detail !== null && [words.facts.found, detail],
      [words.facts.before, states[before]],
      failing > 1 && [words.facts.failing, String(failing)],
    ],
    links: [toServer(server)],
  };
}
