/**
 * What of the machine does not change: board, processor, memory, disks, interfaces, operating system. A program of its own finds
 * it out when somebody first asks (hardware-probe.ts); it has a time limit, and what it has not found by then is absent.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { asIs, listOf, say, type Text } from '../texts/text.ts';

/** Each part is null where it could not be had, and so is each field. */
export interface Hardware {
  readonly os: {
    readonly distribution: string | null;
    readonly release: string | null;
    readonly codename: string | null;
    readonly kernel: string | null;
    readonly architecture: string | null;
  } | null;
  readonly memory: {
    readonly totalBytes: number;
    readonly modules: readonly {
      readonly bytes: number;
      readonly type: string | null;
      readonly mhz: number | null;
    }[];
  } | null;
  readonly processor: {
    readonly manufacturer: string | null;
    readonly brand: string | null;
    readonly cores: number | null;
    readonly physicalCores: number | null;
    /** At most. */
    readonly ghz: number | null;
  } | null;
  readonly interfaces:
    | readonly {
        readonly name: string;
        /** "wired" or "wireless". */
        readonly kind: string | null;
        readonly mbps: number | null;
      }[]
    | null;
  readonly disks:
    | readonly {
        readonly name: string;
        readonly model: string | null;
        /** "SSD", "HDD", "USB", ... */
        readonly kind: string | null;
        readonly bus: string | null;
        readonly bytes: number;
        readonly isRemovable: boolean;
      }[]
    | null;
  readonly board: {
    readonly manufacturer: string | null;
    readonly model: string | null;
    readonly version: string | null;
    /** What it runs in ("KVM"); null on a machine of its own. */
    readonly virtualMachine: string | null;
  } | null;
}

export const NO_HARDWARE: Hardware = {
  os: null,
  memory: null,
  processor: null,
  interfaces: null,
  disks: null,
  board: null,
};

const LIMIT_SECONDS = 10;
/** A stick may be plugged in, a link get another speed; but nobody pays for a second look at once. */
const KEPT_MS = 3_600_000;
const MAX_PRINTED_BYTES = 1 << 18;

export interface HardwareSource {
  /** Never rejects. Who asks while it is being found out, or within an hour, is told the same. */
  find(): Promise<Hardware>;
}

export interface HardwareOptions {
  /** What prints the parts, each a line of JSON: [name, value]. */
  readonly program?: string;
  readonly limitSeconds?: number;
  readonly nowMs?: () => number;
}

export function createHardware({
  program = fileURLToPath(new URL('hardware-probe.ts', import.meta.url)),
  limitSeconds = LIMIT_SECONDS,
  nowMs = () => performance.now(),
}: HardwareOptions = {}): HardwareSource {
  let found: Promise<Hardware> | undefined;
  let foundMs = -Infinity;
  return {
    find() {
      if (found === undefined || nowMs() - foundMs >= KEPT_MS) {
        foundMs = nowMs();
        found = printedBy(program, limitSeconds).then(readParts);
      }
      return found;
    },
  };
}

/** What a program of ours prints before its end or its limit. timeout(1) ends what it has started in turn, too. */
function printedBy(program: string, limitSeconds: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const args = ['--signal=KILL', String(limitSeconds), process.execPath, program];
  execFile('timeout', args, { encoding: 'utf8', maxBuffer: MAX_PRINTED_BYTES }, (_error, stdout) =>
    resolve(stdout),
  );
  return promise;
}

/** The last line may be cut off. */
function readParts(printed: string): Hardware {
  const parts = printed.split('\n').flatMap((line): [string, unknown][] => {
    try {
      return [JSON.parse(line) as [string, unknown]];
    } catch {
      return [];
    }
  });
  return { ...NO_HARDWARE, ...Object.fromEntries(parts.filter(([name]) => name in NO_HARDWARE)) };
}

/** A line for people. */
export interface HardwareLine {
  readonly title: Text;
  readonly text: Text;
}

/** What is known, a line each; nothing for what is not. */
export function hardwareLines({ board, processor, memory, disks, interfaces, os }: Hardware): HardwareLine[] {
  return [
    board !== null && line(say('Board'), boardWords(board)),
    processor !== null && line(say('Processor'), processorWords(processor)),
    memory !== null && line(say('Memory'), memoryWords(memory)),
    ...(disks ?? []).map(({ name, model, kind, bus, bytes }) =>
      line(say('Disk {name}', { name }), [model, kind ?? bus, decimal(bytes)]),
    ),
    ...(interfaces ?? []).map(({ name, kind, mbps }) =>
      line(say('Interface {name}', { name }), [
        kind === 'wired' ? say('wired') : kind === 'wireless' ? say('wireless') : kind,
        mbps === null ? null : `${mbps} Mbit/s`,
      ]),
    ),
    os !== null &&
      line(say('Operating system'), [
        words(os.distribution, os.release, os.codename === null ? null : `(${os.codename})`),
        os.kernel === null ? null : `Linux ${os.kernel}`,
        os.architecture,
      ]),
  ].filter((each) => each !== false && each !== undefined);
}

type Word = string | Text | null;

function line(title: Text, parts: readonly Word[]): HardwareLine | undefined {
  const known = parts.flatMap((part) => (part === null || part === '' ? [] : [part]));
  return known.length === 0 ? undefined : { title, text: listOf(known) };
}

const words = (...parts: readonly (string | null)[]): string =>
  parts.filter((part) => part !== null).join(' ');

function boardWords({
  manufacturer,
  model,
  version,
  virtualMachine,
}: NonNullable<Hardware['board']>): Word[] {
  const name = words(manufacturer, model, version);
  return [name, virtualMachine === null ? null : say('a virtual machine ({kind})', { kind: virtualMachine })];
}

function processorWords({ manufacturer, brand, cores, ghz }: NonNullable<Hardware['processor']>): Word[] {
  return [
    words(manufacturer, brand),
    cores === null ? null : cores === 1 ? say('1 core') : say('{count} cores', { count: cores }),
    ghz === null ? null : listOf([ghz, 'GHz'], ' '),
  ];
}

const memoryWords = ({ totalBytes, modules }: NonNullable<Hardware['memory']>): Word[] => [
  listOf([round(totalBytes / 2 ** 30), 'GiB'], ' '),
  ...modules.map(({ bytes, type, mhz }) =>
    asIs(words(`${round(bytes / 2 ** 30)} GiB`, type, mhz === null ? null : `${mhz} MHz`)),
  ),
];

/** Disks are sold by powers of ten. */
const decimal = (bytes: number): Text =>
  bytes >= 1e9 ? listOf([round(bytes / 1e9), 'GB'], ' ') : listOf([round(bytes / 1e6), 'MB'], ' ');

const round = (value: number): number => Number(value.toPrecision(value >= 100 ? 3 : 2));
