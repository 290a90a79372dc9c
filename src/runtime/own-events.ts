/** Kinds of events that are no service's own. */
import { type Found, eventKind, eventShape } from './event-kind.ts';
import { Nullable, type Static, Type } from './shape.ts';

/** How something is: warn: works, but not for long or not as well as it should; unknown: not looked at yet, or cannot be told from here. */
export const FindingState = Type.Union([
  Type.Literal('ok'),
  Type.Literal('warn'),
  Type.Literal('fail'),
  Type.Literal('unknown'),
]);
export type FindingState = Static<typeof FindingState>;

/** tcp: the port takes connections, and nothing more is known of what speaks there. */
export const ProbeName = Type.Union([
  Type.Literal('tcp'),
  Type.Literal('tls'),
  Type.Literal('http'),
  Type.Literal('ssh'),
  Type.Literal('smtp'),
]);

export const ReportedState = Type.Union([
  Type.Literal('running'),
  Type.Literal('degraded'),
  Type.Literal('disabled'),
  Type.Literal('failed'),
  Type.Literal('unknown'),
]);

/** A service changed its state: it failed, recovered, or its thread was replaced. */
export const ServiceEvent = eventShape('service', {
  service: Type.String(),
  state: ReportedState,
  problem: Nullable(Type.String()),
  restarts: Type.Integer(),
});

/** The measured health of a server has changed. What follows `before` is of the probe that decides the state: null when all is well. */
export const HealthEvent = eventShape('health', {
  server: Type.String(),
  state: FindingState,
  before: FindingState,
  probe: Nullable(ProbeName),
  /** What uses the port: the name of a listener, or "ssh". */
  service: Nullable(Type.String()),
  port: Nullable(Type.Integer()),
  hostname: Nullable(Type.String()),
  detail: Nullable(Type.String()),
  /** Probes that are not well. */
  failing: Type.Integer(),
});

/** Something outside of our traffic that people should know: another program changed what we had set, a file was damaged. */
export const NoticeEvent = eventShape('notice', {
  /** Whose report (`ServiceReport.name`) it belongs to. */
  service: Type.String(),
  /** ok: it was put right. warn: something is less than it should be. fail: something does not work. */
  severity: Type.Union([Type.Literal('ok'), Type.Literal('warn'), Type.Literal('fail')]),
  text: Type.String(),
});

export type ServiceEvent = Static<typeof ServiceEvent>;
export type HealthEvent = Static<typeof HealthEvent>;
export type NoticeEvent = Static<typeof NoticeEvent>;
export type ServiceFound = Found<ServiceEvent, 'problem'>;
export type HealthFound = Found<HealthEvent, 'detail'>;
export type NoticeFound = Found<NoticeEvent, 'text'>;

export const OWN_KINDS = [
  eventKind<ServiceEvent>({
    name: 'service',
    shape: ServiceEvent,
    kept: 200,
    line: ({ service, state, problem }) =>
      `service ${service} ${state}${problem === null ? '' : `: ${problem}`}`,
  }),
  eventKind<HealthEvent>({
    name: 'health',
    shape: HealthEvent,
    kept: 200,
    serverBy: 'server',
    line: ({ server, before, state, service, port, detail }) =>
      `health ${server} ${before} -> ${state}${detail === null ? '' : `: ${service} port ${port}: ${detail}`}`,
  }),
  eventKind<NoticeEvent>({
    name: 'notice',
    shape: NoticeEvent,
    kept: 200,
    line: ({ service, severity, text }) => `notice ${service} ${severity}: ${text}`,
  }),
];
