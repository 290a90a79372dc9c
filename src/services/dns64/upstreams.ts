/**
 * The upstreams: whom to ask, how long to wait before asking the next one too, and who is down. They are preferred in
 * the order of the configuration. One that left several queries in a row unanswered goes to the end of the line, and is
 * probed: at once, then on a timer, less and less often, until it answers again. It counts as down when the probe is not answered
 * either: for a name whose own servers are dead, a resolver is silent longer than anybody waits, and is well. The same of one that answers
 * with errors, one after the other: it may have been asked for bad names, or refuse everybody, or lead back here.
 */
import { parseDnsUpstream, type DnsUpstream } from '../../config/values.ts';
import type { Dns64Config } from '../../config/schema.ts';
import { type Ourselves, leadsToListener } from '../../os/ourselves.ts';
import type { Counters } from '../../runtime/counters.ts';
import { CLASS_IN, type DnsMessage, Rcode, Type } from '../../wire/dns-message.ts';
import type { Dns64Counters } from './counters.ts';
import { rcodeOf } from './decide.ts';
import { type Outcome, type UpstreamQuestion, exchangeTcp, exchangeUdp } from './exchange.ts';

/** How long an upstream may take before its silence counts. */
const TIMEOUT_MS = 2500;
/** How long to wait for one before asking the next as well: the usual round trip and four deviations (RFC 6298), within these. */
const LEAST_PATIENCE_MS = 250;
const FIRST_PATIENCE_MS = 600;
const LONGEST_PATIENCE_MS = 1000;
/** Times that each upstream is asked for one question. */
const ROUNDS = 3;
const LAST_AFTER_FAILURES = 3;
const PROBED_AFTER_ERRORS = 3;
const FIRST_PROBE_AFTER_MS = 1000;
const LONGEST_PROBE_AFTER_MS = 30_000;
/** How long an upstream that chokes on EDNS is spared it (RFC 6891 section 6.2.2 lets us remember). */
const NO_EDNS_MS = 3_600_000;
/** How long one that loses the case of names, and has no TCP, is spared random case. */
const NO_RANDOM_CASE_MS = 3_600_000;

/** What a probe asks: every resolver knows who serves the root. */
const PROBE: UpstreamQuestion = {
  name: Uint8Array.of(0),
  type: Type.NS,
  class: CLASS_IN,
  dnssecOk: false,
  checkingDisabled: false,
};

/** No answer at all; or nothing but errors. */
export type Trouble = 'silent' | 'errors';

interface Upstream {
  readonly text: string;
  readonly target: DnsUpstream;
  /** Smoothed round trip and deviation, undefined before the first answer. */
  rttMs: number | undefined;
  deviationMs: number;
  /** Consecutive queries without an answer. */
  failures: number;
  /** Consecutive answers that were errors. */
  errors: number;
  /** How often it has been well: so that a probe which ends late knows that it is out of date. */
  timesWell: number;
  /** What the last probe came to. */
  trouble: Trouble | undefined;
  probe: NodeJS.Timeout | undefined;
  isProbed: boolean;
  noEdnsUntilMs: number;
  noRandomCaseUntilMs: number;
}

export interface Upstreams {
  /**
   * The NOERROR or NXDOMAIN response to a question, as the upstream sent it; undefined when none came within
   * `deadlineMs` or all that answer say SERVFAIL, REFUSED or another error. Never rejects.
   */
  ask(question: UpstreamQuestion, deadlineMs: number): Promise<DnsMessage | undefined>;
  /** Each upstream as configured, with what is wrong with it and its smoothed round trip. */
  status(): {
    readonly text: string;
    readonly trouble: Trouble | undefined;
    readonly isOurs: boolean;
    readonly rttMs: number | undefined;
  }[];
}

/** Whether a query to the upstream would come back to this resolver: own address and own port. */
export const isLoop = (
  ourselves: Ourselves,
  { listen, port }: Pick<Dns64Config, 'listen' | 'port'>,
  target: DnsUpstream,
): boolean => target.port === port && leadsToListener(ourselves, target.address, listen);

/**
 * `texts` are validated by the schema. Aborting `signal` ends every exchange. An upstream that is `isOurs` now is not
 * asked, since it would ask us; which addresses are ours may change at any time.
 */
export function createUpstreams(
  texts: readonly string[],
  counters: Counters<Dns64Counters>,
  signal: AbortSignal,
  isOurs: (target: DnsUpstream) => boolean,
): Upstreams {
  const { values, index } = counters;
  const upstreams = texts.flatMap((text): Upstream[] => {
    const target = parseDnsUpstream(text);
    if (target === undefined) return [];
    return [
      {
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
      },
    ];
  });
  function noteTrouble(upstream: Upstream, counter: 'failures' | 'errors'): void {
    upstream[counter]++;
    const isEnough = !isPreferred(upstream) || upstream.errors >= PROBED_AFTER_ERRORS;
    if (isEnough && upstream.probe === undefined && !upstream.isProbed) void probe(upstream, 0);
  }

  /** Probes until there is an answer that is no error; `failed` probes were in vain. */
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

  /** One whole attempt: UDP, without EDNS if that is the trouble, TCP if need be and there is any. Keeps the upstream's record. */
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
        // The DNS proxies of some routers do neither (RFC 5625): port and ID are what is left against forgers.
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

/** Asks one after the other, the next one before the last has answered when that takes long; resolves with the first answer that is no error. */
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

  /** Asks the next upstream that has not given an error yet; gives up when there is none and nothing is under way. */
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

/** Whether another upstream may know better. */
function isError(message: DnsMessage): boolean {
  const rcode = extendedRcode(message);
  return rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN;
}

/** The response code with the upper bits that OPT carries (RFC 6891 section 6.1.3). */
function extendedRcode(message: DnsMessage): number {
  const opt = message.additionals.find(({ type }) => type === Type.OPT);
  return rcodeOf(message) | (opt === undefined ? 0 : (opt.ttlSeconds >>> 24) << 4);
}

/** RFC 6891 section 6.2.2: FORMERR or NOTIMP without OPT is what servers say that do not know EDNS. */
const dislikesEdns = (message: DnsMessage): boolean =>
  (rcodeOf(message) === Rcode.FORMERR || rcodeOf(message) === Rcode.NOTIMP) &&
  !message.additionals.some(({ type }) => type === Type.OPT);
