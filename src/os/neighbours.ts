/** The kernel's neighbour table: hosts that were seen on the links. */
import { runCommand } from './command.ts';

export interface Neighbour {
  readonly address: string;
  readonly interface: string;
  readonly mac: string | undefined;
  readonly isRouter: boolean;
  /** NUD states: "REACHABLE", "STALE", "FAILED", ... */
  readonly states: readonly string[];
}

interface IpNeighbour {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
  readonly router?: unknown;
  readonly state?: readonly string[];
}

/** IPv6 neighbours, including those that did not answer. Throws when `ip` fails. */
export async function ipv6Neighbours(): Promise<Neighbour[]> {
  return parseNeighbours(await runCommand('ip', ['-6', '-j', 'neigh', 'show']));
}

/** Parses the output of `ip -6 -j neigh show`. */
export const parseNeighbours = (json: string): Neighbour[] =>
  (JSON.parse(json.trim() || '[]') as IpNeighbour[]).map(({ dst, dev, lladdr, router, state }) => ({
    address: dst,
    interface: dev,
    mac: lladdr,
    // `ip` writes "router": null for the flag.
    isRouter: router !== undefined,
    states: state ?? [],
  }));
