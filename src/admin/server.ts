/** Starts the admin API and page. */
import { randomInt } from 'node:crypto';
import type { AdminConfig } from '../config/schema.ts';
import { resolveAccessList } from '../os/interfaces.ts';
import { readOwn } from '../os/follow-ourselves.ts';
import { isDeliveredHere } from '../os/ourselves.ts';
import { createCounters, readCounters } from '../runtime/counters.ts';
import { type Service, type ServiceContext, storageOf } from '../runtime/service.ts';
import type { Limit } from '../runtime/limits.ts';
import type { ServiceStatus } from '../runtime/report.ts';
import { ownDevices } from '../services/configured.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';
import { admitsSource } from './access.ts';
import { auditChanges } from './audit-changes.ts';
import { openAuth } from './auth/auth.ts';
import { tokenPath } from './auth/bootstrap-token.ts';
import { buildAdmin } from './build.ts';
import type { AdminDeps } from './deps.ts';
import { serveCertificate, usesTls } from './certificate/serve.ts';
import { consoleState, keepConsoleFile, pageUrls } from './console-file.ts';
import type { ConsoleFile } from './contract/auth.ts';
import { ADMIN_COUNTERS } from './counters.ts';
import { type DiagnosticsDeps, startDiagnostics } from './diagnostics/diagnostics.ts';
import {
  type ConnectionShares,
  MAX_SERVED,
  MAX_SILENT,
  createConnectionShares,
} from './connection-shares.ts';
import { createListeners } from './listeners.ts';
import { isLoopback } from './transport.ts';
import { type Text, listOf, say } from '../texts/text.ts';

export interface AdminOptions {
  readonly admin: AdminConfig;
}

/** A service like the others, but in the main thread: it has no worker that a test could make fail. */
export interface AdminService extends Omit<Service<AdminOptions>, 'failWorker'> {
  /** Where it listens: "127.0.0.1:8064", "[::1]:8064". */
  readonly addresses: readonly string[];
}

/** "lan" follows the interfaces, whose addresses change at run time. */
const ACCESS_LIST_MAX_AGE_MS = 5000;
const REQUESTS_PER_MINUTE = 600;
const ADVICE = say('Somebody connects to this page over and over again; admin.allow says who may.');
/** Two clocks are read one after the other, so their difference jitters. */
const CLOCK_JITTER_MS = 2000;

/**
 * Starts listening on every configured address that can be bound. An address that cannot be bound is reported as degraded and
 * retried. `deps.services()` are the reports of every part, including this one.
 */
