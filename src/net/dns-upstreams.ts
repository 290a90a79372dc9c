/**
 * The upstreams: which one to ask, how long to wait before asking the next one too, and which are down. They are preferred in
 * the order of the configuration. An upstream that left several queries in a row unanswered moves to the end of the order and
 * is probed: at once, then on a timer with growing intervals, until it answers again. It counts as down only when the probe is
 * not answered either. A healthy resolver may also not answer in time, for a name whose own servers are dead. An upstream that
 * answers with several errors in a row is treated in the same way: it may have been asked for bad names, refuse all clients, or
 * lead back to this resolver.
 */
import { type Ourselves, leadsToListener } from '../os/ourselves.ts';
import type { SocketAddress } from '../os/socket-address.ts';
import { rcodeOf } from '../wire/dns-answer.ts';
import { CLASS_IN, type DnsMessage, Rcode, Type } from '../wire/dns-message.ts';
import {
  type Outcome,
  type UpstreamCounters,
  type UpstreamQuestion,
  exchangeTcp,
  exchangeUdp,
} from './dns-exchange.ts';

/** After this time without an answer, a query counts as unanswered. */
const TIMEOUT_MS = 2500;
/**
 * How long to wait for one upstream before asking the next as well: the smoothed round trip plus four deviations (RFC 6298),
 * within these bounds.
 */
const LEAST_PATIENCE_MS = 250;
const FIRST_PATIENCE_MS = 600;
const LONGEST_PATIENCE_MS = 1000;
/** How often each upstream is asked for one question. */
const ROUNDS = 3;
const LAST_AFTER_FAILURES = 3;
const PROBED_AFTER_ERRORS = 3;
const FIRST_PROBE_AFTER_MS = 1000;
const LONGEST_PROBE_AFTER_MS = 30_000;
/** How long an upstream that fails on EDNS is asked without it (RFC 6891 section 6.2.2 allows us to remember this). */
const NO_EDNS_MS = 3_600_000;
/** How long an upstream that changes the case of names, and has no TCP, is asked without random case. */
const NO_RANDOM_CASE_MS = 3_600_000;

/** The question of a probe: every resolver knows the name servers of the root. */
const PROBE: UpstreamQuestion = {
  name: Uint8Array.of(0),
  type: Type.NS,
  class: CLASS_IN,
  dnssecOk: false,
  checkingDisabled: false,
};

/** No answer at all; or only errors. */
export type Trouble = 'silent' | 'errors';

/** A resolver. Plain DNS over UDP, with TCP for truncated answers. */
export interface UpstreamServer {
  /** As configured. */
  readonly text: string;
  readonly target: SocketAddress;
}

interface Upstream extends UpstreamServer {
  /** Smoothed round trip and deviation, undefined before the first answer. */
  rttMs: number | undefined;
  deviationMs: number;
  /** Consecutive queries without an answer. */
  failures: number;
  /** Consecutive answers that were errors. */
  errors: number;
  /** How often it was found healthy: a probe that ends late compares this to see that its result is out of date. */
  timesWell: number;
  /** The result of the last probe. */
  trouble: Trouble | undefined;
  probe: NodeJS.Timeout | undefined;
  isProbed: boolean;
  noEdnsUntilMs: number;
  noRandomCaseUntilMs: number;
}

export interface Upstreams {
  /**
   * The NOERROR or NXDOMAIN response to a question, as the upstream sent it; undefined when none arrived within `deadlineMs`,
   * or when all upstreams answered with SERVFAIL, REFUSED or another error. Never rejects.
   */
  ask(question: UpstreamQuestion, deadlineMs: number): Promise<DnsMessage | undefined>;
  /** Each upstream as configured, with its problem and its smoothed round trip. */
  status(): {
    readonly text: string;
    readonly trouble: Trouble | undefined;
    readonly isOurs: boolean;
    readonly rttMs: number | undefined;
  }[];
}

/** Whether a query to the upstream would come back to our own resolver: own address and own port. */
export const isLoop = (
  ourselves: Ourselves,
  { listen, port }: { readonly listen: readonly string[]; readonly port: number },
  target: SocketAddress,
): boolean => target.port === port && leadsToListener(ourselves, target.address, listen);

