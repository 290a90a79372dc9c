/**
 * Reads our own addresses from the kernel and follows their changes. ourselves.ts says what they mean; worker threads only need
 * that file.
 */
import { type IpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';
import { ownAddresses } from './interfaces.ts';
import { localRoutes } from './local-routes.ts';
import { watchNetworkChanges } from './network-changes.ts';
import { type Ourselves, compileOurselves, distinct } from './ourselves.ts';

/** What the kernel delivers to this machine now. Never throws: if the kernel does not answer, uses the interfaces that are up. */
export function readOwn(): IpPrefix[] {
  const interfaces = ownAddresses().flatMap((text) => parseIpPrefix(text) ?? []);
  try {
    return distinct([...localRoutes(), ...interfaces]);
  } catch {
    return interfaces;
  }
}

/** Our current addresses, for code that must always know them. */
export interface FollowedOurselves {
  readonly current: Ourselves;
  /** Calls the listener at every later change. */
  onChange(listener: (ourselves: Ourselves) => void): Disposable;
}

/** Changes of the machine's network, whatever they are: a cable, an address, a route, a rule. */
export interface FollowedNetwork {
  /** Calls the listener at most once a second. */
  onNetworkChange(listener: () => void): Disposable;
}

export interface OurselvesFollower extends FollowedOurselves, FollowedNetwork, Disposable {
  /** The NAT64 prefixes of the active configuration. */
  setPrefixes(prefixes: readonly IpPrefix[]): void;
}

/** How soon a change of the machine's addresses is noticed. */
const FOLLOW_INTERVAL_MS = 1000;
/** How often the addresses are read even if the kernel reports no change. */
const LOOK_INTERVAL_MS = 60_000;

/** Follows the addresses of this machine until disposed. */
export function followOurselves(prefixes: readonly IpPrefix[]): OurselvesFollower {
  const changes = watchNetworkChanges();
  const listeners = new Set<(ourselves: Ourselves) => void>();
  const networkListeners = new Set<() => void>();
  let embeddingPrefixes = prefixes;
  let current = compileOurselves(readOwn(), embeddingPrefixes);
  let lookedMs = performance.now();

  function look(): void {
    lookedMs = performance.now();
    const next = compileOurselves(readOwn(), embeddingPrefixes);
    if (Buffer.compare(bytesOf(next.rows), bytesOf(current.rows)) === 0) return;
    current = next;
    for (const listener of listeners) listener(current);
  }

  const timer = setInterval(() => {
    const { hasChanged } = changes.take();
    if (hasChanged || performance.now() - lookedMs >= LOOK_INTERVAL_MS) look();
    if (hasChanged) for (const listener of networkListeners) listener();
  }, FOLLOW_INTERVAL_MS);
  timer.unref();
  return {
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    onNetworkChange(listener) {
      networkListeners.add(listener);
      return { [Symbol.dispose]: () => void networkListeners.delete(listener) };
    },
    setPrefixes(next) {
      embeddingPrefixes = next;
      look();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      changes[Symbol.dispose]();
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);
