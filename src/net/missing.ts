/**
 * Sockets to listen on that cannot be had: another program has the port, or the address is not there yet. Each is missing by
 * itself, told with what is in its way, and tried again until it is there; the rest of the service goes on.
 */
import type { Logger } from '../runtime/log.ts';
import type { EventSink } from '../runtime/events.ts';
import { findPortOwner } from '../os/socket-owner.ts';
import { formatSocketAddress, type SocketAddress } from '../os/socket-address.ts';
import { type Text, english, listOf, reasonOf, say } from '../texts/text.ts';

/** How soon a port that became free is had. */
export const RETRY_MS = 2000;
/** How often it is looked up who has the port: that walks all processes. */
const LOOK_UP_EVERY = 15;
/** Named in the problem; of more only the number is told. */
const MAX_TOLD = 4;

export interface MissingSocket extends SocketAddress {
  readonly protocol: 'tcp' | 'udp';
  /** What was tried and what came of it; has the `code` of a system call. */
  readonly error: Error;
}

export interface MissingSockets extends Disposable {
  readonly size: number;
  has(protocol: MissingSocket['protocol'], address: SocketAddress): boolean;
  /**
   * Takes over what is missing now. What is not any more is told as open if `isOpen` says so, else forgotten: the
   * configuration does not want it any more.
   */
  set(
    missing: readonly MissingSocket[],
    isOpen: (protocol: MissingSocket['protocol'], address: SocketAddress) => boolean,
  ): void;
  /** What is wrong, with addresses, ports, reasons and programs; undefined when nothing is missing. */
  readonly problem: Text | undefined;
}

export interface MissingOptions {
  /** Name of the service's report. */
  readonly service: string;
  readonly log: Logger;
  readonly events?: EventSink | undefined;
  /** Tries again, and calls `set` with what is still missing. */
  readonly retry: () => Promise<void>;
}

interface Known {
  readonly socket: MissingSocket;
  attempts: number;
  reason: Text;
}

const keyOf = (protocol: string, address: SocketAddress) => `${protocol} ${formatSocketAddress(address)}`;

export function createMissing({ service, log, events, retry }: MissingOptions): MissingSockets {
  let known = new Map<string, Known>();
  let timer: NodeJS.Timeout | undefined;
  let isDisposed = false;

  function schedule(): void {
    if (known.size === 0 || isDisposed || timer !== undefined) return;
    timer = setTimeout(() => {
      void retry()
        .catch((err: unknown) => log.error({ err }, `${service}: trying again to listen failed`))
        .then(() => {
          timer = undefined;
          schedule();
        });
    }, RETRY_MS).unref();
  }

  async function explain(entry: Known, isNew: boolean): Promise<void> {
    const { socket } = entry;
    entry.reason = await reasonWhy(socket).catch(() => reasonOf(socket.error));
    if (isNew) log.error({ err: socket.error, reason: english(entry.reason) }, `${service}: cannot listen`);
  }

  return {
    get size() {
      return known.size;
    },
    has: (protocol, address) => known.has(keyOf(protocol, address)),
    set(missing, isOpen) {
      const next = new Map<string, Known>();
      for (const socket of missing) {
        const key = keyOf(socket.protocol, socket);
        const before = known.get(key);
        const isSame = before !== undefined && codeOf(before.socket) === codeOf(socket);
        const entry: Known = isSame ? before : { socket, attempts: 0, reason: reasonOf(socket.error) };
        next.set(key, entry);
        if (entry.attempts++ % LOOK_UP_EVERY === 0) void explain(entry, before === undefined);
      }
      for (const [key, { socket }] of known) {
        if (next.has(key) || !isOpen(socket.protocol, socket)) continue;
        const where = { protocol: socket.protocol.toUpperCase(), address: formatSocketAddress(socket) };
        log.info(where, `${service}: listens now`);
        const text = say('{protocol} {address} could not be had before and is open now.', where);
        events?.put({ kind: 'notice', service, severity: 'ok', text }, Date.now());
      }
      known = next;
      schedule();
    },
    get problem() {
      if (known.size === 0) return undefined;
      const told = [...known.values()].slice(0, MAX_TOLD).map(({ reason }) => reason);
      const more = known.size - told.length;
      const list = listOf(more > 0 ? [...told, say('and {count} more', { count: more })] : told, '; ');
      return say('{list}. It is tried again every {seconds} s.', { list, seconds: RETRY_MS / 1000 });
    },
    [Symbol.dispose]() {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}

const codeOf = ({ error }: MissingSocket): unknown => (error as NodeJS.ErrnoException).code;

/** What was tried, and what is in the way as far as it can be known. */
async function reasonWhy(socket: MissingSocket): Promise<Text> {
  const tried = reasonOf(socket.error);
  switch (codeOf(socket)) {
    case 'EADDRINUSE': {
      const owner = await findPortOwner(socket);
      return owner === undefined
        ? say('{tried} (another program has this port)', { tried })
        : say('{tried} (taken by {owner})', { tried, owner });
    }
    case 'EADDRNOTAVAIL':
      return say('{tried} (this machine does not have the address now)', { tried });
    default:
      return tried;
  }
}
