/** The sockets on which the resolver listens. Each UDP and each TCP socket can be open or missing independently. */
import type net from 'node:net';
import type { Dns64Config } from '../../config/schema.ts';
import { boundAddresses } from '../../config/values.ts';
import { sharePorts, stopAdmitting } from '../../net/listen.ts';
import { type MissingSocket, createMissing } from '../../net/missing.ts';
import { close } from '../../os/libc.ts';
import { type SocketAddress, formatSocketAddress } from '../../os/socket-address.ts';
import type { EventSink } from '../../runtime/events.ts';
import type { Logger } from '../../runtime/log.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import type { Text } from '../../texts/text.ts';
import type { UdpSocket } from './messages.ts';
import { type TcpListener, listenTcp, openUdp, stopReceiving } from './sockets.ts';
import { createInTurn } from '../../os/in-turn.ts';

type Where = Pick<Dns64Config, 'listen' | 'port'>;

interface Wanted extends SocketAddress {
  readonly protocol: 'udp' | 'tcp';
}
type Open = Wanted & ({ readonly udp: UdpSocket } | { readonly tcp: TcpListener });

export interface Endpoints {
  /** The sockets that the worker serves, and the generation of that list. */
  readonly udp: readonly UdpSocket[];
  readonly generation: number;
  /** Wanted sockets that are not open. */
  readonly problem: Text | undefined;
  /**
   * Listens on exactly these endpoints. `beforeUse` is called when the sockets are open and the worker does not know them yet.
   * Rejects, without any change, if a socket cannot be opened that was not missing before.
   */
  set(where: Where, beforeUse: () => void): Promise<void>;
  /** The worker uses this list now: sockets that are only in earlier lists are closed. */
  released(generation: number): void;
  /** Accepts no new TCP connections; those in the queue are still accepted. */
  stopAdmitting(): void;
  close(): void;
}

export interface EndpointsOptions {
  readonly log: Logger;
  readonly events: EventSink | undefined;
  readonly accept: (connection: net.Socket) => void;
  /** The list of UDP sockets has changed. */
  readonly onChange: () => void;
}

const keyOf = (of: Wanted): string => `${of.protocol} ${formatSocketAddress(of)}`;

const wantedOf = ({ listen, port }: Where): Wanted[] =>
  boundAddresses(listen).flatMap((text) => {
    const address = parseIpAddress(text);
    if (address === undefined) throw new Error(`dns64.listen: "${text}" is no address`);
    return [
      { protocol: 'udp' as const, address, port },
      { protocol: 'tcp' as const, address, port },
    ];
  });

/** Opens all sockets that are possible at the start; the others are reported and retried. */
export async function openEndpoints(where: Where, options: EndpointsOptions): Promise<Endpoints> {
  const { log, events, accept, onChange } = options;
  let current = where;
  let open: readonly Open[] = [];
  let generation = 0;
  /** Sockets that are no longer in the worker's list, but that it may still use. */
  let retired: { readonly generation: number; readonly fd: number }[] = [];
  let isClosed = false;
  const inTurn = createInTurn();
  const missing = createMissing({ service: 'dns64', log, events, retry });

  async function openOne(wanted: Wanted, mayOverlap: boolean): Promise<Open> {
    if (wanted.protocol === 'udp') return { ...wanted, udp: openUdp(wanted, mayOverlap) };
    const tcp = await listenTcp(wanted, accept, mayOverlap);
    tcp.server.on('error', (error) => log.warn({ err: error }, 'dns64: accepting TCP failed'));
    return { ...wanted, tcp };
  }

  async function change(
    where: Where,
    mayMiss: (wanted: Wanted) => boolean,
    beforeUse = () => {},
  ): Promise<void> {
    const wanted = wantedOf(where);
    const known = new Set(open.map(keyOf));
    const keys = new Set(wanted.map(keyOf));
    // A socket that the worker still reads may have an address of the new list, too.
    const leaving = [
      ...open.filter((each) => !keys.has(keyOf(each))).map(fdOf),
      ...retired.map(({ fd }) => fd),
    ];
    const opened: Open[] = [];
    const failed: MissingSocket[] = [];
    sharePorts(leaving, true);
    try {
      for (const each of wanted) {
        if (known.has(keyOf(each))) continue;
        try {
          opened.push(await openOne(each, leaving.length > 0));
        } catch (error) {
          if (!mayMiss(each)) throw error;
          failed.push({ ...each, error: error as Error });
        }
      }
    } catch (error) {
      opened.forEach(closeNow);
      throw error;
    } finally {
      // The worker may have released some of them meanwhile.
      sharePorts([...open.map(fdOf), ...retired.map(({ fd }) => fd)], false);
    }
    beforeUse();
    putInForce(where, wanted, opened, failed);
  }

  function putInForce(
    where: Where,
    wanted: readonly Wanted[],
    opened: readonly Open[],
    failed: readonly MissingSocket[],
  ): void {
    if (isClosed) return opened.forEach(closeNow);
    current = where;
    const keys = new Set(wanted.map(keyOf));
    const dropped = open.filter((each) => !keys.has(keyOf(each)));
    if (opened.length > 0 || dropped.length > 0) {
      open = [...open.filter((each) => keys.has(keyOf(each))), ...opened];
      generation++;
      for (const each of dropped) {
        if ('udp' in each) {
          stopReceiving(each.udp.fd, each);
          retired.push({ generation, fd: each.udp.fd });
        } else closeNow(each);
      }
      onChange();
    }
    const isOpen = new Set(open.map(keyOf));
    missing.set(failed, (protocol, address) => isOpen.has(keyOf({ protocol, ...address })));
  }

  function retry(): Promise<void> {
    return inTurn(() => change(current, () => true));
  }

  await inTurn(() => change(where, () => true));
  return {
    get udp() {
      return open.flatMap((each) => ('udp' in each ? [each.udp] : []));
    },
    get generation() {
      return generation;
    },
    get problem() {
      return missing.problem;
    },
    set: (where, beforeUse) =>
      inTurn(() => change(where, ({ protocol, ...address }) => missing.has(protocol, address), beforeUse)),
    released(reached) {
      for (const socket of retired) if (socket.generation <= reached) close(socket.fd);
      retired = retired.filter((socket) => socket.generation > reached);
    },
    stopAdmitting() {
      missing[Symbol.dispose]();
      for (const each of open) if ('tcp' in each) stopAdmitting(each.tcp.fd);
    },
    close() {
      isClosed = true;
      missing[Symbol.dispose]();
      open.forEach(closeNow);
      for (const { fd } of retired) close(fd);
      open = [];
      retired = [];
    },
  };
}

const fdOf = (socket: Open): number => ('udp' in socket ? socket.udp.fd : socket.tcp.fd);

function closeNow(socket: Open): void {
  if ('udp' in socket) close(socket.udp.fd);
  else socket.tcp.server.close();
}
