/**
 * Resolves questions that are not in the cache. Sends the queries in the order that RFC 6147 requires; identical questions are
 * resolved only once at a time.
 */
import type { Counters } from '../../runtime/counters.ts';
import { CD, type DnsMessage, type DnsQuestion, Type } from '../../wire/dns-message.ts';
import { lowerName, nameKey } from '../../wire/dns-name.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import { type Answer, type AnswerOrigin, failure, makeAnswer, variantOf } from './answer.ts';
import { randomInt } from 'node:crypto';
import { askChain } from '../../net/dns-chain.ts';
import type { Upstreams } from '../../net/dns-upstreams.ts';
import { createHeldShares, giveBack, hold } from '../../net/held-shares.ts';
import type { Client } from '../../net/client.ts';
import type { Dns64Counters } from './counters.ts';
import {
  decideAaaa,
  decideReverse,
  maySynthesise,
  needsA,
  reverseTarget,
  withoutExcluded,
} from './decide.ts';
import { localZone } from './local-names.ts';

/** Clients wait for about five seconds. */
const DEADLINE_MS = 4800;
/** The part of it for AAAA, so that a server that ignores AAAA queries (RFC 4074) leaves time for A. */
const AAAA_DEADLINE_MS = 2800;
/** Different questions in progress at a time; each uses a socket or two. */
export const MAX_IN_FLIGHT = 512;

export interface ClientQuestion extends DnsQuestion {
  readonly dnssecOk: boolean;
  /** The flags of the query; of these, CD matters. */
  readonly flags: number;
}

export interface Resolver {
  /** Questions in progress. */
  readonly inFlight: number;
  /**
   * The answer; undefined when too much is in progress, in total or for this client (a question counts for the client that
   * asked first). Never rejects. For a question in progress, returns the same promise.
   */
  resolve(question: ClientQuestion, who: Client): Promise<Answer> | undefined;
}

export interface ResolverOptions {
  readonly upstreams: Upstreams;
  readonly pref64: readonly IpPrefix[];
  readonly counters: Counters<Dns64Counters>;
}

export function createResolver({ upstreams, pref64, counters }: ResolverOptions): Resolver {
  const { values, index } = counters;
  const inFlight = new Map<string, Promise<Answer>>();
  const shares = createHeldShares(MAX_IN_FLIGHT, randomInt(2 ** 32));

  async function answer(client: ClientQuestion): Promise<Answer> {
    const { type, dnssecOk } = client;
    const question: DnsQuestion = { name: lowerName(client.name), type, class: client.class };
    const variant = variantOf(dnssecOk, client.flags);
    const local = await answerHere(question);
    if (local !== undefined) {
      values[index.local]++;
      return makeAnswer(question, variant, local, 'local');
    }
    const { message, origin } = await upstreamAnswer(question, dnssecOk, (client.flags & CD) !== 0);
    if (message === undefined) {
      values[index['error-resolution']]++;
      return failure(question, variant);
    }
    return makeAnswer(question, variant, message, origin);
  }

  /** The answer that no upstream is asked for; undefined for most questions. */
  async function answerHere(question: DnsQuestion): Promise<DnsMessage | undefined> {
    const zone = localZone(question);
    if (zone === undefined) return undefined;
    const { localAnswer } = await import('./local-answers.ts');
    return localAnswer(question, zone, pref64);
  }

  async function upstreamAnswer(
    question: DnsQuestion,
    dnssecOk: boolean,
    checkingDisabled: boolean,
  ): Promise<{ message: DnsMessage | undefined; origin: AnswerOrigin }> {
    const startedMs = performance.now();
    const ask = (asked: DnsQuestion, deadlineMs: number) =>
      askChain(upstreams, { ...asked, dnssecOk, checkingDisabled }, deadlineMs);
    if (question.type === Type.AAAA && maySynthesise(dnssecOk, checkingDisabled)) {
      const reply = await ask(question, AAAA_DEADLINE_MS);
      const aaaa = reply === undefined ? undefined : withoutExcluded(reply);
      if (!needsA(aaaa, dnssecOk)) return { message: aaaa, origin: 'forwarded' };
      const a = await ask({ ...question, type: Type.A }, DEADLINE_MS - (performance.now() - startedMs));
      const { message, synthesised } = decideAaaa(question, aaaa, a, pref64, dnssecOk);
      if (synthesised) values[index.synthesised]++;
      return { message, origin: synthesised ? 'synthesized' : 'forwarded' };
    }
    const target = question.type === Type.PTR ? reverseTarget(question.name, pref64) : undefined;
    if (target !== undefined) {
      const targetQuestion = { ...question, name: target };
      const ptr = (await answerHere(targetQuestion)) ?? (await ask(targetQuestion, DEADLINE_MS));
      if (ptr === undefined) return { message: undefined, origin: 'failed' };
      values[index['reverse-mapped']]++;
      return { message: decideReverse(question, target, ptr), origin: 'synthesized' };
    }
    return { message: await ask(question, DEADLINE_MS), origin: 'forwarded' };
  }

  return {
    get inFlight() {
      return inFlight.size;
    },
    resolve(client, who) {
      const variant = variantOf(client.dnssecOk, client.flags);
      const key = `${client.type} ${variant} ${nameKey(client.name)}`;
      const underWay = inFlight.get(key);
      if (underWay !== undefined) return underWay;
      const place = hold(shares, who);
      if (place === 0) return undefined;
      const promise = answer(client).finally(() => {
        inFlight.delete(key);
        giveBack(shares, place);
      });
      inFlight.set(key, promise);
      return promise;
    },
  };
}