/**
 * Aborting `signal` ends every exchange. An upstream that is `isOurs` now is not asked,
 * because the query would come back to us; our addresses may change at any time.
 */
export function createUpstreams(
  servers: readonly UpstreamServer[],
  counters: UpstreamCounters,
  signal: AbortSignal,
  isOurs: (target: SocketAddress) => boolean,
): Upstreams {
  const { values, index } = counters;
  const upstreams = servers.map(
    ({ text, target }): Upstream => ({
      text,
      target,
      rttMs: undefined,
      deviationMs: 0,
      failures: 0,
      errors: 0,
      timesWell: 0,
      trouble: undefined,
      probe: undefined,
      isProbed: false,
      noEdnsUntilMs: -Infinity,
      noRandomCaseUntilMs: -Infinity,
    }),
  );

  function noteTrouble(upstream: Upstream, counter: 'failures' | 'errors'): void {
    upstream[counter]++;
    const isEnough = !isPreferred(upstream) || upstream.errors >= PROBED_AFTER_ERRORS;
    if (isEnough && upstream.probe === undefined && !upstream.isProbed) void probe(upstream, 0);
  }

  /** Probes until an answer arrives that is not an error; `failed` probes were unsuccessful so far. */
  async function probe(upstream: Upstream, failed: number): Promise<void> {
    const { timesWell } = upstream;
    upstream.probe = undefined;
    upstream.isProbed = true;
    const message = await attempt(upstream, PROBE);
    upstream.isProbed = false;
    if (upstream.timesWell !== timesWell || signal.aborted) return;
    upstream.trouble = message === undefined ? 'silent' : 'errors';
    const delayMs = Math.min(FIRST_PROBE_AFTER_MS * 2 ** failed, LONGEST_PROBE_AFTER_MS);
    upstream.probe = setTimeout(() => void probe(upstream, failed + 1), delayMs).unref();
  }

  signal.addEventListener('abort', () => {
    for (const upstream of upstreams) clearTimeout(upstream.probe);
  });

  /**
   * One complete attempt: UDP, without EDNS if that is the problem, then TCP if necessary and available. Updates the upstream's
   * record.
   */
  async function attempt(upstream: Upstream, question: UpstreamQuestion): Promise<DnsMessage | undefined> {
    if (isOurs(upstream.target)) {
      values[index['upstream-ourselves']]++;
      noteTrouble(upstream, 'failures');
      return undefined;
    }
    const startedMs = performance.now();
    const edns = startedMs >= upstream.noEdnsUntilMs;
    const randomCase = startedMs >= upstream.noRandomCaseUntilMs;
    const { target } = upstream;
    const options = { upstream: target, question, edns, randomCase, timeoutMs: TIMEOUT_MS, signal, counters };
    let outcome = await exchangeUdp(options);
    if (outcome.kind === 'reply' && edns && dislikesEdns(outcome.message)) {
      upstream.noEdnsUntilMs = startedMs + NO_EDNS_MS;
      outcome = await exchangeUdp({ ...options, edns: false });
    }
    if (outcome.kind !== 'timeout' && outcome.kind !== 'failed')
      noteReply(upstream, performance.now() - startedMs);
    if (outcome.kind === 'truncated') outcome = await exchangeTcp(options);
    else if (outcome.kind === 'other-case') {
      outcome = await exchangeTcp(options);
      if (outcome.kind !== 'reply' && !signal.aborted) {
        // The DNS proxies of some routers support neither (RFC 5625): port and ID are the remaining protection against forgers.
        upstream.noRandomCaseUntilMs = performance.now() + NO_RANDOM_CASE_MS;
        outcome = await exchangeUdp({ ...options, randomCase: false });
      }
    }
    if (signal.aborted) return undefined;
    return judge(upstream, outcome);
  }

  function judge(upstream: Upstream, outcome: Outcome): DnsMessage | undefined {
    if (outcome.kind !== 'reply') {
      values[index[outcome.kind === 'timeout' ? 'upstream-timeouts' : 'upstream-errors']]++;
      noteTrouble(upstream, 'failures');
      return undefined;
    }
    if (isError(outcome.message)) {
      values[index['upstream-errors']]++;
      noteTrouble(upstream, 'errors');
    } else noteWell(upstream);
    return outcome.message;
  }

  return {
    ask: (question, deadlineMs) => {
      const order = [
        ...upstreams.filter(isPreferred),
        ...upstreams.filter((upstream) => !isPreferred(upstream)),
      ];
      return askInOrder(order, (upstream) => attempt(upstream, question), deadlineMs);
    },
    status: () =>
      upstreams.map((upstream) => ({
        text: upstream.text,
        trouble: upstream.trouble,
        isOurs: isOurs(upstream.target),
        rttMs: upstream.rttMs,
      })),
  };
}

