/**
 * The main thread's side of `proxy.allowedPrefixes`: asks resolvers for the AAAA records of names, for the workers (learned.ts),
 * which remember the answers and decide which addresses are allowed. Only AAAA is asked for: no address is ever made from an A
 * record (DNS64), so no name leads into NAT64.
 */
import { isLoop, type UpstreamServer, type Upstreams, createUpstreams } from '../../net/dns-upstreams.ts';
import { askChain } from '../../net/dns-chain.ts';
import type { UpstreamCounters, UpstreamQuestion } from '../../net/dns-exchange.ts';
import type { Ourselves } from '../../os/ourselves.ts';
import { type NameAddresses, aaaaOf } from '../../wire/dns-answer.ts';
import { CLASS_IN, Type } from '../../wire/dns-message.ts';
import { nameFromText } from '../../wire/dns-name.ts';
import type { NameAnswer, NameQuestion } from './learned.ts';

export interface LookUpSettings {
  /** Empty: nothing is looked up. */
  readonly resolvers: readonly UpstreamServer[];
  /** Where our own resolver listens, which is not asked; undefined while it is off. */
  readonly own: { readonly listen: readonly string[]; readonly port: number } | undefined;
}

export interface LookUps extends Disposable {
  /** In progress. */
  readonly underWay: number;
  /** Other resolvers. Look-ups in progress continue with the old ones. */
  set(settings: LookUpSettings): void;
  /** The answer goes to `onAnswer`, within the deadline of the question. */
  ask(question: NameQuestion): void;
}

/** Longer than any deadline: then the resolvers of an earlier configuration are left alone, with their probes. */
const LONGEST_LOOK_UP_MS = 10_000;
/** More addresses of a name are not passed on. */
const MAX_ADDRESSES = 64;

/** The AAAA records of a name; undefined if no resolver answered, or only with errors. Never rejects. */
export async function lookUp(
  upstreams: Pick<Upstreams, 'ask'>,
  name: string,
  deadlineMs: number,
): Promise<NameAddresses | undefined> {
  const question: UpstreamQuestion = {
    name: nameFromText(name),
    type: Type.AAAA,
    class: CLASS_IN,
    dnssecOk: false,
    checkingDisabled: false,
  };
  const message = await askChain(upstreams, question, deadlineMs);
  if (message === undefined) return undefined;
  const { addresses, ttlSeconds } = aaaaOf(question.name, message);
  return { addresses: addresses.slice(0, MAX_ADDRESSES), ttlSeconds };
}

export const upstreamsFor = (
  { resolvers, own }: LookUpSettings,
  counters: UpstreamCounters,
  signal: AbortSignal,
  ourselves: () => Ourselves,
): Upstreams =>
  createUpstreams(
    resolvers,
    counters,
    signal,
    (target) => own !== undefined && isLoop(ourselves(), own, target),
  );

export function createLookUps(
  initial: LookUpSettings,
  counters: UpstreamCounters,
  ourselves: () => Ourselves,
  onAnswer: (answer: NameAnswer) => void,
): LookUps {
  const make = (settings: LookUpSettings) => {
    const aborter = new AbortController();
    return { settings, aborter, upstreams: upstreamsFor(settings, counters, aborter.signal, ourselves) };
  };
  let current = make(initial);
  let isDisposed = false;
  let underWay = 0;
  return {
    get underWay() {
      return underWay;
    },
    set(next) {
      if (JSON.stringify(next) === JSON.stringify(current.settings)) return;
      const { aborter } = current;
      setTimeout(() => aborter.abort(), LONGEST_LOOK_UP_MS).unref();
      current = make(next);
    },
    ask({ name, deadlineMs }) {
      underWay++;
      lookUp(current.upstreams, name, deadlineMs)
        .catch(() => undefined)
        .then((found) => {
          underWay--;
          if (!isDisposed) onAnswer({ name, found });
        });
    },
    [Symbol.dispose]() {
      isDisposed = true;
      current.aborter.abort();
    },
  };
}
