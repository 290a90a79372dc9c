/** A check of the appliance as a whole: a file in checks/ and a line in checks/table.ts. */
import type { Check as AnyCheck, CheckBasis } from '../../services/check.ts';
import type { HealthFound, PublicIpv4Found } from './found.ts';

export { type Finding, fail, keyOf, ok, unknown, warn } from '../../services/check.ts';

export interface CheckDeps extends CheckBasis {
  /** The SSH port of each server that has one. */
  readonly sshPorts: Readonly<Record<string, number>>;
  readonly stateDirectory: string;
  readonly now: Date;
  readonly publicIpv4: () => Promise<PublicIpv4Found>;
  /** When a client of the Internet last connected, by what accepted it (`WantedSocket.taker`). */
  readonly seenFromOutside: () => Promise<ReadonlyMap<string, string>>;
  /** Probes a server, at most once per run. */
  readonly probe: (server: string) => Promise<HealthFound>;
  /** Only the item with this key is requested; others can be skipped. */
  readonly only: string | undefined;
}

export type Check = AnyCheck<CheckDeps>;
