/** Every kind of event that the timeline shows: those of the services, and the appliance's own. */
import type { HealthEvent, LiveEvent, NoticeEvent, ServiceEvent } from '../../core/contract.ts';
import { type EventLine, type EventRow, type ServiceLookup, eventRow } from '../../core/registry.ts';
import { toneOf } from '../../ui/basics.tsx';
import { text as common } from '../../ui/text.ts';
import { PAGES } from '../all.ts';
import { PARTS, partsOf } from '../parts.ts';
import { toServer } from './line.ts';
import { text } from './text.ts';

const OWN: readonly EventRow[] = [
  eventRow('service', () => text.value.kinds.service, serviceLine),
  eventRow('health', () => text.value.kinds.health, healthLine),
  eventRow('notice', () => text.value.kinds.notice, noticeLine),
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

/** Of a kind that only a newer appliance tells, the page that is still open shows that it came. */
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

function noticeLine({ service, severity, text: sentence }: NoticeEvent): EventLine {
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
}: HealthEvent): EventLine {
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
