/** The access list with current addresses: "lan" means the networks that this machine is in now. */
import { type IpPrefix, formatIpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';
import type { FollowedOurselves } from './follow-ourselves.ts';
import { attachedPrefixes, resolveAccessList } from './interfaces.ts';
import { type Seen, followSeen } from './seen.ts';

/** How often "lan" is resolved again, even if no address has changed: the length of a prefix may have changed. */
const REFRESH_MS = 10_000;

export interface FollowedAccess extends Disposable {
  readonly prefixes: readonly IpPrefix[];
  /** Sets a newly configured list. */
  set(entries: readonly string[]): void;
}

const keyOf = (prefixes: readonly IpPrefix[]): string => prefixes.map(formatIpPrefix).sort().join(' ');

/** `onChange` is called for different prefixes, not for the same ones in a different order. */
export function followAccess(
  initial: readonly string[],
  ourselves: FollowedOurselves,
  onChange: (prefixes: readonly IpPrefix[]) => void,
): FollowedAccess {
  let entries = initial;
  /** The networks that "lan" means now. */
  let networks: Seen = new Map();
  function attached(): IpPrefix[] {
    networks = followSeen(attachedPrefixes().map(formatIpPrefix), networks, performance.now());
    return [...networks.keys()].map((text) => parseIpPrefix(text)!);
  }
  let prefixes = resolveAccessList(entries, attached);

  function look(): void {
    const next = resolveAccessList(entries, attached);
    if (keyOf(next) === keyOf(prefixes)) return;
    prefixes = next;
    onChange(prefixes);
  }

  const timer = setInterval(look, REFRESH_MS).unref();
  const following = ourselves.onChange(look);
  return {
    get prefixes() {
      return prefixes;
    },
    set(next) {
      entries = next;
      look();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      following[Symbol.dispose]();
    },
  };
}
