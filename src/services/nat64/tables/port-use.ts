/**
 * How many ports of the pools are in use, and how many rest (RFC 6888 REQ-8), by TRANSPORT: all others are left for new mappings.
 * The counts are updated with each change, so reading them is cheap; they are counted anew when the pools change.
 */
import { CONTROL, type PortUse, type Words, portIndex } from './tables.ts';
import { type PortPool, isInPool } from '../settings/pool.ts';

/** Longer than the longest rest, in seconds. */
const RING_SECONDS = 4096;
const PROTOCOL_COUNT = 3;

/** Counts the used and resting ports of the pools from `bibByMappedPort`. */
export function countPorts(
  control: Words,
  bibByMappedPort: Int32Array,
  pools: readonly PortPool[],
  restSeconds: number,
  nowSeconds: number,
): PortUse {
  const use: PortUse = {
    pools,
    restSeconds,
    sizes: [0, 1, 2].map((protocol) => portsOf(pools, protocol)),
    used: control.subarray(CONTROL.PORTS_USED, CONTROL.PORTS_USED + PROTOCOL_COUNT),
    resting: control.subarray(CONTROL.PORTS_RESTING, CONTROL.PORTS_RESTING + PROTOCOL_COUNT),
    released: new Int32Array(PROTOCOL_COUNT * RING_SECONDS),
    second: nowSeconds,
  };
  use.used.fill(0);
  use.resting.fill(0);
  for (const { slot, firstPort, lastPort, protocols } of pools) {
    for (let protocol = 0; protocol < PROTOCOL_COUNT; protocol++) {
      if ((protocols & (1 << protocol)) === 0) continue;
      for (let port = firstPort; port <= lastPort; port++) {
        const entry = bibByMappedPort[portIndex(slot, protocol, port)];
        if (entry > 0) use.used[protocol]++;
        else if (entry < 0 && nowSeconds - ~entry < restSeconds) rest(use, protocol, ~entry);
      }
    }
  }
  return use;
}

/** The number of ports that new mappings could get, never below 0. Call `passTime` first. */
export const portsLeft = ({ sizes, used, resting }: PortUse, protocol: number): number =>
  Math.max(sizes[protocol] - used[protocol] - resting[protocol], 0);

/** The number of all ports of the pools. */
export function portsOf(pools: readonly PortPool[], protocol: number): number {
  let count = 0;
  for (let i = 0; i < pools.length; i++) {
    const { firstPort, lastPort, protocols } = pools[i];
    if ((protocols & (1 << protocol)) !== 0) count += lastPort - firstPort + 1;
  }
  return count;
}

export function notePortTaken(use: PortUse, slot: number, protocol: number, port: number): void {
  if (isInPool(use, slot, protocol, port)) use.used[protocol]++;
}

export function notePortFreed(
  use: PortUse,
  slot: number,
  protocol: number,
  port: number,
  nowSeconds: number,
): void {
  if (!isInPool(use, slot, protocol, port)) return;
  use.used[protocol]--;
  passTime(use, nowSeconds);
  if (use.restSeconds > 0) rest(use, protocol, nowSeconds);
}

/** Ends the rest of ports whose time is over. Usually at most one second has passed, so each call has little to do. */
export function passTime(use: PortUse, nowSeconds: number): void {
  const { restSeconds, released, resting } = use;
  // After a long pause, one turn around the ring is enough.
  if (nowSeconds - use.second > RING_SECONDS) use.second = nowSeconds - RING_SECONDS;
  while (use.second < nowSeconds) {
    use.second++;
    const place = (use.second - restSeconds + RING_SECONDS) % RING_SECONDS;
    for (let at = place; at < released.length; at += RING_SECONDS) {
      resting[Math.floor(at / RING_SECONDS)] -= released[at];
      released[at] = 0;
    }
  }
}

function rest({ released, resting }: PortUse, protocol: number, second: number): void {
  released[protocol * RING_SECONDS + (second % RING_SECONDS)]++;
  resting[protocol]++;
}
