/** HAProxy in TCP mode, as a proxy in front of the appliance that tells it the clients. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child, Host } from '../host.ts';

export interface HaproxyWay {
  readonly port: number;
  /** "192.0.2.1:80" */
  readonly to: string;
  /** Of the line `server`: how the client is told, and how often the appliance is checked. */
  readonly options: string;
}

/** Listens on the address. Its connections have unique ids that begin with "front-". */
export async function startHaproxy(
  host: Host,
  address: string,
  ways: readonly HaproxyWay[],
  directory: string,
): Promise<Child> {
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
${ways
  .map(
    ({ port, to, options }) => `listen way${port}
  bind ${address}:${port}
  unique-id-format front-%ci-%cp-%rt
  server appliance ${to} ${options}
`,
  )
  .join('')}`,
  );
  const child = host.spawn('haproxy', ['-db', '-f', file]);
  for (const { port } of ways) await child.waitForListener('tcp', port);
  return child;
}
