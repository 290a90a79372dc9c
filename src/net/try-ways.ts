/**
 * Tries the ways back of servers (way-back.ts) in the main thread, when a configuration comes into force, so that the first client
 * of a server without one does not wait. What is found goes to the threads through shared memory (found-ways.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectFrom } from '../os/connect-from.ts';
import { readOwn } from '../os/follow-ourselves.ts';
import { isDeliveredHere } from '../os/ourselves.ts';
import { formatIpAddress } from '../wire/ip-address.ts';
import type { FoundWays } from './found-ways.ts';

/** Changes that follow each other quickly cause one series of trials. */
const DELAY_MS = 500;
/** A lost SYN is repeated after a second. */
const TIMEOUT_MS = 3000;
const MOST_AT_ONCE = 8;
const ROUTE_LOOKS = 20;

export interface WayTrials extends Disposable {
  /** Ends the trials of the previous configuration, and tries the servers of this one, if there are any. */
  begin(found: FoundWays | undefined, source: Uint8Array): void;
}

export function createWayTrials(onError: (error: unknown) => void): WayTrials {
  let aborter = new AbortController();
  return {
    begin(found, source) {
      aborter.abort();
      aborter = new AbortController();
      if (found !== undefined) tryWays(found, source, aborter.signal).catch(onError);
    },
    [Symbol.dispose]: () => aborter.abort(),
  };
}

/**
 * Tries the servers from `source`, and those that stay silent from the own address, too. Only a server that answers the latter
 * has no way back; about any other nothing is known. Never rejects, unless there is a bug.
 */
export async function tryWays(
  { servers, memory }: FoundWays,
  source: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  if (servers.length === 0) return;
  const isMissing = new Int32Array(memory);
  if (!(await isRouted(source, signal))) return;
  let next = 0;
  async function tryOneAfterTheOther(): Promise<void> {
    while (next < servers.length && !signal.aborted) {
      const at = next++;
      const attempt = { ...servers[at], timeoutMs: TIMEOUT_MS };
      if ((await connectFrom({ ...attempt, source })) !== 'silent') continue;
      const fromOwn = await connectFrom({ ...attempt, source: undefined });
      // The route may have been removed meanwhile: then the silence was our own fault.
      if ((fromOwn === 'accepted' || fromOwn === 'refused') && isHere(source)) isMissing[at] = 1;
    }
  }
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, tryOneAfterTheOther));
}

/** Whether answers to the source would be delivered to this machine. The service that keeps the route may still be starting. */
async function isRouted(source: Uint8Array, signal: AbortSignal): Promise<boolean> {
  for (let i = 0; i < ROUTE_LOOKS; i++) {
    await sleep(DELAY_MS, undefined, { ref: false });
    if (signal.aborted) return false;
    if (isHere(source)) return true;
  }
  return false;
}

const isHere = (source: Uint8Array): boolean => isDeliveredHere(readOwn(), formatIpAddress(source));