/**
 * Asks the upstreams one after another. If one takes long, the next is asked before it has answered. Resolves with the first
 * answer that is not an error.
 */
function askInOrder(
  order: readonly Upstream[],
  attempt: (upstream: Upstream) => Promise<DnsMessage | undefined>,
  deadlineMs: number,
): Promise<DnsMessage | undefined> {
  const { promise, resolve } = Promise.withResolvers<DnsMessage | undefined>();
  const saidError = new Set<Upstream>();
  let started = 0;
  let running = 0;
  let patience: NodeJS.Timeout | undefined;
  let finished = false;

  const finish = (message: DnsMessage | undefined) => {
    finished = true;
    clearTimeout(patience);
    clearTimeout(deadline);
    resolve(message);
  };
  const deadline = setTimeout(() => finish(undefined), deadlineMs);

  /** Asks the next upstream that has not returned an error yet; gives up when there is none and nothing is in progress. */
  const next = () => {
    clearTimeout(patience);
    while (started < order.length * ROUNDS && saidError.has(order[started % order.length])) started++;
    if (started >= order.length * ROUNDS) {
      if (running === 0) finish(undefined);
      return;
    }
    const upstream = order[started % order.length];
    const round = Math.floor(started / order.length);
    started++;
    patience = setTimeout(next, patienceMs(upstream) * 2 ** round);
    void run(upstream);
  };

  const run = async (upstream: Upstream) => {
    running++;
    const message = await attempt(upstream);
    running--;
    if (finished) return;
    if (message !== undefined && !isError(message)) {
      finish(message);
      return;
    }
    if (message !== undefined) saidError.add(upstream);
    next();
  };

  next();
  return promise;
}

const isPreferred = (upstream: Upstream) => upstream.failures < LAST_AFTER_FAILURES;

function noteWell(upstream: Upstream): void {
  upstream.timesWell++;
  upstream.errors = 0;
  upstream.trouble = undefined;
  clearTimeout(upstream.probe);
  upstream.probe = undefined;
}

function noteReply(upstream: Upstream, tookMs: number): void {
  upstream.failures = 0;
  if (upstream.rttMs === undefined) {
    upstream.rttMs = tookMs;
    upstream.deviationMs = tookMs / 2;
  } else {
    upstream.deviationMs += (Math.abs(tookMs - upstream.rttMs) - upstream.deviationMs) / 4;
    upstream.rttMs += (tookMs - upstream.rttMs) / 8;
  }
}

const patienceMs = ({ rttMs, deviationMs }: Upstream): number =>
  rttMs === undefined
    ? FIRST_PATIENCE_MS
    : Math.min(Math.max(rttMs + 4 * deviationMs, LEAST_PATIENCE_MS), LONGEST_PATIENCE_MS);

/** Whether another upstream may have a better answer. */
function isError(message: DnsMessage): boolean {
  const rcode = extendedRcode(message);
  return rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN;
}

/** The response code with the upper bits that OPT carries (RFC 6891 section 6.1.3). */
function extendedRcode(message: DnsMessage): number {
  const opt = message.additionals.find(({ type }) => type === Type.OPT);
  return rcodeOf(message) | (opt === undefined ? 0 : (opt.ttlSeconds >>> 24) << 4);
}

/** RFC 6891 section 6.2.2: servers that do not know EDNS answer FORMERR or NOTIMP without OPT. */
const dislikesEdns = (message: DnsMessage): boolean =>
  (rcodeOf(message) === Rcode.FORMERR || rcodeOf(message) === Rcode.NOTIMP) &&
  !message.additionals.some(({ type }) => type === Type.OPT);
