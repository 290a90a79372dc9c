/** The parts of the diagnostics that come from the services; loaded with the diagnostics. */
import type { Config, HostConfig } from '../../config/schema.ts';
import { SERVICES } from '../../services/all.ts';
import type { ProbeTarget, ServiceDiagnostics } from '../../services/check.ts';

export const OF_SERVICES: readonly ServiceDiagnostics[] = await Promise.all(
  SERVICES.map(async ({ diagnostics }) => (await diagnostics?.()) ?? {}),
);

/** The probes of a server, in the order of the services. */
export const planProbes = (config: Config, host: HostConfig): ProbeTarget[] =>
  OF_SERVICES.flatMap(({ probes }) => probes?.(config, host) ?? []);
