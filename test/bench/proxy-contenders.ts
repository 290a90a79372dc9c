/** The proxies that are compared: ours, nginx and HAProxy, each on its own address, in front of the same servers. */
import type { Child, Host } from '../../lab/host.ts';
import { waitUntil } from '../../lab/wait.ts';
import type { LoadProcess } from './load/commands.ts';
import type { Probe, ProbeOrders } from './load/probe.ts';
import { type Contender, OURS } from './measure.ts';
import {
  type Backends,
  haproxyHttp,
  haproxyTls,
  nginxHttp,
  nginxTls,
  writeHaproxy,
  writeNginx,
} from './peers.ts';
import { childrenOf } from './proc.ts';
import { type SubjectOptions, pinned, untilSettled } from './subject.ts';
import { startTombolo } from './tombolo.ts';

export const TLS_PORT = 443;
export const HTTP_PORT = 80;

/** The servers behind the proxies, by name; the TLS listener is for all of them, the HTTP listener for those in `http`. */
export interface Servers {
  readonly tls: Backends;
  readonly http?: Backends;
}

/** Starts a proxy on an address of the host; returns it and the pid of the process that does the work. */
export type StartProxy = (address: string) => Promise<{ child: Child; pid: number }>;

export interface StartedProxy {
  readonly name: string;
  readonly address: string;
  readonly pid: number;
}

/** How each proxy is started. `cpu`: the only one that it may use. */
export function proxyStarts(
  host: Host,
  { directory, options, cpu }: { directory: string; options: SubjectOptions; cpu: number | undefined },
  { tls, http }: Servers,
): Record<string, StartProxy> {
  const on = (address: string) => `${directory}/${address}`;
  const tombolo = (main: string) => async (address: string) => {
    const configuration = tomboloConfiguration(address, { tls, http: http ?? {} });
    const child = startTombolo(host, { main, directory: on(address), configuration, cpu });
    return { child, pid: child.pid };
  };
  return {
    [OURS]: tombolo(options.main),
    ...(options.other !== undefined && { other: tombolo(options.other) }),
    nginx: async (address) => {
      const blocks = [nginxTls(address, TLS_PORT, tls)];
      if (http !== undefined) blocks.push(nginxHttp(address, HTTP_PORT, http));
      const file = writeNginx(on(address), ...blocks);
      const child = host.spawn(...pinned(cpu, 'nginx', '-c', file));
      // The master only waits; its one worker does the work.
      const worker = await waitUntil("nginx's worker", () => childrenOf(child.pid)[0]);
      return { child, pid: worker };
    },
    haproxy: async (address) => {
      const blocks = [haproxyTls(address, TLS_PORT, tls)];
      if (http !== undefined) blocks.push(haproxyHttp(address, HTTP_PORT, http));
      const file = writeHaproxy(on(address), ...blocks);
      const child = host.spawn(...pinned(cpu, 'haproxy', '-db', '-f', file));
      return { child, pid: child.pid };
    },
  };
}

const tomboloConfiguration = (address: string, { tls, http }: Required<Servers>) => ({
  hosts: Object.entries(tls).map(([hostname, backend]) => ({
    name: hostname.split('.')[0],
    address: backend,
    hostnames: [hostname],
    services: hostname in http ? ['https', 'http'] : ['https'],
    ssh: false,
  })),
  proxy: { listen: [address] },
  dns64: { enabled: false },
  nat64: { enabled: false },
  admin: { listen: [address] },
});

/** Starts all of them, and waits until each has answered the probe and has settled. */
export async function startProxies(
  starts: Record<string, StartProxy>,
  probe: LoadProcess<ProbeOrders>,
  probeOf: (name: string, address: string) => Probe,
): Promise<StartedProxy[]> {
  const proxies: StartedProxy[] = [];
  for (const [position, [name, startProxy]] of Object.entries(starts).entries()) {
    const address = `127.0.0.${position + 1}`;
    const { child, pid } = await startProxy(address);
    await untilSettled(probe, [probeOf(name, address)], [child]);
    proxies.push({ name, address, pid });
  }
  return proxies;
}

/** A contender for each proxy. */
export const contendersOf = (
  proxies: readonly StartedProxy[],
  run: (proxy: StartedProxy) => Contender['run'],
): Contender[] => proxies.map((proxy) => ({ name: proxy.name, run: run(proxy) }));