export async function startAdmin(
  options: AdminOptions,
  deps: Omit<AdminDeps, 'diagnostics'> & Pick<DiagnosticsDeps, 'network'>,
  context: Pick<
    ServiceContext,
    'log' | 'stateDirectory' | 'runtimeDirectory' | 'events' | 'storage' | 'conditions'
  > &
    Partial<Pick<ServiceContext, 'ourselves'>>,
): Promise<AdminService> {
  const { log, stateDirectory, events, conditions } = context;
  const storage = storageOf(context);
  let { admin } = options;
  const counters = createCounters(ADMIN_COUNTERS);
  const accessList = cachedAccessList(() => admin.allow);
  const isAdmitted = (remoteAddress: string | undefined) => admitsSource(accessList(), remoteAddress);
  const lan = cachedAccessList(() => ['lan']);
  const following = context.ourselves?.onChange(() => {
    accessList.forget();
    lan.forget();
  });
  const auth = await openAuth({
    storage,
    log,
    now: Date.now,
    monotonicNow: () => performance.now(),
  });
  auditChanges(deps.changes, auth.audit);
  const certificate = serveCertificate(() => admin, storage, log);
  const claimEnd = steadyEnd(() => Date.now() + auth.claim.remainingMs());
  const consoleContent = (): ConsoleFile => ({
    ...consoleState(deps.services()),
    urls: pageUrls(admin.listen, admin.port, admin.hostnames, usesTls(admin), ownDevices(deps.store.current)),
    claim: auth.isClaimed() ? null : { isOpen: auth.claim.isOpen(), until: claimEnd() },
    certificateFingerprint: certificate.fingerprint() ?? null,
  });
  const diagnostics = startDiagnostics({ ...deps, stateDirectory, conditions, log });
  const app = await buildAdmin(
    { ...deps, diagnostics },
    {
      admin: () => admin,
      admitsSource: isAdmitted,
      // A connection from an own address that is not loopback comes from a relay on this machine, so the real client is
      // unknown.
      isLocal: (remoteAddress) =>
        admitsSource(lan(), remoteAddress) &&
        (isLoopback(remoteAddress) || !isDeliveredHere(readOwn(), (remoteAddress ?? '').split('%')[0])),
      auth,
      onClaimed: () => void screen.refresh(),
      certificateFingerprint: certificate.fingerprint,
      counters,
      log,
      requestsPerMinute: REQUESTS_PER_MINUTE,
    },
  );
  const shares = createConnectionShares(
    (remoteAddress) => admitsSource(lan(), remoteAddress),
    () => counters.values[counters.index['displaced-connection']]++,
    randomInt(2 ** 32),
  );
  const listeners = createListeners(
    app.routing,
    ({ remoteAddress }) => {
      const admitted = isAdmitted(remoteAddress);
      if (!admitted) counters.values[counters.index['refused-source']]++;
      return admitted;
    },
    certificate.pem,
    shares,
    { log, events },
  );
  const screen = keepConsoleFile(context.runtimeDirectory ?? stateDirectory, consoleContent, log);
  let isStopped = false;
  const stop = async () => {
    isStopped = true;
    following?.[Symbol.dispose]();
    certificate[Symbol.dispose]();
    screen[Symbol.dispose]();
    diagnostics[Symbol.dispose]();
    await listeners[Symbol.asyncDispose]();
    await app.close();
    // Stores when API tokens were last used, and sessions last seen.
    await auth.save().catch(() => {});
    await auth.audit.settled();
  };
  try {
    await certificate.refresh();
    await listeners.set(admin.listen, admin.port, false);
  } catch (error) {
    await stop();
    throw error;
  }
  // After this function has returned: until then its own report says "starting".
  setImmediate(() => void (isStopped || screen.refresh()));
  log.info({ listening: listeners.bound(), tokenFile: tokenPath(stateDirectory) }, 'admin: serves');

  return {
    name: 'admin',
    counterTable: ADMIN_COUNTERS,
    get addresses() {
      return listeners.bound();
    },
    async reconfigure(next) {
      await listeners.set(next.admin.listen, next.admin.port, true);
      admin = next.admin;
      accessList.forget();
      await certificate.refresh();
      void screen.refresh();
    },
    drain: listeners.drain,
    status: () => statusOf(listeners.bound(), [listeners.problem, certificate.problem(), auth.problem]),
    counters: () => readCounters(counters),
    limits: () => limitsOf(shares),
    [Symbol.asyncDispose]: stop,
  };
}

function statusOf(bound: readonly string[], problems: readonly (Text | undefined)[]): ServiceStatus {
  const found = problems.filter((each) => each !== undefined);
  const figures = { listening: bound.join(', ') };
  return found.length === 0
    ? { state: 'running', restarts: 0, figures }
    : { state: 'degraded', problem: listOf(found, '; '), restarts: 0, figures };
}

const limitsOf = (shares: ConnectionShares): readonly Limit[] => [
  {
    what: say('connections that have not sent a request yet'),
    used: shares.silent,
    size: MAX_SILENT,
    advice: ADVICE,
  },
  { what: say('connections'), used: shares.served, size: MAX_SERVED, advice: ADVICE },
];

/** The resolved access list. It is resolved again when it is old or was reset. */
function cachedAccessList(entries: () => readonly string[]) {
  let prefixes: readonly IpPrefix[] = [];
  let resolvedAtMs = -Infinity;
  const current = (): readonly IpPrefix[] => {
    const nowMs = performance.now();
    if (nowMs - resolvedAtMs > ACCESS_LIST_MAX_AGE_MS) {
      prefixes = resolveAccessList(entries());
      resolvedAtMs = nowMs;
    }
    return prefixes;
  };
  const forget = () => {
    resolvedAtMs = -Infinity;
  };
  return Object.assign(current, { forget });
}

/** A time computed from two clocks, as ISO 8601. It only changes when a clock was set. */
function steadyEnd(endMs: () => number): () => string {
  let steadyMs = endMs();
  return () => {
    const nowEndMs = endMs();
    if (Math.abs(nowEndMs - steadyMs) > CLOCK_JITTER_MS) steadyMs = nowEndMs;
    return new Date(steadyMs).toISOString();
  };
}
