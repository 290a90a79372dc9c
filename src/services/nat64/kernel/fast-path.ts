/**
 * The fast path: the maps and programs of the kernel's part of the translator, on the devices of the machine. They belong to the
 * main thread, so that flows continue while a worker is restarted. If the kernel is too old or refuses, the translator works
 * without them.
 */
import { readFileSync } from 'node:fs';
import { interfaceAddresses } from '../../../os/interfaces.ts';
import { attachToIngress, isAttachedToIngress } from '../../../os/bpf.ts';
import { loadBpfObject } from '../../../os/libbpf.ts';
import { close, int32 } from '../../../os/libc.ts';
import type { Logger } from '../../../runtime/log.ts';
import { type Text, reasonOf } from '../../../texts/text.ts';
import type { KeptPrograms } from './steering.ts';
import { MAP, OBJECT_FILE, PROGRAMS } from './fast-path-record.ts';
import type { FlowMaps } from './fast-path-flows.ts';

/** The programs, by the length of the link header in bytes, and their maps. They stay in the kernel until they are disposed. */
export interface FastPathPrograms extends Disposable {
  readonly maps: FlowMaps;
  readonly programs: ReadonlyMap<number, number>;
}

export interface FastPath extends KeptPrograms, Disposable {
  readonly maps: FlowMaps;
  /** Names of the devices that the program is attached to. */
  readonly devices: readonly string[];
  /**
   * Follows the devices of the machine: those that have an address. A program that another program detached stays missing until
   * `refresh`: the keeper of the kernel state puts it back, and reports it.
   */
  follow(): void;
}

/** ARPHRD_... from /sys/class/net/NAME/type -> bytes of the link header. Devices of other types are not used. */
const LINK_HEADER_BYTES: Readonly<Record<string, number>> = {
  '1': 14, // Ethernet
  '512': 0, // PPP
  '65534': 0, // none: TUN, WireGuard
};

interface Device {
  readonly index: number;
  readonly linkHeaderBytes: number;
}

export interface Attachments extends KeptPrograms, Disposable {
  readonly devices: readonly string[];
  /** Attaches the program to new devices, and detaches it from devices that are gone. */
  follow(): void;
  /** The same, and attaches the program again where another program detached it. */
  refresh(): void;
}

