/** The services as app.ts holds them: each in its slot, reconfigured together. */
import type { Config } from './config/schema.ts';
import type { Logger } from './runtime/log.ts';
import type { ServiceContext } from './runtime/service.ts';
import { ServiceSlot } from './runtime/service-slot.ts';
import { SERVICES } from './services/all.ts';
import { portsOfOthers } from './services/configured.ts';
import type { RunningService } from './services/description.ts';

export interface PlacedService {
  readonly described: (typeof SERVICES)[number];
  readonly slot: ServiceSlot<Config, unknown, RunningService>;
}

/** The services of this machine, each in its slot. */
export const servicesOf = (config: Config, context: ServiceContext): readonly PlacedService[] =>
  SERVICES.filter(({ isHere }) => isHere?.(process.env) ?? true).map((described) => ({
    described,
    slot: new ServiceSlot(
      described.name,
      (of: Config) => described.options(of, portsOfOthers(of, described.name)),
      (options, of) => described.start(options, of),
      config,
      context,
    ),
  }));

export const sshPortsOf = (services: readonly PlacedService[]): Record<string, number> =>
  Object.assign(
    {},
    ...services.map(({ described, slot: { service } }) =>
      service === undefined ? {} : described.sshPorts?.(service),
    ),
  );

/** All or nothing: if one part refuses, those already changed return to the previous configuration. */
export async function reconfigureAll(
  parts: readonly { reconfigure(config: Config): Promise<void> }[],
  next: Config,
  previous: Config,
  log: Logger,
): Promise<void> {
  const changed: (typeof parts)[number][] = [];
  try {
    for (const part of parts) {
      changed.push(part);
      await part.reconfigure(next);
    }
  } catch (error) {
    changed.pop();
    for (const part of changed.reverse()) {
      await part
        .reconfigure(previous)
        .catch((err: unknown) => log.error({ err }, 'could not return to the configuration before'));
    }
    throw error;
  }
}

export function failWorkerOf(name: string, service: RunningService | undefined): void {
  if (service?.failWorker === undefined) throw new Error(`no running service "${name}"`);
  service.failWorker();
}
