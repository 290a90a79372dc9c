/**
 * The C library, through koffi. Besides libbpf.ts, this is the only file that declares foreign functions.
 *
 * Every function is the system call of its name. It returns -1 on failure, `errno()` gives the reason, and nothing here throws:
 * hot loops test the return value, set-up code wraps the call in `check()`. Buffers passed to the kernel must not move: take
 * them from `pinned()` whenever the kernel keeps the address (iovec, msghdr).
 */
import { constants } from 'node:os';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import { TextError, type Value, listOf } from '../texts/text.ts';

const libc = koffi.load('libc.so.6');

type Bytes = Uint8Array | null;
const declare = <F>(prototype: string) => libc.func(prototype) as unknown as F;

export const open = declare<(path: string, flags: number, mode: number) => number>('int open(str, int, int)');
export const close = declare<(fd: number) => number>('int close(int)');
export const read = declare<(fd: number, into: Uint8Array, bytes: number) => number>(
  'long read(int, void *, size_t)',
);
export const write = declare<(fd: number, from: Uint8Array, bytes: number) => number>(
  'long write(int, void *, size_t)',
);
export const flock = declare<(fd: number, operation: number) => number>('int flock(int, int)');
/** ioctl whose argument is a structure. */
export const ioctl = declare<(fd: number, request: number, argument: Uint8Array) => number>(
  'int ioctl(int, ulong, void *)',
);
/** ioctl whose argument is a plain number. */
export const ioctlValue = declare<(fd: number, request: number, argument: number) => number>(
  'int ioctl(int, ulong, ulong)',
);
export const poll = declare<(fds: Uint8Array, count: number, timeoutMs: number) => number>(
  'int poll(void *, ulong, int)',
);
export const socket =
  declare<(domain: number, type: number, protocol: number) => number>('int socket(int, int, int)');
export const bind = declare<(fd: number, address: Uint8Array, bytes: number) => number>(
  'int bind(int, void *, uint)',
);
export const listen = declare<(fd: number, backlog: number) => number>('int listen(int, int)');
/** `address` receives a sockaddr and `bytes` (4-byte socklen_t) its size; both may be null. */
export const accept4 = declare<(fd: number, address: Bytes, bytes: Bytes, flags: number) => number>(
  'int accept4(int, void *, void *, int)',
);
export const connect = declare<(fd: number, address: Uint8Array, bytes: number) => number>(
  'int connect(int, void *, uint)',
);
export const setsockopt = declare<
  (fd: number, level: number, option: number, value: Uint8Array, bytes: number) => number
>('int setsockopt(int, int, int, void *, uint)');
export const getsockopt = declare<
  (fd: number, level: number, option: number, value: Uint8Array, bytes: Uint8Array) => number
>('int getsockopt(int, int, int, void *, void *)');
export const getsockname = declare<(fd: number, address: Uint8Array, bytes: Uint8Array) => number>(
  'int getsockname(int, void *, void *)',
);
export const shutdown = declare<(fd: number, how: number) => number>('int shutdown(int, int)');
export const splice = declare<
  (from: number, fromOffset: null, to: number, toOffset: null, bytes: number, flags: number) => number
>('long splice(int, void *, int, void *, size_t, uint)');
export const pipe2 = declare<(fds: Uint8Array, flags: number) => number>('int pipe2(void *, int)');
export const fcntl =
  declare<(fd: number, command: number, argument: number) => number>('int fcntl(int, int, int)');
export const epollCreate1 = declare<(flags: number) => number>('int epoll_create1(int)');
export const epollCtl = declare<(epoll: number, op: number, fd: number, event: Bytes) => number>(
  'int epoll_ctl(int, int, int, void *)',
);
export const epollWait = declare<
  (epoll: number, events: Uint8Array, count: number, timeoutMs: number) => number
>('int epoll_wait(int, void *, int, int)');
// Calls with addresses from `placeOf()`. A number costs about half as much as a typed array: for the calls of a hot loop.
export const recvAt = declare<(fd: number, into: number, bytes: number, flags: number) => number>(
  'int recv(int, size_t, size_t, int)',
);
export const sendAt = declare<(fd: number, from: number, bytes: number, flags: number) => number>(
  'int send(int, size_t, size_t, int)',
);
export const accept4At = declare<(fd: number, address: number, bytes: number, flags: number) => number>(
  'int accept4(int, size_t, size_t, int)',
);
export const epollCtlAt = declare<(epoll: number, op: number, fd: number, event: number) => number>(
  'int epoll_ctl(int, int, int, size_t)',
);
export const epollWaitAt = declare<
  (epoll: number, events: number, count: number, timeoutMs: number) => number
>('int epoll_wait(int, size_t, int, int)');
export const connectAt = declare<(fd: number, address: number, bytes: number) => number>(
  'int connect(int, size_t, uint)',
);
export const setsockoptAt = declare<
  (fd: number, level: number, option: number, value: number, bytes: number) => number
>('int setsockopt(int, int, int, size_t, uint)');
export const clockGettime = declare<(clock: number, into: number) => number>(
  'int clock_gettime(int, size_t)',
);

export const eventfd = declare<(initial: number, flags: number) => number>('int eventfd(uint, int)');
export const recvmmsg = declare<
  (fd: number, messages: Uint8Array, count: number, flags: number, timeout: null) => number
