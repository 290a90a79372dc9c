/**
 * Servers that are found by the AAAA records of their name (`proxy.allowedPrefixes`). Each thread has one such table for all its
 * listeners. A name that is not known, or not any more, is asked for: the main thread looks it up, and the clients wait.
 *
 * - A server is dialled at the addresses that were checked, never by its name. So an answer that changes later (DNS rebinding)
 *   changes nothing for who is connected, and is checked anew for who comes.
 * - If the resolvers do not answer, addresses that are out of date are used for up to a day (RFC 8767).
 * - Three things are finite: entries, look-ups in progress, look-ups in a second. Each client has its share of them, so one that
 *   asks for random names loses its own entries, and is refused before others.
 */
import type { AccessLevelId } from '../../net/access-record.ts';
import { Buffer } from 'node:buffer'; // the global is a getter
import { clientAt } from '../../net/client.ts';
import type { Awaited } from '../../net/gate.ts';
import { type HeldShares, createHeldShares, giveBack, hold } from '../../net/held-shares.ts';
import { type RateShares, createRateShares, takeOfRate } from '../../net/rate-shares.ts';
import { createServerAddresses } from '../../net/server-addresses.ts';
import {
  type SlotShares,
  createSlotShares,
  releaseSlot,
  takeSlot,
  touchSlot,
  victimFor,
} from '../../net/shares.ts';
import type { Ourselves } from '../../os/ourselves.ts';
import { encodeSocketAddress } from '../../os/socket-address.ts';
import { type AllowedAddresses, isPublicName, mayDial } from './allowed.ts';
import type { ProxyCounterIndex } from './counters.ts';
import { type Backend, KNOWN, type NameServers, type NotLearned, type Origin } from './host-table.ts';

/** The name under which the traffic of all these servers is counted. No configured server can have it: it is no label. */
export const LEARNED_SERVER = '(AAAA)';

/** Names of which something is known, or being asked. */
export const MAX_NAMES = 4096;
/** Names that are being looked up at the same time; look-ups that begin in one second. */
export const MAX_LOOK_UPS = 256;
export const LOOK_UPS_PER_SECOND = 200;
/** Addresses of one name that are tried. */
const MAX_ADDRESSES = 8;

/** How long clients wait for the resolvers; and if an address is known that is out of date (RFC 8767 section 5). */
const DEADLINE_MS = 4800;
const STALE_DEADLINE_MS = 1800;
/** An answer that has not come after this time never will: the main thread was restarted in between, or the message was lost. */
const LOST_MS = 15_000;
/** How long an answer is used at least, whatever its TTL: so long that everybody who waited for it gets it. */
const LEAST_MS = 5000;
/** RFC 8767 section 4: no answer is kept for longer than a day. */
const LONGEST_MS = 86_400_000;
/** RFC 2308 section 5 allows a limit: who adds a record does not want to wait for hours. */
const LONGEST_WITHOUT_MS = 300_000;
/** RFC 9520 section 3.2: a failure is remembered for a second at least, and five minutes at most. */
const FAILURE_MS = 5000;
/** RFC 8767 sections 4 and 5: how old it may be, and how soon the resolvers are asked again. */
const STALE_MS = 86_400_000;
const STALE_AGAIN_MS = 30_000;

/** To the main thread. */
export interface NameQuestion {
  readonly name: string;
  readonly deadlineMs: number;
}

/** From the main thread. */
export interface NameAnswer {
  readonly name: string;
  /** undefined: the resolvers did not answer, or only with errors. */
  readonly found: { readonly addresses: readonly Uint8Array[]; readonly ttlSeconds: number } | undefined;
}

interface Entry extends Awaited {
  readonly name: string;
  /** Among all names. */
  readonly slot: number;
  /** Among the look-ups in progress; 0 if there is none. */
  lookUp: number;
  askedMs: number;
  /** The state, after the first answer. */
  isKnown: boolean;
  isFailed: boolean;
  addresses: readonly Uint8Array[];
  untilMs: number;
  /** How long the addresses were valid, when a resolver last answered. */
  freshUntilMs: number;
  origin: Origin;
  /** By port. */
  readonly backends: Map<number, Backend>;
}

