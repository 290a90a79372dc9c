/**
 * Which SSH port each server has: pure. A port once allotted stays with its server's name, even while that server is
 * away: somebody's known_hosts and ssh_config say that this port is that server.
 */
import type { HostConfig } from '../../config/schema.ts';
import type { PortRange } from '../../config/values.ts';
import { TextError, say } from '../../texts/text.ts';

export interface Allotment {
  readonly port: number;
  /** When its server went, in milliseconds since 1970; absent while it is there. */
  readonly releasedAtMs?: number;
}

/** By server name. */
export type Allotments = Readonly<Record<string, Allotment>>;

export interface AllotOptions {
  readonly hosts: readonly HostConfig[];
  readonly range: PortRange;
  /** Ports that others listen on. */
  readonly reservedPorts: readonly number[];
  /** What was allotted before. */
  readonly previous: Allotments;
  readonly nowMs: number;
}

/**
 * The allotments from now on: those of present servers, and those kept for servers that went. Throws when two servers
 * are configured with one port, a configured port is reserved, or the range has no port left.
 */
export function allotPorts({ hosts, range, reservedPorts, previous, nowMs }: AllotOptions): Allotments {
  const reserved = new Set(reservedPorts);
  const present = new Map<string, number>();
  const taken = new Map<number, string>();
  const assign = (name: string, port: number) => {
    present.set(name, port);
    taken.set(port, name);
  };
  const withSsh = hosts.flatMap(({ name, ssh }) => (ssh === false ? [] : [{ name, configured: ssh.port }]));

  for (const { name, configured } of withSsh) {
    if (configured === undefined) continue;
    if (reserved.has(configured)) {
      throw new TextError(
        say('host "{name}": ssh.port {port} is used by another listener of this appliance', {
          name,
          port: configured,
        }),
      );
    }
    const other = taken.get(configured);
    if (other !== undefined) {
      throw new TextError(
        say('host "{name}": ssh.port {port} is also the SSH port of host "{other}"', {
          name,
          port: configured,
          other,
        }),
      );
    }
    assign(name, configured);
  }
  for (const { name, configured } of withSsh) {
    const port = previous[name]?.port;
    // A port that the configuration has meanwhile given to somebody else cannot be kept.
    if (configured === undefined && port !== undefined && !taken.has(port) && !reserved.has(port))
      assign(name, port);
  }
  // Kept for servers that went, unless somebody was configured to have it. Oldest first.
  const kept = Object.entries(previous)
    .filter(([name, { port }]) => !present.has(name) && !taken.has(port))
    .map(([name, { port, releasedAtMs }]) => ({ name, port, releasedAtMs: releasedAtMs ?? nowMs }))
    .sort((a, b) => a.releasedAtMs - b.releasedAtMs);
  const keptPorts = new Set(kept.map(({ port }) => port));
  const isFree = (port: number) => !taken.has(port) && !reserved.has(port);

  let candidate = range.first;
  for (const { name } of withSsh) {
    if (present.has(name)) continue;
    const own = kept.findIndex((tombstone) => tombstone.name === name);
    if (own !== -1) kept.splice(own, 1); // its old port is reserved now
    while (candidate <= range.last && !(isFree(candidate) && !keptPorts.has(candidate))) candidate++;
    if (candidate <= range.last) {
      assign(name, candidate);
      continue;
    }
    const oldest = kept.findIndex(({ port }) => isFree(port) && port >= range.first && port <= range.last);
    if (oldest === -1) {
      throw new TextError(
        say('host "{name}": no SSH port left in {range} ({used} in use, {reserved} reserved)', {
          name,
          range: `${range.first}-${range.last}`,
          used: present.size,
          reserved: reserved.size,
        }),
      );
    }
    assign(name, kept[oldest].port);
    kept.splice(oldest, 1);
  }
  return Object.fromEntries([
    ...Array.from(present, ([name, port]) => [name, { port }]),
    ...kept.map(({ name, port, releasedAtMs }) => [name, { port, releasedAtMs }]),
  ]);
}

/** The ports of present servers. */
export const portsInUse = (allotments: Allotments): Record<string, number> =>
  Object.fromEntries(
    Object.entries(allotments)
      .filter(([, { releasedAtMs }]) => releasedAtMs === undefined)
      .map(([name, { port }]) => [name, port]),
  );
