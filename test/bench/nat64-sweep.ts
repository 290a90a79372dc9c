/**
 * The translator's sweep over full tables, in this process and with a simulated clock: how long one turn of its loop can take
 * because sessions end. UDP sessions live for at least two minutes (RFC 6146 section 4), so a real clock would take too long.
 */
import { createCounters } from '../../src/runtime/counters.ts';
import { attachTables } from '../../src/services/nat64/tables/attach-tables.ts';
import { addBib } from '../../src/services/nat64/tables/bib.ts';
import { NAT64_COUNTERS } from '../../src/services/nat64/counters.ts';
import { SWEEP_STEPS_PER_TURN, expire } from '../../src/services/nat64/steps/expiry.ts';
import { TRANSPORT } from '../../src/services/nat64/packet/packet.ts';
import { addSession, setExpiry } from '../../src/services/nat64/tables/sessions.ts';
import { CONTROL, createSharedTables } from '../../src/services/nat64/tables/tables.ts';
import { type Translator, createTranslator } from '../../src/services/nat64/steps/translator.ts';
import { testSettings } from '../unit/services/nat64/harness.ts';
import { OURS, type RowPlan, type Sample, type Scenario } from './measure.ts';

const SESSIONS = 100_000;
const SESSIONS_A_MAPPING = 5;
const LIFETIME_SECONDS = 300;
const RUNS_A_SAMPLE = 5;

const TARGETS = [{ bound: 'at most', value: 5 }] as const;
const row = (metric: string, what: string): RowPlan => ({
  id: `nat64-sweep-${metric}`,
  title: `NAT64, longest turn of the sweep, ${what}`,
  metric,
  unit: 'ms',
  better: 'less',
  targets: TARGETS,
});

/** Tables full of UDP sessions that were all made in second 0. */
function fullTranslator(): Translator {
  const settings = testSettings({ maxSessions: SESSIONS });
  const tables = attachTables(createSharedTables(SESSIONS), 0, settings);
  const [{ slot, firstPort }] = settings.pools;
  for (let host = 0; host < SESSIONS / SESSIONS_A_MAPPING; host++) {
    const endpoint = {
      protocol: TRANSPORT.UDP,
      host: Int32Array.of(0x2001_0db8, 1, 0, host),
      hostPort: 10_000 + host,
    };
    const bib = addBib(tables, endpoint, (slot << 16) | (firstPort + host));
    for (let remote = 0; remote < SESSIONS_A_MAPPING; remote++)
      addSession(tables, bib, remote, 53, 0, 0, LIFETIME_SECONDS);
  }
  return createTranslator(settings, tables, createCounters(NAT64_COUNTERS), () => 1);
}

/** Runs the sweep for everything that is due at a second; returns the longest turn in milliseconds. */
function sweep(translator: Translator, second: number): number {
  const { control } = translator.tables;
  translator.nowSeconds = second;
  let longestMs = 0;
  while (control[CONTROL.SWEPT_UNTIL] < second) {
    const startedAt = performance.now();
    expire(translator, SWEEP_STEPS_PER_TURN);
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  }
  return longestMs;
}

/** All end at once. */
function endOfAll(): number {
  const translator = fullTranslator();
  return sweep(translator, LIFETIME_SECONDS + 1);
}

/** All are due at once, but have had packets since: one in `keep` ends, the others move to a later second. */
function endOfSome(keep: number): number {
  const translator = fullTranslator();
  const { tables } = translator;
  for (let session = 1; session <= SESSIONS; session++)
    if (session % keep !== 0) setExpiry(tables, session, LIFETIME_SECONDS, 2 * LIFETIME_SECONDS);
  return sweep(translator, LIFETIME_SECONDS + 1);
}

/**
 * Each run returns its longest turn. The least of some runs excludes delays by other processes; a stall of our own is in every
 * run.
 */
const leastOf = (measure: () => number) => Math.min(...Array.from({ length: RUNS_A_SAMPLE }, measure));

export const sweepScenario = (): Scenario => ({
  contenders: [
    {
      name: OURS,
      run: async (): Promise<Sample> => ({
        all: leastOf(endOfAll),
        some: leastOf(() => endOfSome(512)),
      }),
    },
  ],
  rows: [
    row('all', '100,000 UDP sessions end in one second'),
    row('some', '1 of 512 ends, the others had packets'),
  ],
});
