/** HTTP and HTTPS on one port, told apart by the first byte. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Server as TlsServer } from 'node:tls';

/** ContentType handshake (RFC 8446 section 5.1); no HTTP method begins with it. */
const TLS_HANDSHAKE = 22;
/** A peer that sends nothing, or does not finish its handshake, must not hold a connection for long. */
const FIRST_BYTE_TIMEOUT_MS = 10_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface BothProtocols {
  /** Closes connections that have not sent anything yet. */
  closeSilent(): void;
  /** Closes every connection. */
  closeAll(): void;
}

/**
 * Makes an HTTP server accept TLS as well. `pem` is called for each connection: it returns key and certificate, or undefined
 * for plain HTTP only. The server's own limits and lists apply to both.
 */
export function serveBothProtocols(server: Server, pem: () => string | undefined): BothProtocols {
  const [serveHttp] = server.listeners('connection') as ((this: Server, socket: Duplex) => void)[];
  server.removeListener('connection', serveHttp);
  const open = new Set<Socket>();
  const silent = new Set<Socket>();
  let secure: { readonly server: TlsServer; readonly pem: string } | undefined;

  async function serveTls(socket: Socket, current: string): Promise<void> {
    if (secure?.pem !== current) {
      // Loaded when the first client needs it.
      const { createServer } = await import('node:tls');
      const created = createServer({
        key: current,
        cert: current,
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['http/1.1'],
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      });
      created.on('secureConnection', (encrypted) => serveHttp.call(server, encrypted));
      created.on('tlsClientError', (_error, encrypted) => encrypted.destroy());
      secure = { server: created, pem: current };
    }
    secure.server.emit('connection', socket);
  }

  function atFirstByte(socket: Socket, current: string): void {
    const chunk = socket.read() as Buffer | null;
    socket.setTimeout(0).removeListener('timeout', destroy).removeListener('error', ignore);
    silent.delete(socket);
    if (chunk === null) {
      socket.destroy();
      return;
    }
    socket.unshift(chunk);
    if (chunk[0] !== TLS_HANDSHAKE) serveHttp.call(server, socket);
    else void serveTls(socket, current).catch(() => socket.destroy());
  }

  server.on('connection', (socket: Socket) => {
    if (socket.destroyed) return;
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      silent.delete(socket);
    });
    const current = pem();
    if (current === undefined) return serveHttp.call(server, socket);
    silent.add(socket);
    socket.on('error', ignore).setTimeout(FIRST_BYTE_TIMEOUT_MS).on('timeout', destroy);
    socket.once('readable', () => atFirstByte(socket, current));
  });

  return {
    closeSilent: () => silent.forEach((socket) => socket.destroy()),
    closeAll: () => open.forEach((socket) => socket.destroy()),
  };
}

function destroy(this: Socket): void {
  this.destroy();
}

const ignore = () => {};
