/** The state of the process and its services; the active configuration; where SSH clients connect. */
import { ReportedState } from '../../runtime/own-events.ts';
import { type Static, Type } from '../../config/json-schema.ts';
import { Nullable } from './common.ts';

const OverallState = Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('failed')]);

export const HealthAnswer = Type.Object({ status: OverallState, version: Type.String() });

export const StatusAnswer = Type.Object({
  status: OverallState,
  version: Type.String(),
  /** ISO 8601. */
  startedAt: Type.String(),
  process: Type.Object({
    rssBytes: Type.Number(),
    cpuSeconds: Type.Number(),
    uptimeSeconds: Type.Number(),
  }),
  services: Type.Array(
    Type.Object({
      name: Type.String(),
      state: ReportedState,
      problem: Nullable(Type.String()),
      restarts: Type.Integer(),
      figures: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()])),
    }),
  ),
});

/** Since the start, or since the server was added to the configuration; `connections` and `dialling`: now. */
export const HostTraffic = Type.Object({
  'bytes-up': Type.Number(),
  'bytes-down': Type.Number(),
  accepted: Type.Number(),
  connections: Type.Number(),
  dialling: Type.Number(),
});

export const CountersAnswer = Type.Object({
  services: Type.Array(
    Type.Object({
      name: Type.String(),
      counters: Type.Array(
        Type.Object({ name: Type.String(), value: Type.Number(), explanation: Type.String() }),
      ),
    }),
  ),
  /** Traffic of each server through the proxy and its forwarded ports; the same counters for each. */
  hosts: Type.Array(Type.Object({ name: Type.String(), counters: HostTraffic })),
});

/** `document` is what the user wrote; `effective` is the same with every default filled in. */
export const ConfigAnswer = Type.Object({
  revision: Type.String(),
  document: Type.Unknown(),
  effective: Type.Unknown(),
});

export const SshConfigAnswer = Type.Object({
  /** The host name in the snippets: as requested, or an own address. */
  hostname: Type.String(),
  servers: Type.Array(Type.Object({ name: Type.String(), port: Type.Integer(), snippet: Type.String() })),
});

export type HealthAnswer = Static<typeof HealthAnswer>;
export type StatusAnswer = Static<typeof StatusAnswer>;
export type CountersAnswer = Static<typeof CountersAnswer>;
export type HostTraffic = Static<typeof HostTraffic>;
export type SshConfigAnswer = Static<typeof SshConfigAnswer>;
