/**
 * Sockets to listen on that cannot be opened: another program uses the port, or the address does not exist yet. Each one is
 * reported separately, with the reason, and retried until it is open. The rest of the service continues.
 */
import type { Logger } from '../runtime/log.ts';
import type { EventSink } from '../runtime/events.ts';
import { findPortOwner } from '../os/socket-owner.ts';
import { formatSocketAddress, type SocketAddress } from '../os/socket-address.ts';
import { type Text, english, listOf, reasonOf, say } from '../texts/text.ts';

/** How soon a port is taken after it has become free. */
export const RETRY_MS = 2000;
/** The program that uses the port is looked up in the first attempt and then in every 15th, because that walks all processes. */
const LOOK_UP_EVERY = 15;
/** How many sockets the problem lists; for the others it only gives the number. */
const MAX_SHOWN = 4;

export interface MissingSocket extends SocketAddress {
  readonly protocol: 'tcp' | 'udp';
  /** The error of the last attempt; it has the `code` of a system call. */
  readonly error: Error;
}

export interface MissingSockets extends Disposable {
  readonly size: number;
  has(protocol: MissingSocket['protocol'], address: SocketAddress): boolean;
  /**
   * Sets the sockets that are missing now. A socket that is no longer missing is reported as open if `isOpen` returns true. If not,
   * it is dropped silently, because it is no longer configured.
   */
  set(
    missing: readonly MissingSocket[],
    isOpen: (protocol: MissingSocket['protocol'], address: SocketAddress) => boolean,
  ): void;
  /** The problem, with addresses, ports, reasons and programs; undefined if nothing is missing. */
  readonly problem: Text | undefined;
}

export interface MissingOptions {
  /** The name of the service in its report. */
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
        const text = say('{protocol} {address} was not available before and is open now.', where);
        events?.put({ kind: 'notice', service, severity: 'ok', text }, Date.now());
      }
      known = next;
      schedule();
    },
    get problem() {
      if (known.size === 0) return undefined;
      const shown = [...known.values()].slice(0, MAX_SHOWN).map(({ reason }) => reason);
      const more = known.size - shown.length;
      const list = listOf(more > 0 ? [...shown, say('and {count} more', { count: more })] : shown, '; ');
      return say('{list}. It is tried again every {seconds} s.', { list, seconds: RETRY_MS / 1000 });
    },
    [Symbol.dispose]() {
      isDisposed = true;
      clearTimeout(timer);
    },
  };
}

const codeOf = ({ error }: MissingSocket): unknown => (error as NodeJS.ErrnoException).code;

/** What failed, and the cause, as far as it is known. */
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
