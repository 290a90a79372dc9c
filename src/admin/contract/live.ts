/** What happens and what happened: live events, history, the machine, logs, backup. */
import { type Static, Type } from '../../config/json-schema.ts';
import { DiffEntry } from './apply.ts';
import { AskedPassword } from './auth.ts';
import { FindingState, ProbeName } from './checks.ts';
import { Nullable, strict } from './common.ts';

export {
  HISTORY_SERIES,
  HOST_SERIES,
  type HistorySeries,
  type HostSeries,
} from '../../state/history-series.ts';

/** Every event has these. */
const eventHead = {
  /** Counts up, also over restarts of the process: the cursor of GET events and the id of the SSE stream. */
  id: Type.Integer(),
  /** ISO 8601, to the millisecond. */
  at: Type.String(),
};

/** A connection through the proxy or the forwarder. */
export const ConnectionEvent = Type.Object({
  ...eventHead,
  kind: Type.Literal('connection'),
  /** opened: its server answered. closed: it had been opened. refused: it never reached a server. */
  what: Type.Union([Type.Literal('opened'), Type.Literal('closed'), Type.Literal('refused')]),
  service: Type.Union([Type.Literal('proxy'), Type.Literal('forward')]),
  /** The same number for a connection's opened and closed; of one service. */
  connection: Type.Integer(),
  /** Name of the listener; for the forwarder the server's name. */
  listener: Type.String(),
  client: Type.String(),
  clientPort: Type.Integer(),
  /** What the client asked for, in SNI or Host; null when nothing was asked or understood. */
  name: Nullable(Type.String()),
  /** Name of the server in the configuration. */
  server: Nullable(Type.String()),
  bytesUp: Type.Integer(),
  bytesDown: Type.Integer(),
  /** Since it was accepted. */
  durationMs: Type.Integer(),
  /** closed and refused: the counter that counted the end ("closed-idle", "refused-tls-no-name"), and its explanation. */
  reason: Nullable(Type.String()),
  explanation: Nullable(Type.String()),
});

export const DnsEvent = Type.Object({
  ...eventHead,
  kind: Type.Literal('dns'),
  /** null with dns64.queryLog "names". */
  client: Nullable(Type.String()),
  /** Without a dot at the end; "." for the root. */
  name: Type.String(),
  /** "A", "AAAA", "TYPE65280", ... */
  type: Type.String(),
  transport: Type.Union([Type.Literal('udp'), Type.Literal('tcp')]),
  /**
   * cached: from memory, synthesised or not. forwarded: as an upstream said. synthesized: AAAA made from A. local: known
   * here. refused: not allowed to ask. failed: no upstream answered. malformed: no query we answer.
   */
  answer: Type.Union([
    Type.Literal('cached'),
    Type.Literal('forwarded'),
    Type.Literal('synthesized'),
    Type.Literal('local'),
    Type.Literal('refused'),
    Type.Literal('failed'),
    Type.Literal('malformed'),
  ]),
  /** "NOERROR", "NXDOMAIN", ... */
  rcode: Type.String(),
  /** 0 for answers from memory. */
  durationMs: Type.Integer(),
});

export const Nat64Event = Type.Object({
  ...eventHead,
  kind: Type.Literal('nat64'),
  what: Type.Union([
    Type.Literal('mapping-created'),
    Type.Literal('mapping-removed'),
    Type.Literal('session-created'),
    Type.Literal('session-removed'),
  ]),
  protocol: Type.Union([Type.Literal('tcp'), Type.Literal('udp'), Type.Literal('icmp')]),
  client: Type.String(),
  /** For ICMP, identifiers. */
  clientPort: Type.Integer(),
  /** Name of the server in the configuration that has the address. */
  server: Nullable(Type.String()),
  poolAddress: Type.String(),
  poolPort: Type.Integer(),
  /** The other end of a session; null for a mapping, which has many. */
  remote: Nullable(Type.String()),
  remotePort: Nullable(Type.Integer()),
});

/** A service changed its state: it failed, recovered, or its thread was replaced. */
export const ServiceEvent = Type.Object({
  ...eventHead,
  kind: Type.Literal('service'),
  service: Type.String(),
  state: Type.Union([
    Type.Literal('running'),
    Type.Literal('degraded'),
    Type.Literal('disabled'),
    Type.Literal('failed'),
    Type.Literal('unknown'),
  ]),
  problem: Nullable(Type.String()),
  restarts: Type.Integer(),
});

/** The measured health of a server has changed. What follows `before` is of the probe that decides the state: null when all is well. */
export const HealthEvent = Type.Object({
  ...eventHead,
  kind: Type.Literal('health'),
  server: Type.String(),
  state: FindingState,
  before: FindingState,
  probe: Nullable(ProbeName),
  /** What uses the port: the name of a listener of the proxy, or "ssh". */
  service: Nullable(Type.String()),
  port: Nullable(Type.Integer()),
  hostname: Nullable(Type.String()),
  detail: Nullable(Type.String()),
  /** Probes that are not well. */
  failing: Type.Integer(),
});

