/**
 * Allots an SSH port to each server. Pure. A port stays with the name of its server, even while that server is removed:
 * known_hosts and ssh_config files of users refer to it.
 */
import type { HostConfig } from '../../config/schema.ts';
import type { PortRange } from '../../config/values.ts';
import { TextError, say } from '../../texts/text.ts';

export interface Allotment {
  readonly port: number;
  /** When its server was removed, in milliseconds since 1970; absent while the server exists. */
  readonly releasedAtMs?: number;
}

/** By server name. */
export type Allotments = Readonly<Record<string, Allotment>>;

export interface AllotOptions {
  readonly hosts: readonly HostConfig[];
  readonly range: PortRange;
  /** Ports on which other parts listen. */
  readonly reservedPorts: readonly number[];
  /** The previous allotments. */
  readonly previous: Allotments;
  readonly nowMs: number;
}

/**
 * The new allotments: those of existing servers, and those kept for removed servers. Throws when two servers are configured
 * with one port, a configured port is reserved, or the range has no port left.
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
    // Keep the previous port, unless the configuration has given it to another server meanwhile.
    if (configured === undefined && port !== undefined && !taken.has(port) && !reserved.has(port))
      assign(name, port);
  }
  // Keep the ports of removed servers, unless they are configured for another server. Oldest first.
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

/** The ports of existing servers. */
export const portsInUse = (allotments: Allotments): Record<string, number> =>
  Object.fromEntries(
    Object.entries(allotments)
      .filter(([, { releasedAtMs }]) => releasedAtMs === undefined)
      .map(([name, { port }]) => [name, port]),
  );