>('int recvmmsg(int, void *, uint, int, void *)');
export const sendmmsg = declare<(fd: number, messages: Uint8Array, count: number, flags: number) => number>(
  'int sendmmsg(int, void *, uint, int)',
);
export const sendmsg = declare<(fd: number, message: Uint8Array, flags: number) => number>(
  'long sendmsg(int, void *, int)',
);
export const sendto = declare<
  (fd: number, data: Uint8Array, bytes: number, flags: number, address: Bytes, addressBytes: number) => number
>('long sendto(int, void *, size_t, int, void *, uint)');
export const recvfrom = declare<
  (fd: number, into: Uint8Array, bytes: number, flags: number, address: Bytes, addressBytes: Bytes) => number
>('long recvfrom(int, void *, size_t, int, void *, void *)');

/** For system calls that the C library has no function for; the numbers differ between processors. */
export const syscall = declare<
  (number: number, command: number, argument: Uint8Array, bytes: number) => number
>('long syscall(long, int, void *, uint)');
export const getrandom = declare<(into: Uint8Array, bytes: number, flags: number) => number>(
  'long getrandom(void *, size_t, uint)',
);
export const mallopt = declare<(option: number, value: number) => number>('int mallopt(int, int)');
/** `state` is a struct timex. */
export const adjtimex = declare<(state: Uint8Array) => number>('int adjtimex(void *)');

/** The errno of the last call above on this thread. Read it before any other call. */
export const errno = (): number => koffi.errno();

/** Linux errno values by name: `E.EAGAIN`. */
export const E = constants.errno;

/** The name of an errno, e.g. "EADDRINUSE". */
export const errnoName = (code: number): string => getSystemErrorName(-code);

/** A system call that failed: the attempted operation, and `code`/`errno` as in Node's own errors. */
export class SystemCallError extends TextError {
  readonly code: string;
  readonly errno: number;
  constructor(attempted: Value, errnoValue: number) {
    const code = errnoName(errnoValue);
    super(listOf([attempted, code], ': '));
    this.name = 'SystemCallError';
    this.code = code;
    this.errno = errnoValue;
  }
}

/** Returns `result`, or throws SystemCallError when it is negative. `attempted` names the operation, with its values. */
export function check(result: number, attempted: Value): number {
  if (result < 0) throw new SystemCallError(attempted, errno());
  return result;
}

/** Zeroed memory at an address that never changes (small typed arrays otherwise live on the moving heap). */
export const pinned = (bytes: number): Uint8Array<ArrayBuffer> => new Uint8Array(new ArrayBuffer(bytes));

/** The address of pinned memory, for iovec and msghdr fields. */
export const addressOf = (memory: Uint8Array): bigint => BigInt(koffi.address(memory));

/** The same as a number, for calls that take one. The memory must be kept: a number does not. */
export const placeOf = (memory: Uint8Array): number => Number(koffi.address(memory));

/** A 4-byte int in native order, for socket options. */
export function int32(value: number): Uint8Array<ArrayBuffer> {
  const bytes = pinned(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

// Linux constants that are the same on x86-64 and arm64.
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const SO_ATTACH_FILTER = 26;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;
export const TCP_KEEPIDLE = 4;
export const TCP_KEEPINTVL = 5;
export const TCP_KEEPCNT = 6;
export const TCP_INFO = 11;
export const TCP_QUICKACK = 12;
export const TCP_USER_TIMEOUT = 18;
/** A state in struct tcp_info: reset, or never connected. */
export const TCP_CLOSE = 7;
/** ioctl: bytes of a socket's send queue that the peer has not acknowledged. */
export const SIOCOUTQ = 0x5411;
export const IPPROTO_IP = 0;
export const IP_PKTINFO = 8;
/** bind(2) only sets the address: connect(2) chooses the port. Also for IPv6 sockets. */
export const IP_BIND_ADDRESS_NO_PORT = 24;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const IPV6_RECVPKTINFO = 49;
/** bind(2) accepts an address that no interface has. Since Linux 4.15. */
export const IPV6_FREEBIND = 78;
export const SHUT_WR = 1;
export const O_RDWR = 2;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
export const F_SETPIPE_SZ = 1031;
export const POLLIN = 1;
export const POLLOUT = 4;
export const EPOLL_CLOEXEC = 0o2000000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
export const EPOLLIN = 0x001;
export const EPOLLPRI = 0x002;
export const EPOLLOUT = 0x004;
export const EPOLLERR = 0x008;
export const EPOLLHUP = 0x010;
export const EPOLLRDHUP = 0x2000;
export const EPOLLET = 0x80000000;
/** Of several epoll instances that watch a descriptor, one that waits is woken. */
export const EPOLLEXCLUSIVE = 0x10000000;
export const EFD_NONBLOCK = 0o4000;
export const EFD_CLOEXEC = 0o2000000;
export const SPLICE_F_MOVE = 1;
export const SPLICE_F_NONBLOCK = 2;
export const MSG_DONTWAIT = 0x40;
export const MSG_PEEK = 0x02;
export const MSG_TRUNC = 0x20;
export const MSG_WAITFORONE = 0x10000;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;

// arm64 differs from x86-64 here: x86-64 packs struct epoll_event.
const PACKED_EPOLL_EVENT = process.arch === 'x64';
/** Size of struct epoll_event in bytes. */
export const EPOLL_EVENT_BYTES = PACKED_EPOLL_EVENT ? 12 : 16;
/** Offset of its data field in bytes. */
export const EPOLL_EVENT_DATA = PACKED_EPOLL_EVENT ? 4 : 8;