/** Something outside of the traffic: another program changed what we had set, a file was damaged. */
export const NoticeEvent = Type.Object({
  ...eventHead,
  kind: Type.Literal('notice'),
  /** Name of the service, or of the part of the process, that it belongs to. */
  service: Type.String(),
  /** ok: it was put right. warn: something is less than it should be. fail: something does not work. */
  severity: Type.Union([Type.Literal('ok'), Type.Literal('warn'), Type.Literal('fail')]),
  text: Type.String(),
});

export const LiveEvent = Type.Union([
  ConnectionEvent,
  DnsEvent,
  Nat64Event,
  ServiceEvent,
  HealthEvent,
  NoticeEvent,
]);

/** Newest first. */
export const EventsAnswer = Type.Object({
  events: Type.Array(LiveEvent),
  /** For the parameter "cursor" of the next request, which goes on with older ones; null at the end. */
  nextCursor: Nullable(Type.Integer()),
  /** Id of the oldest event still known; null when there is none. */
  oldest: Nullable(Type.Integer()),
  /** Events since the start that were not recorded, because there were too many at once. */
  lost: Type.Integer(),
});

/** Filters of GET events and GET live. */
export const EventsQuery = Type.Object(
  {
    kind: Type.Optional(
      Type.String({
        pattern:
          '^(connection|dns|nat64|service|health|notice)(,(connection|dns|nat64|service|health|notice))*$',
        title: 'Which kinds',
        expected: '"connection", "dns", "nat64", "service", "health", "notice", or several with commas',
      }),
    ),
    client: Type.Optional(
      Type.String({
        format: 'ip-prefix',
        title: 'Which clients',
        expected: 'an IP address or prefix such as 203.0.113.9 or 2001:db8:1::/64',
      }),
    ),
    server: Type.Optional(
      Type.String({ pattern: '^[^\\s]{1,63}$', title: 'Which server', expected: 'the name of a server' }),
    ),
    text: Type.Optional(
      Type.String({
        pattern: '^.{1,100}$',
        title: 'A part of a name, an address or a reason',
        expected: '1 to 100 characters',
      }),
    ),
    cursor: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,16}$',
        title: 'Where to go on',
        expected: 'the nextCursor of the answer before',
      }),
    ),
    limit: Type.Optional(
      Type.String({
        pattern: '^([1-9][0-9]?|[1-4][0-9]{2}|500)$',
        title: 'Events at most',
        expected: 'a whole number from 1 to 500',
      }),
    ),
  },
  strict,
);

/**
 * The data of the SSE events of GET live?topics=status,counters,sample,events (default: all). The id of an `events`
 * event is that of its last event; a browser sends it back as Last-Event-ID, and misses nothing that is still known.
 *
 * status   StatusAnswer, at first and when a service's state, problem or restarts change, else every 10 s
 * counters LiveCounters, each second
 * sample   LiveSample, every 10 s: what goes into the history
 * events   LiveEvent[], oldest first, each second at most
 * end      LiveEnd: the stream ends and must not be opened again without signing in
 */
export const LiveCounters = Type.Object({
  at: Type.String(),
  /** The first message has every counter; later ones those that changed. Values since the start, not differences. */
  services: Type.Record(Type.String(), Type.Record(Type.String(), Type.Number())),
  /** The same by name of the server: bytes-up, bytes-down, accepted; connections is how many are open now. */
  hosts: Type.Record(Type.String(), Type.Record(Type.String(), Type.Number())),
});
export const LiveSample = Type.Object({
  at: Type.String(),
  /** By name of the series; null when there is no figure. */
  values: Type.Record(Type.String(), Nullable(Type.Number())),
});
export const LiveEnd = Type.Object({
  reason: Type.Union([Type.Literal('signed-out'), Type.Literal('stopping')]),
});

/**
 * GET history?series=a,b&from=ISO&to=ISO&points=300. Defaults: the last hour, 300 points. With host=NAME, the series are those of
 * HOST_SERIES, and of that server.
 */
export const HistoryAnswer = Type.Object({
  from: Type.String(),
  to: Type.String(),
  /** Time between two points; the first is at `from`. */
  stepSeconds: Type.Integer(),
  series: Type.Array(
    Type.Object({
      name: Type.String(),
      unit: Type.String(),
      /** The mean over each step; null where nothing is known. */
      mean: Type.Array(Nullable(Type.Number())),
      highest: Type.Array(Nullable(Type.Number())),
    }),
  ),
});

