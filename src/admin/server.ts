/** Starts the admin API and page. */
import type { AdminConfig } from '../config/schema.ts';
import { resolveAccessList } from '../os/interfaces.ts';
import { createCounters, readCounters } from '../runtime/counters.ts';
import type { Service, ServiceContext } from '../runtime/service.ts';
import type { ServiceReport } from '../runtime/service-slot.ts';
import type { IpPrefix } from '../wire/ip-prefix.ts';
import { admitsSource } from './access.ts';
import { loadOrCreateToken, tokenPath } from './auth/bootstrap-token.ts';
import { type AdminDeps, buildAdmin } from './build.ts';
import { ADMIN_COUNTERS } from './counters.ts';
import { createListeners } from './listeners.ts';

export type { AdminDeps } from './build.ts';

export interface AdminOptions {
  readonly admin: AdminConfig;
}

/** A service like the others, but in the main thread: it has no worker that could be made to fail. */
export interface AdminService extends Omit<Service<AdminOptions>, 'failWorker'> {
  /** Where it listens: "127.0.0.1:8064", "[::1]:8064". */
  readonly addresses: readonly string[];
}

/** "lan" follows the interfaces: addresses come and go while we run. */
const ACCESS_LIST_MAX_AGE_MS = 5000;
const REQUESTS_PER_MINUTE = 600;

/**
 * Starts to listen on every configured address; rejects when none can be had. One that cannot is reported as degraded
 * and tried again. The API's list of services is `deps.services()` and this one.
 */
export async function startAdmin(
  options: AdminOptions,
  deps: AdminDeps,
  { log, stateDirectory }: ServiceContext,
): Promise<AdminService> {
  let { admin } = options;
  const counters = createCounters(ADMIN_COUNTERS);
  const accessList = cachedAccessList(() => admin.allow);
  const isAdmitted = (remoteAddress: string | undefined) => admitsSource(accessList(), remoteAddress);
  const token = await loadOrCreateToken(stateDirectory);

  const status = (): ServiceReport['status'] => {
    const missing = listeners.missing();
    const figures = { listening: listeners.bound().join(', ') };
    return missing.length === 0
      ? { state: 'running', restarts: 0, figures }
      : { state: 'degraded', problem: missing.join('; '), restarts: 0, figures };
  };
  const ownReport = (): ServiceReport => ({
    name: 'admin',
    status: status(),
    counterTable: ADMIN_COUNTERS,
    counters: readCounters(counters),
  });
  const app = await buildAdmin(
    { ...deps, services: () => [...deps.services(), ownReport()] },
    {
      admin: () => admin,
      admitsSource: isAdmitted,
      token,
      counters,
      log,
      requestsPerMinute: REQUESTS_PER_MINUTE,
    },
  );
  const listeners = createListeners(app.routing, ({ remoteAddress }) => {
    const admitted = isAdmitted(remoteAddress);
    if (!admitted) counters.values[counters.index['refused-source']]++;
    return admitted;
  });
  const stop = async () => {
    await listeners[Symbol.asyncDispose]();
    await app.close();
  };
  try {
    await listeners.set(admin.listen, admin.port, false);
  } catch (error) {
    await stop();
    throw error;
  }
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
    },
    status: status as AdminService['status'],
    counters: () => readCounters(counters),
    [Symbol.asyncDispose]: stop,
  };
}

/** The resolved access list, resolved again when it is old or forgotten. */
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
