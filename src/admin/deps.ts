/** What the routes of the API are given. */
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
  /** The configuration in force; `changes` changes it. */
  readonly store: ConfigStore;
  readonly changes: ConfigChanges;
  /** Who has a say in where traffic goes under a configuration; `isLive`: the one in force, with its sessions. */
  readonly explainers: (config: Config, isLive: boolean) => Promise<readonly Explainer[]>;
  readonly services: () => readonly ServiceReport[];
  /** The SSH port of each server that has one, by the server's name. */
  readonly sshPorts: () => Readonly<Record<string, number>>;
  /** What may be asked of a running service (`Service.queries`); undefined while there is nothing to ask. */
  readonly queries: (service: string) => unknown;
  readonly diagnostics: Diagnostics;
  readonly live: LiveDeps;
  readonly version: string;
  readonly startedAt: Date;
}

export interface BuildOptions {
  /** The configuration of the admin page now. */
  readonly admin: () => AdminConfig;
  /** Whether this peer may talk to us now: asked again for each request, since connections outlive a change. */
  readonly admitsSource: (remoteAddress: string | undefined) => boolean;
  /** Whether this peer is in a network that the appliance is attached to, whatever the configuration says. */
  readonly isLocal: (remoteAddress: string | undefined) => boolean;
  readonly auth: Auth;
  /** Told when the appliance gets its first password. */
  readonly onClaimed: () => void;
  /** SHA-256 of the certificate; undefined without HTTPS. */
  readonly certificateFingerprint: () => string | undefined;
  readonly counters: Counters<typeof ADMIN_COUNTERS>;
  readonly log: Logger;
  /** What one source may ask for; the page itself asks for about one a second. */
  readonly requestsPerMinute: number;
}

/** A file of routes/: given what it shows and changes, a plugin that registers its routes under /api. */
export type ApiRoutes = (deps: AdminDeps, options: BuildOptions) => (app: FastifyInstance) => Promise<void>;
