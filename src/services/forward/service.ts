/** The port forwarder: each server's SSH has its own port on the IPv4 side. */
import type { ForwardConfig, HostConfig } from '../../config/schema.ts';
import { type AccessLogValue, accessLogOf, addressesOf, isAccessLogged } from '../../config/host-services.ts';
import { boundAddresses, parsePortRange } from '../../config/values.ts';
import { createFoundWays } from '../../net/found-ways.ts';
import { AccessLevel } from '../../net/access-record.ts';
import { type TcpPlan, startTcpPlane } from '../../net/tcp-plane.ts';
import { createWayTrials } from '../../net/try-ways.ts';
import type { TcpQueries } from '../../net/tcp-shares.ts';
import { followAttached } from '../../os/follow-attached.ts';
import { createInTurn } from '../../os/in-turn.ts';
import { encodeSocketAddress } from '../../os/socket-address.ts';
import { type Service, type ServiceContext, storageOf } from '../../runtime/service.ts';
import { parseIpAddress } from '../../wire/ip-address.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import { compileAccess } from '../host-access.ts';
import { type MappedConfig, isMappedSsh, probeAddress, waysToTry } from '../mapped.ts';
import { type Allotments, allotPorts, portsInUse } from './allot-ports.ts';
import { loadAllotments, saveAllotments } from './allotment-file.ts';
import { forwardCounterTable } from './counters.ts';
import type { ForwardTarget, ForwardWorkerConfig } from './worker.ts';

export interface ForwardOptions {
  readonly forward: ForwardConfig;
  readonly hosts: readonly HostConfig[];
  /** Ports of the IPv4 side on which other parts listen: never allotted. */
  readonly reservedPorts: readonly number[];
  /** For servers with `clientAddress` "mapped"; absent: none of them uses it. The proxy keeps the route for their addresses. */
  readonly mapped?: MappedConfig;
  /** proxy.accessLog; absent: off. */
  readonly accessLog?: AccessLogValue;
  /** proxy.trustedProxies; absent: nobody. */
  readonly trustedProxies?: readonly string[];
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

/**
 * The allotments and the values derived from them. A server that is switched off keeps its port, which is closed. `attached`:
 * the networks that "lan" stands for. Throws as `allotPorts` does.
 */
export function planForward(options: ForwardOptions, previous: Allotments, attached: readonly IpPrefix[]) {
  const { forward, hosts, reservedPorts, mapped, accessLog = 'off', trustedProxies = [] } = options;
  const range = parsePortRange(forward.sshPorts);
  if (range === undefined) throw new Error(`forward.sshPorts: "${forward.sshPorts}" is no port range`);
  const allotments = allotPorts({ hosts, range, reservedPorts, previous, nowMs: Date.now() });
  const ports = portsInUse(allotments);
  const isOn = new Set(hosts.flatMap(({ name, enabled }) => (enabled ? [name] : [])));
  const open = Object.entries(ports).filter(([name]) => isOn.has(name));
  const listen = boundAddresses(forward.listen).flatMap((text) => {
    const address = parseAddress(text, 'forward.listen');
    return open.map(([name, port]) => ({ name, address, port }));
  });
  const targets = Object.fromEntries(
    hosts.flatMap((host): [string, ForwardTarget][] => {
      const { name, ssh, maintenance, allow, balance } = host;
      if (ssh === false) return [];
      const addresses = addressesOf(host).map((address) =>
        encodeSocketAddress({ address: parseAddress(address, `host "${name}"`), port: ssh.targetPort }),
      );
      const access = compileAccess(allow, attached);
      const isRoundRobin = balance === 'round-robin';
      const level = AccessLevel[accessLogOf(host, accessLog)];
      return [[name, { addresses, isRoundRobin, access, maintenance, accessLog: level }]];
    }),
  );
  const plan: TcpPlan<ForwardWorkerConfig> = {
    listen,
    handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
    idleTimeoutMs: 0, // a shell may be silent for days; keepalive detects peers that have disappeared
    limits: forward.limits,
    workers: 1, // the kernel moves most of its bytes
    hosts: Object.keys(targets),
    isLogged: isAccessLogged(hosts, accessLog),
    config: {
      targets,
      trustedProxies,
      ...(mapped !== undefined && {
        mapped: {
          ...mapped,
          servers: hosts.filter(isMappedSsh).map(({ name }) => name),
          foundWays: createFoundWays(
            waysToTry(mapped, hosts.filter(isMappedSsh), ({ ssh }) =>
              ssh === false ? undefined : ssh.targetPort,
            ),
          ),
        },
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
  const { log } = context;
  const inTurn = createInTurn();
  const started = Promise.withResolvers<void>();
  let currentOptions = options;
  using starting = new DisposableStack();
  const attached = starting.use(
    followAttached(context.ourselves, () => {
      inTurn(() => started.promise.then(() => putInForce(currentOptions))).catch((err: unknown) =>
        log.error({ err }, 'forward: the networks of this machine could not be followed'),
      );
    }),
  );
  let current = planForward(options, await loadAllotments(storage), attached.of(options.hosts));
  const plane = await startTcpPlane<ForwardWorkerConfig, typeof forwardCounterTable>(
    {
      name: 'forward',
      entry: new URL('worker.ts', import.meta.url),
      counterTable: forwardCounterTable,
      maxConnections: MAX_CONNECTIONS,
      descriptorShare: 0.25,
      log,
      ourselves: context.ourselves,
      events: context.events,
      lines: context.lines,
    },
    current.plan,
    // Store it before anybody can connect: a port that a client has seen must never become another server's.
    () => saveAllotments(storage, current.allotments),
  );

  const wayTrials = starting.use(
    createWayTrials((err) => log.error({ err }, 'forward: the ways back of servers could not be tried')),
  );
  tryWaysOf(current.plan);
  const following = starting.move();
  started.resolve();

  function tryWaysOf({ config: { mapped } }: typeof current.plan): void {
    if (mapped !== undefined) wayTrials.begin(mapped.foundWays, probeAddress(mapped));
  }

  async function putInForce(options: ForwardOptions): Promise<void> {
    try {
      const next = planForward(options, current.allotments, attached.of(options.hosts));
      await plane.apply(next.plan, () => saveAllotments(storage, next.allotments));
      current = next;
      currentOptions = options;
      tryWaysOf(next.plan);
    } finally {
      attached.of(currentOptions.hosts);
    }
  }

  return {
    name: 'forward',
    counterTable: forwardCounterTable,
    sshPorts: () => current.ports,
    allotments: () => current.allotments,
    reconfigure: (options) => inTurn(() => putInForce(options)),
    status: plane.status,
    counters: plane.counters,
    hosts: plane.hosts,
    limits: plane.limits,
    queries: { shares: plane.shares } satisfies TcpQueries,
    drain: plane.drain,
    failWorker: plane.failWorker,
    async [Symbol.asyncDispose]() {
      following[Symbol.dispose]();
      await inTurn(() => {});
      await plane[Symbol.asyncDispose]();
    },
  };
}