export interface LearnedOptions {
  readonly allowed: AllowedAddresses;
  readonly ourselves: Ourselves;
  readonly values: Float64Array;
  readonly index: ProxyCounterIndex;
  readonly ask: (question: NameQuestion) => void;
  /** What the access log has of their clients. */
  readonly accessLog: AccessLevelId;
  /** The server is not used any more. */
  readonly onForget: (backend: Backend) => void;
  /** Milliseconds that wrap at 2^31. */
  readonly now: () => number;
  /** A random number. */
  readonly seed: number;
}

export interface LearnedServers {
  /** The servers, as a listener at this port finds them. */
  at(port: number): NameServers;
  /** New own addresses. */
  setOurselves(ourselves: Ourselves): void;
  /** Puts an answer in force; what connections waited for, if any did. */
  learn(answer: NameAnswer): Awaited | undefined;
}

/** All that is known. */
interface Known {
  readonly options: LearnedOptions;
  ourselves: Ourselves;
  readonly entries: Map<string, Entry>;
  /** By the number of their slot. */
  readonly bySlot: (Entry | undefined)[];
  readonly slots: SlotShares;
  readonly lookUps: HeldShares;
  readonly rate: RateShares;
}

export function createLearnedServers(options: LearnedOptions): LearnedServers {
  const { seed, ourselves } = options;
  const known: Known = {
    options,
    ourselves,
    entries: new Map(),
    bySlot: [],
    slots: createSlotShares({ slots: MAX_NAMES, seed }),
    lookUps: createHeldShares(MAX_LOOK_UPS, seed),
    rate: createRateShares(LOOK_UPS_PER_SECOND, seed),
  };
  return {
    at: (port) => ({
      find: (name) => find(known, name, port),
      ask: (name, client) => ask(known, name, client),
    }),
    setOurselves(changed) {
      known.ourselves = changed;
    },
    learn: (answer) => learn(known, answer),
  };
}

function find(
  { options: { now, values, index, accessLog }, entries, slots }: Known,
  name: string,
  port: number,
): Backend | NotLearned | undefined {
  const entry = entries.get(name);
  if (entry === undefined) return isPublicName(name) ? 'not-asked' : undefined;
  if (entry.lookUp !== 0 || !entry.isKnown || ((entry.untilMs - now()) | 0) <= 0) return 'not-asked';
  touchSlot(slots, entry.slot);
  if (entry.isFailed) return 'no-lookup';
  if (entry.addresses.length === 0) return 'no-address';
  values[index['aaaa-routed']]++;
  let backend = entry.backends.get(port);
  if (backend === undefined) entry.backends.set(port, (backend = backendOf(entry, port, accessLog)));
  return backend;
}

function ask(known: Known, name: string, client: Uint8Array): Awaited | typeof KNOWN | undefined {
  const { options, entries, lookUps, rate } = known;
  const nowMs = options.now();
  const earlier = entries.get(name);
  if (earlier !== undefined && isAsked(earlier, nowMs)) return earlier;
  const { word0, word1, word2, word3 } = clientAt(client);
  const lookUp = hold(lookUps, { word0, word1, word2, word3 });
  if (lookUp === 0) return refuse(known, earlier, nowMs);
  const mayAsk = takeOfRate(rate, Math.floor(nowMs / 1000), word0, word1, word2, word3);
  const entry = mayAsk ? (earlier ?? add(known, name, client)) : undefined;
  if (entry === undefined) {
    giveBack(lookUps, lookUp);
    return refuse(known, earlier, nowMs);
  }
  endLookUp(known, entry); // one that was lost
  entry.lookUp = lookUp;
  entry.askedMs = nowMs;
  options.values[options.index['aaaa-asked']]++;
  options.ask({ name, deadlineMs: isUsableStale(entry, nowMs) ? STALE_DEADLINE_MS : DEADLINE_MS });
  return entry;
}

