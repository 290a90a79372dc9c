/**
 * The kernel's part of the translator on the devices of the machine: its maps and programs, which live in the main
 * thread, so that flows go on while a worker is started again. Where the kernel is too old, or does not let us, the
 * translator works without.
 */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { attachToIngress, createHashMap, createPerCpuValue, loadClassifier } from '../../os/bpf.ts';
import { close } from '../../os/libc.ts';
import type { Logger } from '../../runtime/log.ts';
import { FLOW_BYTES, KEY4_BYTES, KEY6_BYTES, TALLY_BYTES } from './fast-path-record.ts';
import type { FlowMaps } from './fast-path-flows.ts';
import { fastPathProgram } from './fast-path-program.ts';

export interface FastPath extends Disposable {
  readonly maps: FlowMaps;
  /** Names of the devices that the program is on. */
  readonly devices: readonly string[];
  /** Follows the devices of the machine: those that have an address. */
  refresh(): void;
}

/** ARPHRD_... of /sys/class/net/NAME/type -> bytes of the link header. Devices of other kinds are left alone. */
const LINK_HEADER_BYTES: Readonly<Record<string, number>> = {
  '1': 14, // Ethernet
  '512': 0, // PPP
  '65534': 0, // none: TUN, WireGuard
};

interface Attachment {
  readonly index: number;
  readonly link: number;
}

/** Undefined, with a line in the log that says why, where it cannot be had. */
export function startFastPath(
  device: string,
  maxFlows: number,
  log: Pick<Logger, 'info' | 'warn'>,
): FastPath | undefined {
  using cleanUp = new DisposableStack();
  const owned = (fd: number): number => cleanUp.adopt(fd, close);
  try {
    const maps: FlowMaps = {
      flows6: owned(createHashMap(KEY6_BYTES, FLOW_BYTES, maxFlows)),
      flows4: owned(createHashMap(KEY4_BYTES, FLOW_BYTES, maxFlows)),
      tally: owned(createPerCpuValue(TALLY_BYTES)),
    };
    const tunIndex = interfaceIndex(device);
    const programs = new Map<number, number>();
    const attachments = new Map<string, Attachment>();
    cleanUp.defer(() => attachments.forEach(({ link }) => void close(link)));
    const program = (linkHeaderBytes: number): number => {
      const loaded =
        programs.get(linkHeaderBytes) ??
        owned(loadClassifier('tombolo_nat64', fastPathProgram({ ...maps, tunIndex, linkHeaderBytes })));
      programs.set(linkHeaderBytes, loaded);
      return loaded;
    };
    const refresh = () => {
      const wanted = attachable(device);
      for (const [name, { index, link }] of attachments) {
        if (wanted.get(name)?.index === index) continue;
        close(link);
        attachments.delete(name);
      }
      for (const [name, { index, linkHeaderBytes }] of wanted) {
        if (attachments.has(name)) continue;
        attachments.set(name, { index, link: attachToIngress(program(linkHeaderBytes), index, name) });
      }
    };
    refresh();
    const owner = cleanUp.move();
    return {
      maps,
      get devices() {
        return [...attachments.keys()];
      },
      refresh() {
        try {
          refresh();
        } catch (error) {
          // A device that went away in between; the next look tells.
          log.warn({ err: error }, 'nat64: fast path: a device was left out');
        }
      },
      [Symbol.dispose]: () => owner.dispose(),
    };
  } catch (error) {
    log.info(
      { reason: (error as Error).message },
      'nat64: no fast path, every packet takes the way through the translator',
    );
    return undefined;
  }
}

const attribute = (device: string, name: string): string =>
  readFileSync(`/sys/class/net/${device}/${name}`, 'utf8').trim();

const interfaceIndex = (device: string): number => Number(attribute(device, 'ifindex'));

/** Devices that have an address (so none that is part of a bridge), by name; not our own, nor the loopback. */
function attachable(ownDevice: string): Map<string, { index: number; linkHeaderBytes: number }> {
  const found = new Map<string, { index: number; linkHeaderBytes: number }>();
  for (const name of Object.keys(networkInterfaces())) {
    if (name === ownDevice) continue;
    try {
      const linkHeaderBytes = LINK_HEADER_BYTES[attribute(name, 'type')];
      if (linkHeaderBytes !== undefined) found.set(name, { index: interfaceIndex(name), linkHeaderBytes });
    } catch {
      // Gone since it was listed.
    }
  }
  return found;
}