export interface AttachmentsOptions {
  /** By name: the devices that the program should be attached to. */
  readonly wanted: () => ReadonlyMap<string, Device>;
  /** Attaches the program to a device; throws if the device refuses. Returns the argument for `detach`. */
  readonly attach: (name: string, device: Device) => number;
  readonly detach: (link: number) => void;
  /** False if another program has detached it. */
  readonly isAttached: (link: number) => boolean;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * Keeps the program attached while devices come and go. A device that refuses is left out, logged once per reason, and retried at
 * each refresh. If every device refuses, the kernel is the cause: then this throws the error of the first one.
 */
export function createAttachments({
  wanted,
  attach,
  detach,
  isAttached,
  log,
}: AttachmentsOptions): Attachments {
  const attached = new Map<string, { readonly index: number; readonly link: number }>();
  /** By name: why a device is left out. */
  const refusals = new Map<string, string>();

  /** Returns the devices that refuse and have not refused before with the same reason. */
  function update(putsBack: boolean): { readonly name: string; readonly error: unknown }[] {
    const devices = wanted();
    for (const [name, { index, link }] of attached) {
      if (devices.get(name)?.index === index && (!putsBack || isAttached(link))) continue;
      detach(link);
      attached.delete(name);
    }
    for (const name of refusals.keys()) if (!devices.has(name)) refusals.delete(name);
    const refused: { name: string; error: unknown }[] = [];
    for (const [name, device] of devices) {
      if (attached.has(name)) continue;
      try {
        attached.set(name, { index: device.index, link: attach(name, device) });
        refusals.delete(name);
      } catch (error) {
        const reason = String(error);
        if (refusals.get(name) !== reason) refused.push({ name, error });
        refusals.set(name, reason);
      }
    }
    return refused;
  }

  const reportRefused = (refused: ReturnType<typeof update>) => {
    for (const { name, error } of refused)
      log.warn({ err: error, device: name }, 'nat64: fast path: a device was left out');
  };

  const refused = update(true);
  if (attached.size === 0 && refused.length > 0) throw refused[0].error;
  reportRefused(refused);
  return {
    get devices() {
      return [...attached.keys()];
    },
    attached() {
      const devices = wanted();
      // If the device is gone or was replaced, its program is not missing.
      const kept = [...attached].filter(([name, { index }]) => devices.get(name)?.index === index);
      return new Map(kept.map(([name, { link }]) => [name, isAttached(link)]));
    },
    follow: () => reportRefused(update(false)),
    refresh: () => reportRefused(update(true)),
    [Symbol.dispose]: () => attached.forEach(({ link }) => detach(link)),
  };
}

/** What is needed to load the programs. */
export interface FastPathOptions {
  readonly maxFlows: number;
  /** Index of the TUN device. */
  readonly tunIndex: number;
  /** For tests. */
  readonly objectFile?: string;
  readonly library?: string | undefined;
}

/** Loads the programs into the kernel; throws if libbpf is missing or the kernel refuses them. */
export function loadFastPath({ maxFlows, tunIndex, objectFile, library }: FastPathOptions): FastPathPrograms {
  const object = loadBpfObject({
    file: objectFile ?? OBJECT_FILE,
    maxEntries: { [MAP.FLOWS6]: maxFlows, [MAP.FLOWS4]: maxFlows },
    constants: int32(tunIndex),
    maps: Object.values(MAP),
    programs: [...PROGRAMS.values()],
    library,
  });
  return {
    maps: {
      flows6: object.maps[MAP.FLOWS6],
      flows4: object.maps[MAP.FLOWS4],
      tally: object.maps[MAP.TALLY],
      paused: object.maps[MAP.PAUSED],
    },
    programs: new Map([...PROGRAMS].map(([bytes, name]) => [bytes, object.programs[name]])),
    [Symbol.dispose]: () => object[Symbol.dispose](),
  };
}

/** Starts the fast path; if that is impossible, returns the reason as a text. */
export function startFastPath(
  device: string,
  maxFlows: number,
  log: Pick<Logger, 'info' | 'warn'>,
  library?: string,
): FastPath | { readonly off: Text } {
  using cleanUp = new DisposableStack();
  try {
    const tunIndex = interfaceIndex(device);
    const { maps, programs } = cleanUp.use(loadFastPath({ maxFlows, tunIndex, library }));
    const attachments = cleanUp.use(
      createAttachments({
        wanted: () => attachable(device),
        attach: (name, { index, linkHeaderBytes }) =>
          attachToIngress(programs.get(linkHeaderBytes)!, index, name),
        detach: close,
        isAttached: isAttachedToIngress,
        log,
      }),
    );
    const resources = cleanUp.move();
    return {
      maps,
      get devices() {
        return attachments.devices;
      },
      attached: () => attachments.attached(),
      follow: () => attachments.follow(),
      refresh: () => attachments.refresh(),
      [Symbol.dispose]: () => resources.dispose(),
    };
  } catch (error) {
    log.info(
      { reason: (error as Error).message },
      'nat64: no fast path, every packet takes the way through the translator',
    );
    return { off: reasonOf(error) };
  }
}

const attribute = (device: string, name: string): string =>
  readFileSync(`/sys/class/net/${device}/${name}`, 'utf8').trim();

const interfaceIndex = (device: string): number => Number(attribute(device, 'ifindex'));

/** By name: devices that have an address (so no members of a bridge), except our own and the loopback. */
function attachable(ownDevice: string): Map<string, Device> {
  const found = new Map<string, Device>();
  for (const name of Object.keys(interfaceAddresses())) {
    if (name === ownDevice) continue;
    try {
      const linkHeaderBytes = LINK_HEADER_BYTES[attribute(name, 'type')];
      if (linkHeaderBytes !== undefined) found.set(name, { index: interfaceIndex(name), linkHeaderBytes });
    } catch {
      // The device has disappeared since it was listed.
    }
  }
  return found;
}
