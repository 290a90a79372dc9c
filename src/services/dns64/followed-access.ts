/** The access list as it stands for addresses now: "lan" is whatever networks this machine is in. */
import { attachedPrefixes, resolveAccessList } from '../../os/interfaces.ts';
import { type Seen, followSeen } from '../../os/seen.ts';
import type { ServiceContext } from '../../runtime/service.ts';
import { type IpPrefix, formatIpPrefix, parseIpPrefix } from '../../wire/ip-prefix.ts';

/** How often "lan" is looked up although no address has come or gone: a prefix may have another length. */
const REFRESH_MS = 10_000;

export interface FollowedAccess extends Disposable {
  readonly prefixes: readonly IpPrefix[];
  /** Another list is configured. */
  set(entries: readonly string[]): void;
}

const keyOf = (prefixes: readonly IpPrefix[]): string => prefixes.map(formatIpPrefix).sort().join(' ');

/** `onChange` hears of other prefixes, not of the same in another order. */
export function followAccess(
  initial: readonly string[],
  ourselves: ServiceContext['ourselves'],
  onChange: (prefixes: readonly IpPrefix[]) => void,
): FollowedAccess {
  let entries = initial;
  /** Networks that "lan" stands for. */
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
