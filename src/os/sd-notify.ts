/**
 * Reports our state to systemd, over the datagram socket that NOTIFY_SOCKET names (sd_notify(3)). If the variable is not set
 * (not started by systemd, or no notification wanted), every function does nothing.
 */
import {
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  check,
  close,
  pinned,
  sendto,
  socket,
} from './libc.ts';

/** sun_family, then sun_path. */
const FAMILY_BYTES = 2;
const PATH_BYTES = 108;
/** A start may continue as long as the event loop runs, however slow the machine is; but not for ever. */
const START_SIGN_MS = 10_000;
const START_EXTENSION_MS = 60_000;
const LONGEST_START_MS = 900_000;

export interface ServiceManager extends Disposable {
  /** The start is finished: we serve. Throws when systemd cannot be notified, because it would kill us later. */
  ready(): void;
  /** An orderly stop has begun and may take this long: extends systemd's own limit (TimeoutStopSec). */
  stopping(limitMs: number): void;
  /** How often `WATCHDOG=1` is sent, in ms; undefined when systemd does not watch us. */
  readonly watchdogIntervalMs: number | undefined;
}

/**
 * From now on, feeds the watchdog at half of its time, by a timer of the calling thread. If the event loop hangs, the feeding
 * stops and systemd restarts the process. Until `ready`, systemd's limit for a start (TimeoutStartSec) is extended in the same
 * way, for up to 15 minutes. `environment` holds NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Throws if NOTIFY_SOCKET is not
 * a valid address.
 */
export function connectServiceManager(environment: NodeJS.ProcessEnv): ServiceManager {
  const path = environment['NOTIFY_SOCKET'];
  const address = path === undefined || path === '' ? undefined : encodeUnixAddress(path);
  const watchdogIntervalMs = address && watchdogInterval(environment);
  // Dropped when systemd's queue is full: the next one follows soon, and blocking would stop the main loop.
  const timer =
    address && watchdogIntervalMs
      ? setInterval(() => void trySend(address, 'WATCHDOG=1', MSG_DONTWAIT), watchdogIntervalMs).unref()
      : undefined;
  const startedMs = performance.now();
  const starting =
    address &&
    setInterval(() => {
      if (performance.now() - startedMs > LONGEST_START_MS) clearInterval(starting);
      else trySend(address, `EXTEND_TIMEOUT_USEC=${START_EXTENSION_MS * 1000}`, MSG_DONTWAIT);
    }, START_SIGN_MS).unref();
  return {
    watchdogIntervalMs,
    ready() {
      clearInterval(starting);
      if (address !== undefined) check(trySend(address, 'READY=1', 0), `notify systemd at "${path}"`);
    },
    stopping(limitMs) {
      clearInterval(starting);
      if (address !== undefined)
        trySend(address, `STOPPING=1\nEXTEND_TIMEOUT_USEC=${Math.ceil(limitMs * 1000)}`, MSG_DONTWAIT);
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      clearInterval(starting);
    },
  };
}

/** Half of WATCHDOG_USEC in ms, if the watchdog is for this process. */
function watchdogInterval(environment: NodeJS.ProcessEnv): number | undefined {
  const timeoutUs = Number(environment['WATCHDOG_USEC']);
  const pid = environment['WATCHDOG_PID'];
  if (!(timeoutUs > 0) || (pid !== undefined && Number(pid) !== process.pid)) return undefined;
  return Math.max(1, Math.floor(timeoutUs / 2000));
}

/**
 * Makes a sockaddr_un. A leading "@" stands for the zero byte of an abstract address, whose name ends where the sockaddr ends;
 * a path ends with a zero byte.
 */
export function encodeUnixAddress(path: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(path);
  const isAbstract = path.startsWith('@');
  if (!isAbstract && !path.startsWith('/')) throw new Error(`socket "${path}": expected /path or @name`);
  const nameBytes = name.length + (isAbstract ? 0 : 1);
  if (nameBytes > PATH_BYTES || name.length < 2 || name.includes(0)) {
    throw new Error(`socket "${path}": expected 2 to ${PATH_BYTES - 1} bytes, none of them zero`);
  }
  const bytes = pinned(FAMILY_BYTES + nameBytes);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  bytes.set(name, FAMILY_BYTES);
  if (isAbstract) bytes[FAMILY_BYTES] = 0;
  return bytes;
}

/** Opens a new socket for each message, as libsystemd does: systemd may be replaced (daemon-reexec) while we run. */
function trySend(address: Uint8Array, message: string, flags: number): number {
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  try {
    const bytes = new TextEncoder().encode(message);
    return sendto(fd, bytes, bytes.length, flags | MSG_NOSIGNAL, address, address.length);
  } finally {
    close(fd);
  }
}
