/** The port forwarder: each server's SSH has its own port on the IPv4 side. */
import type { ForwardConfig, HostConfig } from '../../config/schema.ts';
import { boundAddresses, parsePortRange } from '../../config/values.ts';
import { type TcpPlan, startTcpPlane } from '../../net/tcp-plane.ts';
import { encodeSocketAddress } from '../../os/socket-address.ts';
import { type Service, type ServiceContext, storageOf } from '../../runtime/service.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import { type MappedConfig, isMapped } from '../mapped.ts';
import { type Allotments, allotPorts, portsInUse } from './allot-ports.ts';
import { loadAllotments, saveAllotments } from './allotment-file.ts';
import { forwardCounterTable } from './counters.ts';
import type { ForwardWorkerConfig } from './worker.ts';

export interface ForwardOptions {
  readonly forward: ForwardConfig;
  readonly hosts: readonly HostConfig[];
  /** Ports of the IPv4 side on which other parts listen: never allotted. */
  readonly reservedPorts: readonly number[];
  /** For servers with `clientAddress` "mapped"; absent: none of them uses it. The proxy keeps the route for their addresses. */
  readonly mapped?: MappedConfig;
}

export interface ForwardService extends Service<ForwardOptions> {
  /** The SSH port of each server that has one, by server name. */
  sshPorts(): Readonly<Record<string, number>>;
  /** These ports, and those kept for removed servers. */
  allotments(): Allotments;
}

const MAX_CONNECTIONS = 4096;
/** sshd's own LoginGraceTime is 120 s; this limit only applies until the server accepts. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

function parseAddress(text: string, what: string): Uint8Array {
  const address = parseIpAddress(text);
  if (address === undefined) throw new Error(`${what}: "${text}" is no address`);
  return address;
}

/** The allotments and the values derived from them. Throws as `allotPorts` does. */
export function planForward(options: ForwardOptions, previous: Allotments) {
  const { forward, hosts, reservedPorts, mapped } = options;
  const range = parsePortRange(forward.sshPorts);
  if (range === undefined) throw new Error(`forward.sshPorts: "${forward.sshPorts}" is no port range`);
  const allotments = allotPorts({ hosts, range, reservedPorts, previous, nowMs: Date.now() });
  const ports = portsInUse(allotments);
  const listen = boundAddresses(forward.listen).flatMap((text) => {
    const address = parseAddress(text, 'forward.listen');
    return Object.entries(ports).map(([name, port]) => ({ name, address, port }));
  });
  const targets = Object.fromEntries(
    hosts.flatMap(({ name, address, ssh }) => {
      if (ssh === false) return [];
      const server = { address: parseAddress(address, `host "${name}"`), port: ssh.targetPort };
      return [[name, encodeSocketAddress(server)]];
    }),
  );
  const plan: TcpPlan<ForwardWorkerConfig> = {
    listen,
    handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
    idleTimeoutMs: 0, // a shell may be silent for days; keepalive detects peers that have disappeared
    hosts: Object.keys(targets),
    config: {
      targets,
      ...(mapped !== undefined && {
        mapped: { ...mapped, servers: hosts.filter(isMapped).map(({ name }) => name) },
      }),
    },
  };
  return { allotments, ports, plan };
}

/** Starts the forwarder. Throws when no port is left or a socket cannot be opened. */
export async function startForward(
  options: ForwardOptions,
  context: ServiceContext,
): Promise<ForwardService> {
  const storage = storageOf(context);
  const log = context.log.child({ service: 'forward' });
  let current = planForward(options, await loadAllotments(storage));
  const plane = await startTcpPlane<ForwardWorkerConfig, typeof forwardCounterTable>(
    {
      name: 'forward',
      entry: new URL('worker.ts', import.meta.url),
      counterTable: forwardCounterTable,
      keepalive: true,
      maxConnections: MAX_CONNECTIONS,
      descriptorShare: 0.25,
      log,
      ourselves: context.ourselves,
      events: context.events,
    },
    current.plan,
    // Store it before anybody can connect: a port that a client has seen must never become another server's.
    () => saveAllotments(storage, current.allotments),
  );

  async function reconfigure(options: ForwardOptions): Promise<void> {
    const next = planForward(options, current.allotments);
    await plane.apply(next.plan, () => saveAllotments(storage, next.allotments));
    current = next;
  }

  return {
    name: 'forward',
    counterTable: forwardCounterTable,
    sshPorts: () => current.ports,
    allotments: () => current.allotments,
    reconfigure,
    status: plane.status,
    counters: plane.counters,
    hosts: plane.hosts,
    limits: plane.limits,
    drain: plane.drain,
    failWorker: plane.failWorker,
    [Symbol.asyncDispose]: () => plane[Symbol.asyncDispose](),
  };
}
