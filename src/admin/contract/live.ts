/** What happens and what happened: live events, history, the machine, logs, backup. */
import type { ShownEvent } from '../../runtime/event-kind.ts';
import { type Static, type TSchema, Type } from '../../runtime/shape.ts';
import { DiffEntry } from './apply.ts';
import { AskedPassword } from './auth.ts';
import { Nullable, strict } from './common.ts';

/** An event, whichever it is. The kinds with their shapes are those of `state/event-kinds.ts`. */
export type LiveEvent = ShownEvent;

const eventsPage = {
  /** For the parameter "cursor" of the next request, which goes on with older ones; null at the end. */
  nextCursor: Nullable(Type.Integer()),
  /** Id of the oldest event still known; null when there is none. */
  oldest: Nullable(Type.Integer()),
  /** Events since the start that were not recorded, because there were too many at once. */
  lost: Type.Integer(),
};
const EventsPage = Type.Object(eventsPage);

/** Newest first; `shapes` are those of the kinds. */
export const eventsAnswer = (shapes: TSchema[]) =>
  Type.Object({ events: Type.Array(Type.Union(shapes)), ...eventsPage });
export type EventsAnswer = Static<typeof EventsPage> & { events: LiveEvent[] };

/** Filters of GET events and GET live; `kinds` are the names of the kinds. */
export const eventsQuery = (kinds: readonly string[]) => {
  const kind = `(${kinds.join('|')})`;
  return Type.Object(
    {
      kind: Type.Optional(
        Type.String({
          pattern: `^${kind}(,${kind})*$`,
          title: 'Which kinds',
          expected: `one of ${kinds.join(', ')}, or several with commas`,
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
};
export type EventsQuery = Static<ReturnType<typeof eventsQuery>>;

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

/**
 * GET system/hardware: what of the machine does not change. A part that could not be found out is null, and so is a field. Serial
 * numbers and hardware addresses are not in it.
 */
export const HardwareAnswer = Type.Object({
  board: Nullable(
    Type.Object({
      manufacturer: Nullable(Type.String()),
      model: Nullable(Type.String()),
      version: Nullable(Type.String()),
      /** What it runs in, "KVM"; null on a machine of its own. */
      virtualMachine: Nullable(Type.String()),
    }),
  ),
  processor: Nullable(
    Type.Object({
      manufacturer: Nullable(Type.String()),
      brand: Nullable(Type.String()),
      cores: Nullable(Type.Integer()),
      physicalCores: Nullable(Type.Integer()),
      /** At most. */
      ghz: Nullable(Type.Number()),
    }),
  ),
  memory: Nullable(
    Type.Object({
      totalBytes: Type.Integer(),
      modules: Type.Array(
        Type.Object({
          bytes: Type.Integer(),
          type: Nullable(Type.String()),
          mhz: Nullable(Type.Number()),
        }),
      ),
    }),
  ),
  disks: Nullable(
    Type.Array(
      Type.Object({
        name: Type.String(),
        model: Nullable(Type.String()),
        /** "SSD", "HDD", ... */
        kind: Nullable(Type.String()),
        bus: Nullable(Type.String()),
        bytes: Type.Integer(),
        isRemovable: Type.Boolean(),
      }),
    ),
  ),
  interfaces: Nullable(
    Type.Array(
      Type.Object({
        name: Type.String(),
        /** "wired", "wireless". */
        kind: Nullable(Type.String()),
        mbps: Nullable(Type.Number()),
      }),
    ),
  ),
  os: Nullable(
    Type.Object({
      distribution: Nullable(Type.String()),
      release: Nullable(Type.String()),
      codename: Nullable(Type.String()),
      kernel: Nullable(Type.String()),
      architecture: Nullable(Type.String()),
    }),
  ),
  /** The same for people. */
  lines: Type.Array(Type.Object({ title: Type.String(), text: Type.String() })),
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

export type { HealthEvent, NoticeEvent, ServiceEvent } from '../../runtime/own-events.ts';
export type LiveCounters = Static<typeof LiveCounters>;
export type LiveSample = Static<typeof LiveSample>;
export type LiveEnd = Static<typeof LiveEnd>;
export type HistoryAnswer = Static<typeof HistoryAnswer>;
export type SystemAnswer = Static<typeof SystemAnswer>;
export type HardwareAnswer = Static<typeof HardwareAnswer>;
export type LogsAnswer = Static<typeof LogsAnswer>;
export type BackupBody = Static<typeof BackupBody>;
export type RestoreBody = Static<typeof RestoreBody>;
export type RestoreAnswer = Static<typeof RestoreAnswer>;
export type FactoryResetBody = Static<typeof FactoryResetBody>;
export type SystemActionAnswer = Static<typeof SystemActionAnswer>;
