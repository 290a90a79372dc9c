/** The dependencies of the API routes. */
import type { FastifyInstance } from 'fastify';
import type { ConfigChanges } from '../config/changes.ts';
import type { AdminConfig, Config } from '../config/schema.ts';
import type { ConfigStore } from '../config/store.ts';
import type { Counters } from '../runtime/counters.ts';
import type { Explainer } from '../runtime/explain.ts';
import type { Logger } from '../runtime/log.ts';
import type { ServiceReport } from '../runtime/report.ts';
import type { Auth } from './auth/auth.ts';
import type { ADMIN_COUNTERS } from './counters.ts';
import type { Diagnostics } from './diagnostics/diagnostics.ts';
import type { LiveDeps } from './live-deps.ts';

/** What the API shows and changes. */
export interface AdminDeps {
  /** The active configuration; `changes` changes it. */
  readonly store: ConfigStore;
  readonly changes: ConfigChanges;
  /**
   * The explainers of all parts that decide where traffic goes under a configuration. `isLive`: it is the active one, with its
   * sessions.
   */
  readonly explainers: (config: Config, isLive: boolean) => Promise<readonly Explainer[]>;
  readonly services: () => readonly ServiceReport[];
  /** The SSH port of each server that has one, by the server's name. */
  readonly sshPorts: () => Readonly<Record<string, number>>;
  /** The queries of a running service (`Service.queries`); undefined while there are none. */
  readonly queries: (service: string) => unknown;
  readonly diagnostics: Diagnostics;
  readonly live: LiveDeps;
  readonly version: string;
  readonly startedAt: Date;
}

export interface BuildOptions {
  /** The present configuration of the admin page. */
  readonly admin: () => AdminConfig;
  /** Whether this peer may talk to us now. Checked again for each request, since connections outlive a change. */
  readonly admitsSource: (remoteAddress: string | undefined) => boolean;
  /** Whether this peer is in a network that the appliance is attached to, regardless of the configuration. */
  readonly isLocal: (remoteAddress: string | undefined) => boolean;
  readonly auth: Auth;
  /** Called when the appliance gets its first password. */
  readonly onClaimed: () => void;
  /** SHA-256 of the certificate; undefined without HTTPS. */
  readonly certificateFingerprint: () => string | undefined;
  readonly counters: Counters<typeof ADMIN_COUNTERS>;
  readonly log: Logger;
  /** How many requests one source may send; the page itself sends about one per second. */
  readonly requestsPerMinute: number;
}

/** A file of routes/: takes what it shows and changes, and returns a plugin that registers its routes under /api. */
export type ApiRoutes = (deps: AdminDeps, options: BuildOptions) => (app: FastifyInstance) => Promise<void>;