export const SystemAnswer = Type.Object({
  hostname: Type.String(),
  version: Type.String(),
  /** "Raspberry Pi 4 Model B Rev 1.5"; null on machines that do not say. */
  model: Nullable(Type.String()),
  kernel: Type.String(),
  uptimeSeconds: Type.Number(),
  cpu: Type.Object({
    cores: Type.Integer(),
    /** Over the last seconds, of all cores together. */
    percent: Nullable(Type.Number()),
    loadOneMinute: Type.Number(),
  }),
  memory: Type.Object({
    totalBytes: Type.Integer(),
    availableBytes: Type.Integer(),
    processRssBytes: Type.Integer(),
  }),
  temperatureCelsius: Nullable(Type.Number()),
  /** The file system of the state directory. */
  disk: Type.Object({ path: Type.String(), totalBytes: Type.Integer(), freeBytes: Type.Integer() }),
  /** What the firmware says about power and heat; null where there is no such firmware. */
  throttled: Nullable(
    Type.Object({
      isUnderVoltage: Type.Boolean(),
      isThrottled: Type.Boolean(),
      /** Since the machine started. */
      wasUnderVoltage: Type.Boolean(),
      wasThrottled: Type.Boolean(),
    }),
  ),
  clock: Type.Object({ at: Type.String(), isSynchronized: Nullable(Type.Boolean()) }),
  /** What this machine lets the page do. */
  capabilities: Type.Object({ reboot: Type.Boolean(), factoryReset: Type.Boolean(), ssh: Type.Boolean() }),
});

/** Newest first. */
export const LogsAnswer = Type.Object({
  lines: Type.Array(
    Type.Object({
      id: Type.Integer(),
      at: Type.String(),
      level: Type.Union([
        Type.Literal('debug'),
        Type.Literal('info'),
        Type.Literal('warn'),
        Type.Literal('error'),
      ]),
      message: Type.String(),
      /** What else the line says, as JSON. */
      fields: Type.Unknown(),
    }),
  ),
  nextCursor: Nullable(Type.Integer()),
});

const passphrase = Type.String({
  pattern: '^.{8,200}$',
  title: 'Passphrase of the backup',
  expected: '8 to 200 characters',
});

/** POST backup answers with the file (application/octet-stream, with a name in Content-Disposition). */
export const BackupBody = Type.Object(
  { passphrase, password: AskedPassword },
  { ...strict, expected: 'an object with the fields "passphrase" and "password"' },
);

/** POST restore?dryRun=true tells what would change; without dryRun it changes it. */
export const RestoreBody = Type.Object(
  {
    /** The file in base64. */
    file: Type.String({
      pattern: '^[A-Za-z0-9+/]+={0,2}$',
      title: 'The backup file',
      expected: 'the file in base64',
    }),
    passphrase,
    password: AskedPassword,
  },
  { ...strict, expected: 'an object with the fields "file", "passphrase" and "password"' },
);

export const RestoreAnswer = Type.Object({
  /** About the backup. */
  createdAt: Type.String(),
  version: Type.String(),
  hostname: Type.String(),
  entries: Type.Array(
    Type.Object({
      /** Path in the backup: "config.json", "state/ssh-ports.json", ... */
      name: Type.String(),
      bytes: Type.Integer(),
      change: Type.Union([Type.Literal('same'), Type.Literal('new'), Type.Literal('replaces')]),
      /** What it is, in words. */
      title: Type.String(),
    }),
  ),
  /** Of the configuration, from what is in force to what is in the backup. */
  diff: Type.Array(DiffEntry),
  isDryRun: Type.Boolean(),
  /** The process starts again to use what was restored: expect a few seconds without answers. */
  restarts: Type.Boolean(),
});

/** POST system/factory-reset: `confirm` is the appliance's hostname, as GET system tells it. */
export const FactoryResetBody = Type.Object(
  {
    confirm: Type.String({ title: 'Confirmation', expected: 'the hostname of this appliance' }),
    password: AskedPassword,
  },
  { ...strict, expected: 'an object with the fields "confirm" and "password"' },
);
export const SystemActionAnswer = Type.Object({ message: Type.String() });

export type ConnectionEvent = Static<typeof ConnectionEvent>;
export type DnsEvent = Static<typeof DnsEvent>;
export type Nat64Event = Static<typeof Nat64Event>;
export type ServiceEvent = Static<typeof ServiceEvent>;
export type HealthEvent = Static<typeof HealthEvent>;
export type NoticeEvent = Static<typeof NoticeEvent>;
export type LiveEvent = Static<typeof LiveEvent>;
export type EventsAnswer = Static<typeof EventsAnswer>;
export type EventsQuery = Static<typeof EventsQuery>;
export type LiveCounters = Static<typeof LiveCounters>;
export type LiveSample = Static<typeof LiveSample>;
export type LiveEnd = Static<typeof LiveEnd>;
export type HistoryAnswer = Static<typeof HistoryAnswer>;
export type SystemAnswer = Static<typeof SystemAnswer>;
export type LogsAnswer = Static<typeof LogsAnswer>;
export type BackupBody = Static<typeof BackupBody>;
export type RestoreBody = Static<typeof RestoreBody>;
export type RestoreAnswer = Static<typeof RestoreAnswer>;
export type FactoryResetBody = Static<typeof FactoryResetBody>;
export type SystemActionAnswer = Static<typeof SystemActionAnswer>;
