/** Servers of unit tests on [::1], and certificates for them. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A new certificate for the hostnames, signed by itself and valid for 60 days, and its key; both are PEM. */
export function selfSigned(...hostnames: string[]): { cert: string; key: string } {
  const directory = mkdtempSync(join(tmpdir(), 'tombolo-certificate-'));
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  try {
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '60'],
        ...['-subj', `/CN=${hostnames[0]}`, '-out', cert, '-keyout', key],
        ...['-addext', `subjectAltName=${hostnames.map((name) => `DNS:${name}`).join()}`],
      ],
      { stdio: 'ignore' },
    );
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Listens on a free port and resolves with it. The server and its open connections are closed after the test. */
export async function listen(
  t: TestContext,
  server: Pick<Server, 'on' | 'listen' | 'close' | 'address'>,
): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  server.listen(0, '::1');
  await once(server as Server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
