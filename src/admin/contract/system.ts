/** The shapes of the machine: what it is and how it does, its log, what may be done to it. SSH is in system-ssh.ts. */
import { type Static, Type } from '../../runtime/shape.ts';
import { AskedPassword } from './auth.ts';
import { Nullable, strict } from './common.ts';

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

/** POST system/factory-reset: `confirm` is the appliance's hostname, as GET system tells it. */
export const FactoryResetBody = Type.Object(
  {
    confirm: Type.String({ title: 'Confirmation', expected: 'the hostname of this appliance' }),
    password: AskedPassword,
  },
  { ...strict, expected: 'an object with the fields "confirm" and "password"' },
);

export const SystemActionAnswer = Type.Object({ message: Type.String() });

export type SystemAnswer = Static<typeof SystemAnswer>;
export type LogsAnswer = Static<typeof LogsAnswer>;
export type FactoryResetBody = Static<typeof FactoryResetBody>;
export type SystemActionAnswer = Static<typeof SystemActionAnswer>;
