/** Our own addresses, read from the kernel and followed as they change. What they mean is in ourselves.ts: worker threads need only that. */
import { type IpPrefix, parseIpPrefix } from '../wire/ip-prefix.ts';
import { ownAddresses } from './interfaces.ts';
import { localRoutes } from './local-routes.ts';
import { watchNetworkChanges } from './network-changes.ts';
import { type Ourselves, compileOurselves, distinct } from './ourselves.ts';

/** What the kernel delivers to this machine now. Never throws: where it cannot be asked, the interfaces that are up. */
export function readOwn(): IpPrefix[] {
  const interfaces = ownAddresses().flatMap((text) => parseIpPrefix(text) ?? []);
  try {
    return distinct([...localRoutes(), ...interfaces]);
  } catch {
    return interfaces;
  }
}

/** Who we are now, for whoever has to know it all the time. */
export interface FollowedOurselves {
  readonly current: Ourselves;
  /** Calls the listener with every change from now on. */
  onChange(listener: (ourselves: Ourselves) => void): Disposable;
}

export interface OurselvesFollower extends FollowedOurselves, Disposable {
  /** The NAT64 prefixes of the configuration in force. */
  setPrefixes(prefixes: readonly IpPrefix[]): void;
}

/** How soon a change of the machine's addresses is noticed. */
const FOLLOW_INTERVAL_MS = 1000;
/** How often the addresses are read although the kernel tells of no change. */
const LOOK_INTERVAL_MS = 60_000;

/** Follows the addresses of this machine until it is disposed. */
export function followOurselves(prefixes: readonly IpPrefix[]): OurselvesFollower {
  const changes = watchNetworkChanges();
  const listeners = new Set<(ourselves: Ourselves) => void>();
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
    if (changes.take().hasChanged || performance.now() - lookedMs >= LOOK_INTERVAL_MS) look();
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
