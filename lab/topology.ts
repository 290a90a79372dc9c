/**
 * Builds topologies of network namespaces joined by veth pairs, for the lab, the tests and the benchmarks.
 *
 *     const spec = {
 *       hosts: {
 *         client: { interfaces: { eth0: { segment: 'wan', addresses: ['192.0.2.10/24'] } } },
 *         server: { interfaces: { eth0: { segment: 'wan', addresses: ['192.0.2.20/24'] } } },
 *       },
 *     };
 *     await using topology = await buildTopology(spec);
 *     await topology.hosts.client.run('ping', ['-c', '1', '192.0.2.20']);
 *
 * A segment is a wire: with two interfaces it is a veth pair, with more a bridge in a namespace of its own. Addresses
 * are usable at once (no duplicate address detection). Everything is gone after disposal, after a failed build, after
 * SIGINT, SIGTERM and SIGHUP; what a killed process left is removed by the next build.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { spawnSync } from 'node:child_process';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost, netnsInode, PATH, runCommand } from './host.ts';
import type { Host } from './host.ts';
import { requireNamespaces } from './preflight.ts';

export interface InterfaceSpec {
  /** The segment to which it is connected. */
  readonly segment: string;
  /** With prefix length: "192.0.2.1/24", "2001:db8:1::1/64". */
  readonly addresses: readonly string[];
  readonly mtuBytes?: number;
}

export interface HostSpec {
  /** By device name. */
  readonly interfaces: Readonly<Record<string, InterfaceSpec>>;
  /** As for `ip route add`: "default via 192.0.2.254". */
  readonly routes?: readonly string[];
  /** Forwards IPv4 and IPv6 packets between its interfaces. */
  readonly router?: boolean;
  /** By path below /proc/sys, written before the links are up: { "net/ipv4/ip_default_ttl": 64 }. */
  readonly sysctls?: Readonly<Record<string, string | number>>;
  /** Files that replace those of the machine's /etc for `ip netns exec`; they must exist there. */
  readonly etc?: Readonly<Record<string, string>>;
}

export interface TopologySpec<Name extends string = string> {
  readonly hosts: Readonly<Record<Name, HostSpec>>;
}

export interface Topology<Name extends string = string> extends AsyncDisposable {
  readonly hosts: Readonly<Record<Name, Host>>;
  /** A directory for work files, removed at the end; every user may enter it. */
  readonly directory: string;
}

/** Namespaces and directories are called `tombolo-PID-...`, so that those of dead processes can be recognised. */
const NAME_PREFIX = 'tombolo-';
const SWITCH = 'switch';
let built = 0;
const live = new Set<Remains>();

/** Everything that must be removed at the end. */
interface Remains {
  readonly namespaces: string[];
  readonly directories: string[];
}

/** Builds the topology, or removes what it has built and rejects. Needs root; the error says what is missing. */
export async function buildTopology<const Name extends string>(
  spec: TopologySpec<Name>,
): Promise<Topology<Name>> {
  requireNamespaces();
  removeStale();
  const run = `${NAME_PREFIX}${process.pid}${built++ === 0 ? '' : `.${built}`}-`;
  const names = Object.keys(spec.hosts) as Name[];
  const namespaceOf = (host: string) => run + host;
  const directory = mkdtempSync(join(tmpdir(), run));
  const remains: Remains = { namespaces: [], directories: [directory] };
  removeAtExit(remains);
  try {
    const plan = planLinks(spec, namespaceOf);
    const namespaces = [...names, ...(plan.bridges.length > 0 ? [SWITCH] : [])].map(namespaceOf);
    for (const name of names) writeEtc(namespaceOf(name), spec.hosts[name].etc ?? {}, remains);
    remains.namespaces.push(...namespaces);
    // Daemons that drop their privileges must still be able to reach their files.
    chmodSync(directory, 0o755);
    await ip([...namespaces.map((namespace) => `netns add ${namespace}`), ...plan.links]);
    await Promise.all([
      ...names.map((name) => configureHost(namespaceOf(name), spec.hosts[name])),
      ...(plan.bridges.length > 0 ? [inNamespace(namespaceOf(SWITCH), plan.bridges, {})] : []),
    ]);
  } catch (error) {
    remove(remains);
    throw error;
  }
  const hosts = Object.fromEntries(
    names.map((name) => [name, createHost(name, namespaceOf(name))]),
  ) as Record<Name, Host>;
  return {
    hosts,
    directory,
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values<Host>(hosts).map((host) => host[Symbol.asyncDispose]()));
      remove(remains);
    },
  };
}

interface LinkPlan {
  /** For `ip -batch` on the machine itself: veth pairs, created directly in their namespaces. */
  readonly links: string[];
  /** For `ip -batch` in the switch's namespace. */
  readonly bridges: string[];
}

