/** The shapes of the machine: what it is, its state, its log, the actions on it. SSH is in system-ssh.ts. */
import { type Static, Type } from '../../runtime/shape.ts';
import { AskedPassword } from './auth.ts';
import { Nullable, strict } from './common.ts';

export const SystemAnswer = Type.Object({
  hostname: Type.String(),
  version: Type.String(),
  /** "Raspberry Pi 4 Model B Rev 1.5"; null on machines that do not report it. */
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
  /** What the firmware reports about power and temperature; null if there is no such firmware. */
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
  /** Which actions this machine allows the page to do. */
  capabilities: Type.Object({ reboot: Type.Boolean(), factoryReset: Type.Boolean(), ssh: Type.Boolean() }),
});

/**
 * GET system/hardware: facts about the machine that do not change. A part or field that is unknown is null. Serial numbers and
 * hardware addresses are not included.
 */
export const HardwareAnswer = Type.Object({
  board: Nullable(
    Type.Object({
      manufacturer: Nullable(Type.String()),
      model: Nullable(Type.String()),
      version: Nullable(Type.String()),
      /** The hypervisor, "KVM"; null on real hardware. */
      virtualMachine: Nullable(Type.String()),
    }),
  ),
  processor: Nullable(
    Type.Object({
      manufacturer: Nullable(Type.String()),
      brand: Nullable(Type.String()),
      cores: Nullable(Type.Integer()),
      physicalCores: Nullable(Type.Integer()),
      /** The maximum. */
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
      /** The other fields of the line, as JSON. */
      fields: Type.Unknown(),
    }),
  ),
  nextCursor: Nullable(Type.Integer()),
});

/** POST system/factory-reset: `confirm` is the appliance's hostname, as in GET system. */
export const FactoryResetBody = Type.Object(
  {
    confirm: Type.String({ title: 'Confirmation', expected: 'the hostname of this appliance' }),
    password: AskedPassword,
  },
  { ...strict, expected: 'an object with the fields "confirm" and "password"' },
);

export const SystemActionAnswer = Type.Object({ message: Type.String() });

export type SystemAnswer = Static<typeof SystemAnswer>;
export type HardwareAnswer = Static<typeof HardwareAnswer>;
export type LogsAnswer = Static<typeof LogsAnswer>;
export type FactoryResetBody = Static<typeof FactoryResetBody>;
export type SystemActionAnswer = Static<typeof SystemActionAnswer>;