function learn(known: Known, { name, found }: NameAnswer): Awaited | undefined {
  const { now, values, index, allowed } = known.options;
  const entry = known.entries.get(name);
  if (entry === undefined || entry.lookUp === 0) return undefined;
  endLookUp(known, entry);
  const nowMs = now();
  if (found === undefined && isUsableStale(entry, nowMs)) {
    values[index['aaaa-stale']]++;
    entry.untilMs = nowMs + STALE_AGAIN_MS;
    return entry;
  }
  const addresses = (found?.addresses ?? []).filter((address) => mayDial(allowed, known.ourselves, address));
  if (!hasSame(entry.addresses, addresses)) {
    forgetServers(known, entry);
    entry.addresses = addresses.slice(0, MAX_ADDRESSES);
  }
  entry.isKnown = true;
  entry.isFailed = found === undefined;
  const longestMs = addresses.length === 0 ? LONGEST_WITHOUT_MS : LONGEST_MS;
  const validMs = found === undefined ? FAILURE_MS : Math.min(found.ttlSeconds * 1000, longestMs);
  entry.untilMs = entry.freshUntilMs = nowMs + Math.max(validMs, LEAST_MS);
  return entry;
}

/** The client has its share of look-ups. Others may have the same address: what they have used so far stays known to them. */
function refuse({ options }: Known, earlier: Entry | undefined, nowMs: number): typeof KNOWN | undefined {
  if (earlier === undefined || !isUsableStale(earlier, nowMs)) return undefined;
  options.values[options.index['aaaa-stale']]++;
  earlier.untilMs = nowMs + LEAST_MS;
  return KNOWN;
}

const isAsked = ({ lookUp, askedMs }: Entry, nowMs: number): boolean =>
  lookUp !== 0 && ((nowMs - askedMs) | 0) < LOST_MS;

const isUsableStale = ({ addresses, freshUntilMs }: Entry, nowMs: number): boolean =>
  addresses.length > 0 && ((nowMs - freshUntilMs) | 0) < STALE_MS;

/** A place for a new name: at the limit that of the client with most names. */
function add(known: Known, name: string, client: Uint8Array): Entry | undefined {
  const { options, entries, bySlot, slots } = known;
  const { word0, word1, word2, word3 } = clientAt(client);
  if (slots.usedSlots === MAX_NAMES) {
    const victim = bySlot[victimFor(slots, 1, word0, word1, word2, word3)]!;
    if (isAsked(victim, options.now())) return undefined;
    options.values[options.index['aaaa-displaced']]++;
    remove(known, victim);
  }
  const slot = takeSlot(slots, 1, word0, word1, word2, word3);
  const entry: Entry = {
    name,
    slot,
    connections: [],
    lookUp: 0,
    askedMs: 0,
    isKnown: false,
    isFailed: false,
    addresses: [],
    untilMs: 0,
    freshUntilMs: 0,
    origin: { isForgotten: false },
    backends: new Map(),
  };
  bySlot[slot] = entry;
  entries.set(name, entry);
  return entry;
}

function remove(known: Known, entry: Entry): void {
  forgetServers(known, entry);
  endLookUp(known, entry);
  releaseSlot(known.slots, entry.slot);
  known.bySlot[entry.slot] = undefined;
  known.entries.delete(entry.name);
}

function forgetServers({ options }: Known, entry: Entry): void {
  entry.origin.isForgotten = true;
  for (const backend of entry.backends.values()) options.onForget(backend);
  entry.backends.clear();
  entry.origin = { isForgotten: false };
}

function endLookUp({ lookUps }: Known, entry: Entry): void {
  if (entry.lookUp !== 0) giveBack(lookUps, entry.lookUp);
  entry.lookUp = 0;
}

/** Whether two answers say the same, in any order: resolvers rotate the records. */
function hasSame(known: readonly Uint8Array[], found: readonly Uint8Array[]): boolean {
  const keys = (addresses: readonly Uint8Array[]) =>
    addresses
      .slice(0, MAX_ADDRESSES)
      .map((address) => Buffer.from(address).toString('hex'))
      .sort()
      .join();
  return known.length === Math.min(found.length, MAX_ADDRESSES) && keys(known) === keys(found);
}

/** Nothing is configured for it: it is reached at the port of the listener, and does not learn the client's address. */
export function backendOf(
  { addresses, origin }: Pick<Entry, 'addresses' | 'origin'>,
  port: number,
  accessLog: AccessLevelId,
): Backend {
  const all = addresses.map((address) => encodeSocketAddress({ address, port }));
  return {
    refused: null,
    name: LEARNED_SERVER,
    serverAddress: all[0],
    addresses: all.length === 1 ? undefined : createServerAddresses(all, false),
    clientAddress: 'none',
    access: null,
    maintenance: false,
    redirect: null,
    accessLog,
    origin,
  };
}
