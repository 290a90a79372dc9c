/** Every kind of event that the timeline shows: those of the services, and the appliance's own. */
import type { HealthEvent, LiveEvent, NoticeEvent, ServiceEvent } from '../../core/contract.ts';
import { text } from '../../core/locale.ts';
import { type EventLine, type EventRow, type ServiceLookup, eventRow } from '../../core/registry.ts';
import { STATE_WORDS, toneOf } from '../../ui/basics.tsx';
import { PAGES } from '../all.ts';
import { PARTS, partsOf } from '../parts.ts';
import { toServer } from './line.ts';

const OWN: readonly EventRow[] = [
  eventRow('service', () => text('Services'), serviceLine),
  eventRow('health', () => text('Health'), healthLine),
  eventRow('notice', () => text('Notices'), noticeLine),
];

/** In the order of the pages; services over one engine share a kind. */
export const ROWS: readonly EventRow[] = [
  ...new Map(
    [...PARTS.flatMap(({ timeline = [] }) => timeline), ...OWN].map((row) => [row.kind, row]),
  ).values(),
];

const services: ServiceLookup = {
  iconOf: (name) => PAGES.find(({ service }) => service?.name === name)?.icon,
  portOf: (name, listener) => partsOf(name).portOf?.(listener),
};

/** An event of an unknown kind comes from an appliance that is newer than the open page. It is still shown. */
export const lineOf = (event: LiveEvent): EventLine =>
  ROWS.find(({ kind }) => kind === event.kind)?.line(event, services) ?? {
    icon: 'live',
    tone: 'off',
    sentence: event.kind,
    note: '',
    facts: [],
    links: [],
  };

function serviceLine({ service, state, problem, restarts }: ServiceEvent): EventLine {
  const page = PAGES.find((each) => each.service?.name === service);
  return {
    icon: 'system',
    tone: toneOf(state),
    sentence: text('{name}: {state}', { name: service, state: text(STATE_WORDS[state]) }),
    note: text(STATE_WORDS[state]),
    facts: [problem !== null && [text('Problem'), problem], [text('Restarts'), String(restarts)]],
    links: page?.service === undefined ? [] : [[page.service.href, page.title()]],
  };
}

function noticeLine({ service, severity, text: sentence }: NoticeEvent): EventLine {
  return {
    icon: 'system',
    tone: severity,
    sentence,
    note: text(STATE_WORDS[severity]),
    facts: [[text('Part'), service]],
    links: [],
  };
}

function healthLine({
  server,
  address,
  state,
  before,
  probe,
  service,
  port,
  hostname,
  detail,
  failing,
}: HealthEvent): EventLine {
  return {
    icon: 'servers',
    tone: toneOf(state),
    sentence:
      address !== null
        ? service === null
          ? text('{server}: {address} passes its health checks again', { server, address })
          : text('{server}: {address} fails its health checks at {service}', { server, address, service })
        : service === null || port === null
          ? text('{server} works again', { server })
          : text('{server}: problem with {service}, port {port}', { server, service, port }),
    note: text(STATE_WORDS[state]),
    facts: [
      probe !== null && [text('Probe'), [probe.toUpperCase(), hostname].filter(Boolean).join(' ')],
      detail !== null && [text('Found'), detail],
      [text('Before'), text(STATE_WORDS[before])],
      failing > (address === null ? 1 : 0) && [
        address === null ? text('Probes with problems') : text('Addresses that fail'),
        String(failing),
      ],
    ],
    links: [toServer(server)],
  };
}
