/** The TLS client of libssl, which nginx needs too, on non-blocking sockets: it costs a fraction of node:tls. */
import koffi from 'koffi';
import { pinned } from '../../../src/os/libc.ts';

/** `deep`: Node contains another OpenSSL, whose functions have the same names. */
const libssl = koffi.load('libssl.so.3', { deep: true });
const libcrypto = koffi.load('libcrypto.so.3', { deep: true });
const declare = <F>(prototype: string, library = libssl) => library.func(prototype) as unknown as F;

const clientMethod = declare<() => number>('size_t TLS_client_method()');
const newContext = declare<(method: number) => number>('size_t SSL_CTX_new(size_t)');
const newSsl = declare<(context: number) => number>('size_t SSL_new(size_t)');
const setFd = declare<(ssl: number, fd: number) => number>('int SSL_set_fd(size_t, int)');
const control = declare<(ssl: number, command: number, value: number, text: string) => number>(
  'long SSL_ctrl(size_t, int, long, str)',
);
const connect = declare<(ssl: number) => number>('int SSL_connect(size_t)');
const write = declare<(ssl: number, from: Uint8Array, bytes: number) => number>(
  'int SSL_write(size_t, void *, int)',
);
const read = declare<(ssl: number, into: Uint8Array, bytes: number) => number>(
  'int SSL_read(size_t, void *, int)',
);
const shutdown = declare<(ssl: number) => number>('int SSL_shutdown(size_t)');
const free = declare<(ssl: number) => void>('void SSL_free(size_t)');
const getError = declare<(ssl: number, result: number) => number>('int SSL_get_error(size_t, int)');
const clearErrors = declare<() => void>('void ERR_clear_error()', libcrypto);

// openssl/ssl.h
const SSL_ERROR_WANT_READ = 2;
const SSL_ERROR_WANT_WRITE = 3;
const SSL_ERROR_ZERO_RETURN = 6;
const SSL_CTRL_SET_TLSEXT_HOSTNAME = 55;
const TLSEXT_NAMETYPE_HOST_NAME = 0;

/** No certificate is verified, and no session is resumed: each handshake is a full one. */
const context = newContext(clientMethod());
const into = pinned(65_536);

/** A TLS connection: the address of its SSL structure. */
export type Tls = number;

/** Starts TLS on a connected socket. */
export function startTls(fd: number, serverName: string): Tls {
  const ssl = newSsl(context);
  if (ssl === 0 || setFd(ssl, fd) !== 1) throw new Error('SSL_new failed');
  control(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_HOST_NAME, serverName);
  return ssl;
}

/** Continues the handshake; true when it is finished. */
export function continueHandshake(tls: Tls): boolean {
  clearErrors();
  const result = connect(tls);
  if (result === 1) return true;
  const error = getError(tls, result);
  if (error !== SSL_ERROR_WANT_READ && error !== SSL_ERROR_WANT_WRITE)
    throw new Error(`TLS handshake failed: SSL_get_error ${error}`);
  return false;
}

/** Sends a few bytes, for which a socket has room after a handshake. */
export function sendTls(tls: Tls, bytes: Uint8Array): void {
  clearErrors();
  if (write(tls, bytes, bytes.length) !== bytes.length) throw new Error('SSL_write did not take everything');
}

/** Received bytes, valid until the next call; 'later' if there are none yet, 'end' after the close_notify of the server. */
export function receiveTls(tls: Tls): Uint8Array | 'later' | 'end' {
  clearErrors();
  const count = read(tls, into, into.length);
  if (count > 0) return into.subarray(0, count);
  const error = getError(tls, count);
  if (error === SSL_ERROR_WANT_READ) return 'later';
  if (error === SSL_ERROR_ZERO_RETURN) return 'end';
  throw new Error(`SSL_read failed: SSL_get_error ${error}`);
}

/** Ends TLS, with a close_notify if `inOrder`. The socket stays open. */
export function endTls(tls: Tls, inOrder: boolean): void {
  if (inOrder) {
    clearErrors();
    shutdown(tls);
  }
  free(tls);
}
