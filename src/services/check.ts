/**
 * The frame of "check my setup". A check says what it found, and names those whose failure would explain its own; runner, API,
 * badge and page know no check by name. Those of a service are in its `diagnostics.ts`, the others in admin/diagnostics/checks/.
 */
import type { Config, HostConfig } from '../config/schema.ts';
import type { Machine } from '../os/machine.ts';
import type { FindingState } from '../runtime/own-events.ts';
import type { ServiceReport } from '../runtime/report.ts';
import type { Text } from '../texts/text.ts';

/** What a check may look at. */
export interface CheckBasis {
  readonly machine: Machine;
  readonly config: Config;
  readonly services: readonly ServiceReport[];
  /** What each counter was at the run before, by service and name; undefined at the first. */
  readonly countersBefore: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** What may be asked of a running service (`Service.queries`). */
  readonly queries: (service: string) => unknown;
}

export interface Finding {
  /** Where a check has an item for each of several things: lower-case letters, digits and hyphens. */
  readonly key?: string;
  readonly state: FindingState;
  /** What is wrong; that all is well; why it cannot be told. */
  readonly what: Text;
  /** How to fix it. */
  readonly mend?: Text;
  /** Instead of the check's own. */
  readonly title?: Text;
  readonly server?: string;
  readonly area?: string;
  /** Ids of checks: when one of them fails, this follows from it and is no finding of its own. */
  readonly needs?: readonly string[];
}

export interface Check<Deps extends CheckBasis = CheckBasis> {
  readonly id: string;
  /** Under which heading of the page: "network", "ports", "servers", "names", "system", or the name of a service. */
  readonly area: string;
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
  readonly run: (deps: Deps) => Promise<Finding | readonly Finding[]> | Finding | readonly Finding[];
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

/** What is expected behind a port of a server. */
export type Expectation = 'http' | 'https' | 'smtps' | 'tls' | 'ssh';

/** A port of a server that something of ours leads to: its health is measured. */
export interface ProbeTarget {
  /** Name of the listener, or "ssh". */
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly expects: Expectation;
  /** Names to ask for, without wildcards; the first is the main one. */
  readonly hostnames: readonly string[];
  readonly clientAddress: HostConfig['clientAddress'];
}

/** What a server's own configuration needs, ready to be copied. */
export interface Snippet {
  readonly title: Text;
  readonly text: string;
  readonly explanation: Text;
}

/** The largest packets that a service sends to one side, as configured. */
export interface PacketSize {
  /** 4: towards the Internet; 6: towards the servers. */
  readonly family: 4 | 6;
  readonly bytes: number;
  /** What is wrong when the way carries only `most` bytes, and how to fix it. */
  tooLarge(most: number): { readonly what: Text; readonly mend: Text };
}

/** What a service brings to the diagnostics; loaded with them. */
export interface ServiceDiagnostics {
  readonly checks?: readonly Check[];
  /** What is probed of a server: what the configuration leads to it, and nothing else. */
  probes?(config: Config, host: HostConfig): readonly ProbeTarget[];
  /** `applianceAddress` is the own address from which the appliance connects to the server. */
  snippets?(config: Config, host: HostConfig, applianceAddress: string): readonly Snippet[];
  /** None while it is switched off. */
  packetSizes?(config: Config): readonly PacketSize[];
}
