/** Kinds of events that do not belong to a service. */
import { type Found, eventKind, eventShape } from './event-kind.ts';
import { Nullable, type Static, Type } from './shape.ts';

/**
 * The state of something. warn: it works, but not well or not for long; unknown: not checked yet, or cannot be determined from
 * here.
 */
export const FindingState = Type.Union([
  Type.Literal('ok'),
  Type.Literal('warn'),
  Type.Literal('fail'),
  Type.Literal('unknown'),
]);
export type FindingState = Static<typeof FindingState>;

/** tcp: the port accepts connections; the protocol behind it is not known. */
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

/**
 * The measured health of a server has changed, or the health checks of one of its addresses say so. The fields after `before`
 * describe the probe that decides the state: null when all is well.
 */
export const HealthEvent = eventShape('health', {
  server: Type.String(),
  /** The address that is checked, and on which it depends whether clients are led there; null: the server as a whole. */
  address: Nullable(Type.String()),
  state: FindingState,
  before: FindingState,
  probe: Nullable(ProbeName),
  /** The user of the port: the name of a listener, or "ssh". */
  service: Nullable(Type.String()),
  port: Nullable(Type.Integer()),
  hostname: Nullable(Type.String()),
  detail: Nullable(Type.String()),
  /** Probes that fail or warn; of `address`: the addresses of the server that fail. */
  failing: Type.Integer(),
});

/** Something that is not our traffic but that users should know: another program changed our settings, a file was damaged. */
export const NoticeEvent = eventShape('notice', {
  /** The report (`ServiceReport.name`) to which it belongs. */
  service: Type.String(),
  /** ok: it was repaired. warn: something is restricted. fail: something does not work. */
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
    line: ({ server, address, before, state, service, port, detail }) =>
      `health ${server} ${address === null ? '' : `[${address}] `}${before} -> ${state}${detail === null ? '' : `: ${service} port ${port}: ${detail}`}`,
  }),
  eventKind<NoticeEvent>({
    name: 'notice',
    shape: NoticeEvent,
    kept: 200,
    line: ({ service, severity, text }) => `notice ${service} ${severity}: ${text}`,
  }),
];