function planLinks(spec: TopologySpec, namespaceOf: (host: string) => string): LinkPlan {
  const segments = new Map<string, { host: string; device: string; mtuBytes: number }[]>();
  for (const [host, { interfaces }] of Object.entries(spec.hosts)) {
    for (const [device, { segment, mtuBytes = 1500 }] of Object.entries(interfaces)) {
      segments.set(segment, [...(segments.get(segment) ?? []), { host, device, mtuBytes }]);
    }
  }
  const links: string[] = [];
  const bridges: string[] = [];
  // Give the ends different indices: the kernel then announces the carrier at once, not after up to a second
  // (linkwatch_urgent_event in net/core/link_watch.c).
  let index = 10;
  const end = (host: string, device: string) => `name ${device} index ${index++} netns ${namespaceOf(host)}`;
  let ports = 0;
  for (const [segment, ends] of segments) {
    const [first, second] = ends;
    if (ends.length === 2 && first && second) {
      links.push(
        `link add ${end(first.host, first.device)} mtu ${first.mtuBytes} type veth peer ${end(second.host, second.device)} mtu ${second.mtuBytes}`,
      );
      continue;
    }
    bridges.push(
      `link add name ${segment} type bridge forward_delay 0 mcast_snooping 0`,
      `link set dev ${segment} up`,
    );
    for (const { host, device, mtuBytes } of ends) {
      const port = `port${ports++}`;
      links.push(
        `link add ${end(host, device)} mtu ${mtuBytes} type veth peer ${end(SWITCH, port)} mtu ${mtuBytes}`,
      );
      bridges.push(`link set dev ${port} master ${segment} up`);
    }
  }
  return { links, bridges };
}

function configureHost(namespace: string, spec: HostSpec): Promise<void> {
  const commands = ['link set lo up'];
  for (const [device, { addresses }] of Object.entries(spec.interfaces)) {
    // "nodad": otherwise an IPv6 address is tentative, and unusable, for a second.
    for (const address of addresses) {
      commands.push(`addr add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`);
    }
    commands.push(`link set dev ${device} up`);
  }
  for (const route of spec.routes ?? []) commands.push(`route add ${route}`);
  const forwarding = spec.router ? 1 : 0;
  return inNamespace(namespace, commands, {
    'net/ipv4/ip_forward': forwarding,
    'net/ipv6/conf/all/forwarding': forwarding,
    ...spec.sysctls,
  });
}

/** Writes the sysctls, then runs the commands of `ip -batch`, in one process inside the namespace. */
async function inNamespace(
  namespace: string,
  commands: readonly string[],
  sysctls: Readonly<Record<string, string | number>>,
): Promise<void> {
  const quiet = { disable_ipv6: 0, accept_dad: 0, accept_ra: 0 };
  const script = [
    // Interfaces exist but are down: set "all" and each of them, otherwise link-local addresses would be tentative.
    ...Object.entries(quiet).map(
      ([name, value]) => `for f in /proc/sys/net/ipv6/conf/*/${name}; do echo ${value} > $f; done`,
    ),
    ...Object.entries(sysctls).map(([name, value]) => `echo '${value}' > /proc/sys/${name}`),
    `exec ip -batch - <<'END'`,
    ...commands,
    'END',
    '',
  ].join('\n');
  const output = await runCommand('ip', ['netns', 'exec', namespace, 'sh', '-e', '-c', script]);
  if (output.code !== 0) throw new Error(`cannot configure ${namespace}: ${output.stderr || output.stdout}`);
}

async function ip(commands: readonly string[]): Promise<void> {
  const output = await runCommand('ip', ['-batch', '-'], { input: `${commands.join('\n')}\n` });
  if (output.code !== 0) throw new Error(`cannot build the topology: ${output.stderr || output.stdout}`);
}

/** `ip netns exec` mounts the files of /etc/netns/NAME over those of /etc. */
function writeEtc(namespace: string, files: Readonly<Record<string, string>>, remains: Remains): void {
  if (Object.keys(files).length === 0) return;
  const directory = `/etc/netns/${namespace}`;
  mkdirSync(directory, { recursive: true });
  remains.directories.push(directory);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}

function removeAtExit(remains: Remains): void {
  if (live.size === 0) process.on('exit', removeAll);
  live.add(remains);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    if (!process.listeners(signal).includes(exitOnSignal)) process.on(signal, exitOnSignal);
  }
}

/** A program with its own handlers disposes its topologies itself. Any other program ends here, which removes them. */
function exitOnSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
}

function removeAll(): void {
  for (const remains of live) remove(remains);
}

function remove(remains: Remains): void {
  live.delete(remains);
  if (live.size === 0) {
    process.off('exit', removeAll);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, exitOnSignal);
  }
  destroy(remains.namespaces, remains.directories);
}

/** Kills every process in the namespaces, then removes them and the directories. Synchronous: it also runs at exit. */
function destroy(namespaces: readonly string[], directories: readonly string[]): void {
  const inodes = new Set<number>();
  const existing = namespaces.filter((namespace) => existsSync(`/run/netns/${namespace}`));
  for (const namespace of existing) inodes.add(statSync(`/run/netns/${namespace}`).ino);
  for (const entry of existing.length > 0 ? readdirSync('/proc') : []) {
    const inode = /^\d+$/.test(entry) ? netnsInode(Number(entry)) : undefined;
    if (inode !== undefined && inodes.has(inode)) kill(Number(entry));
  }
  if (existing.length > 0) {
    const input = existing.map((namespace) => `netns del ${namespace}\n`).join('');
    spawnSync('ip', ['-batch', '-', '-force'], { input, env: { ...process.env, PATH } });
  }
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  try {
    rmdirSync('/etc/netns');
  } catch {
    // It does not exist, or others use it too.
  }
}

/** Removes the remains of processes that no longer run. */
export function removeStale(): void {
  const within = (directory: string) => staleIn(directory).map((name) => join(directory, name));
  destroy(staleIn('/run/netns'), [...within('/etc/netns'), ...within(tmpdir())]);
}

function staleIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => isStale(name)) : [];
}

function isStale(name: string): boolean {
  const pid = new RegExp(`^${NAME_PREFIX}(\\d+)[.-]`).exec(name)?.[1];
  return pid !== undefined && !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
