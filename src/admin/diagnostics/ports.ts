/** The ports that the configuration needs, which of them are open, and which programs use the others. Pure. */
import type { Config } from '../../config/schema.ts';
import { type ListeningSocket, isInTheWay } from '../../os/proc-net.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { SERVICES } from '../../services/all.ts';
import { type WantedSocket, socketsAt } from '../../services/description.ts';
import { say } from '../../texts/text.ts';

/** `sshPorts`: the SSH port of each server that has one. */
export const wantedPorts = (config: Config, sshPorts: Readonly<Record<string, number>>): WantedSocket[] => [
  ...SERVICES.flatMap((service) => service.sockets?.(config, sshPorts) ?? []),
  ...socketsAt(config.admin.listen, config.admin.port, say('control panel')),
];

export interface PortState extends WantedSocket {
  readonly isOpen: boolean;
  /** The socket of another program that is in the way. */
  readonly obstacle: ListeningSocket | undefined;
}

/** The state of each needed port; `own` are the inodes of this process's sockets. */
export function statesOfPorts(
  wanted: readonly WantedSocket[],
  sockets: readonly ListeningSocket[],
  own: ReadonlySet<number>,
): PortState[] {
  return wanted.map((port) => {
    const address = parseIpAddress(port.address) ?? new Uint8Array(16);
    const same = sockets.filter((socket) => socket.protocol === port.protocol && socket.port === port.port);
    const isOpen = same.some(({ inode, address: other }) => own.has(inode) && isEqual(other, address));
    const obstacle = isOpen
      ? undefined
      : same.find((socket) => !own.has(socket.inode) && isInTheWay(socket, { ...port, address }));
    return { ...port, isOpen, obstacle };
  });
}

const isEqual = (a: Uint8Array, b: Uint8Array) => a.every((byte, i) => byte === b[i]);
