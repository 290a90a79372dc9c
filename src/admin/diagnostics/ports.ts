/** The ports that the configuration wants, which of them are open, and who has those that are not. Pure. */
import type { Config } from '../../config/schema.ts';
import { type ListeningSocket, isInTheWay } from '../../os/proc-net.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { type Text, asIs, say } from '../../texts/text.ts';

export interface WantedPort {
  readonly protocol: 'tcp' | 'udp';
  /** As configured. */
  readonly address: string;
  readonly port: number;
  /** "listener https", "SSH port of web1", ... */
  readonly wantedBy: Text;
  /** Who takes the clients of the Internet: "proxy https", "forward web1"; undefined for ports that are not for them. */
  readonly taker: string | undefined;
}

/** `sshPorts`: the SSH port of each server that has one. */
export function wantedPorts(config: Config, sshPorts: Readonly<Record<string, number>>): WantedPort[] {
  const { proxy, forward, dns64, admin, hosts } = config;
  // A listener is open while a server uses it.
  const used = new Set(hosts.flatMap(({ services }) => services));
  const ports = (
    addresses: readonly string[],
    port: number,
    wantedBy: Text,
    taker?: string,
    protocol: 'tcp' | 'udp' = 'tcp',
  ): WantedPort[] => addresses.map((address) => ({ protocol, address, port, wantedBy, taker }));
  return [
    ...proxy.listeners
      .filter(({ name }) => used.has(name))
      .flatMap(({ name, port }) =>
        ports(proxy.listen, port, say('listener {name}', { name }), `proxy ${name}`),
      ),
    ...Object.entries(sshPorts).flatMap(([name, port]) =>
      ports(forward.listen, port, say('SSH port of {name}', { name }), `forward ${name}`),
    ),
    ...(dns64.enabled
      ? [
          ...ports(dns64.listen, dns64.port, asIs('DNS64'), undefined, 'udp'),
          ...ports(dns64.listen, dns64.port, asIs('DNS64')),
        ]
      : []),
    ...ports(admin.listen, admin.port, say('control panel')),
  ];
}

export interface PortState extends WantedPort {
  readonly isOpen: boolean;
  /** The socket of another program that is in the way. */
  readonly obstacle: ListeningSocket | undefined;
}

/** What became of each wanted port; `own` are the inodes of this process's sockets. */
export function statesOfPorts(
  wanted: readonly WantedPort[],
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
