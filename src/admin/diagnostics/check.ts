/**
 * The frame of "check my setup". A check is one file in checks/ that exports one of these, and one line in checks/table.ts;
 * runner, API, badge and page know no check by name.
 */
import type { Config } from '../../config/schema.ts';
import type { Nat64Queries } from '../../runtime/nat64-queries.ts';
import type { ServiceReport } from '../../runtime/service-slot.ts';
import type { CheckArea, FindingState } from '../contract/checks.ts';
import type { Text } from '../../texts/text.ts';
import type { Machine } from './machine.ts';
import type { HealthFound, PublicIpv4Found } from './found.ts';

export interface CheckDeps {
  readonly machine: Machine;
  readonly config: Config;
  readonly services: readonly ServiceReport[];
  /** What each counter was at the run before, by service and name; undefined at the first. */
  readonly countersBefore: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** The SSH port of each server that has one. */
  readonly sshPorts: Readonly<Record<string, number>>;
  readonly nat64: Nat64Queries | undefined;
  readonly stateDirectory: string;
  readonly now: Date;
  readonly publicIpv4: () => Promise<PublicIpv4Found>;
  /** When a client of the Internet last came, by what took it (`WantedPort.taker`). */
  readonly seenFromOutside: () => Promise<ReadonlyMap<string, string>>;
  /** Probes a server, at most once in a run. */
  readonly probe: (server: string) => Promise<HealthFound>;
  /** Only the item with this key is asked for; others need not be looked at. */
  readonly only: string | undefined;
}

export interface Finding {
  /** Where a check has an item for each of several things: lower-case letters, digits and hyphens. */
  readonly key?: string;
  readonly state: FindingState;
  /** What is wrong; that all is well; why it cannot be told. */
  readonly what: Text;
  /** How to mend it. */
  readonly mend?: Text;
  /** Instead of the check's own. */
  readonly title?: Text;
  readonly server?: string;
  readonly area?: CheckArea;
  /** Ids of checks: when one of them fails, this follows from it and is no finding of its own. */
  readonly needs?: readonly string[];
}

export interface Check {
  readonly id: string;
  readonly area: CheckArea;
  readonly title: Text;
  readonly why: Text;
  /**
   * It costs little and asks nobody who is not configured: it runs by itself every few minutes, and a failure counts in health.
   * A function: under these configurations.
   */
  readonly isCheap?: true | ((config: Config) => boolean);
  /** As `Finding.needs`, for all findings. */
  readonly needs?: readonly string[];
  /** None where there is nothing to check. What it throws becomes "unknown". */
  readonly run: (deps: CheckDeps) => Promise<Finding | readonly Finding[]> | Finding | readonly Finding[];
}

export const ok = (what: Text): Finding => ({ state: 'ok', what });
export const warn = (what: Text, mend: Text): Finding => ({ state: 'warn', what, mend });
export const fail = (what: Text, mend: Text): Finding => ({ state: 'fail', what, mend });
export const unknown = (what: Text, mend?: Text): Finding => ({
  state: 'unknown',
  what,
  ...(mend === undefined ? {} : { mend }),
});

/** A key from any text: "udp://192.0.2.53" is "udp-192-0-2-53". */
export const keyOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
