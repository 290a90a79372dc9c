/**
 * The interface of "check my setup". A check reports its findings, and names the checks whose failure would explain its own.
 * Runner, API, badge and page know no check by name. The checks of a service are in its `diagnostics.ts`, the others in
 * admin/diagnostics/checks/.
 */
import type { Config, HostConfig } from '../config/schema.ts';
import type { Machine } from '../os/machine.ts';
import type { FindingState } from '../runtime/own-events.ts';
import type { ServiceReport } from '../runtime/report.ts';
import type { Text } from '../texts/text.ts';

/** The inputs of a check. */
export interface CheckBasis {
  readonly machine: Machine;
  readonly config: Config;
  readonly services: readonly ServiceReport[];
  /** The value of each counter at the previous run, by service and name; undefined at the first run. */
  readonly countersBefore: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** The queries of a running service (`Service.queries`). */
  readonly queries: (service: string) => unknown;
  readonly askHttps: AskHttps;
}

/** What a server shows over HTTPS. */
export interface HttpsSeen {
  /** The names in its certificate. */
  readonly names: readonly string[];
  readonly isHttp2: boolean;
  /** The answer to the request, if one was made and answered. */
  readonly status: number | undefined;
}

/**
 * Connects to a server for `hostname`, and requests `authority` over this connection if it is HTTP/2. undefined if there is no
 * connection.
 */
export type AskHttps = (
  target: ProbeTarget,
  hostname: string,
  authority: string | undefined,
) => Promise<HttpsSeen | undefined>;

export interface Finding {
  /** If a check has one item for each of several objects: lower-case letters, digits and hyphens. */
  readonly key?: string;
  readonly state: FindingState;
  /** What is wrong, that there is no problem, or why it is unknown. */
  readonly what: Text;
  /** How to fix it. */
  readonly remedy?: Text;
  /** Replaces the title of the check. */
  readonly title?: Text;
  readonly server?: string;
  readonly area?: string;
  /** Ids of checks. If one of them fails, this finding is a consequence of it and is not counted separately. */
  readonly needs?: readonly string[];
}

export interface Check<Deps extends CheckBasis = CheckBasis> {
  readonly id: string;
  /** The heading on the page: "network", "ports", "servers", "names", "system", or the name of a service. */
  readonly area: string;
  readonly title: Text;
  readonly why: Text;
  /**
   * The check costs little and contacts only configured hosts. So it runs automatically every few minutes, and a failure counts
   * in health. A function: whether this is so under a configuration.
   */
  readonly isCheap?: true | ((config: Config) => boolean);
  /** Like `Finding.needs`, for all findings. */
  readonly needs?: readonly string[];
  /** Returns no findings if there is nothing to check. If it throws, the finding is "unknown". */
  readonly run: (deps: Deps) => Promise<Finding | readonly Finding[]> | Finding | readonly Finding[];
}

export const ok = (what: Text): Finding => ({ state: 'ok', what });
export const warn = (what: Text, remedy: Text): Finding => ({ state: 'warn', what, remedy });
export const fail = (what: Text, remedy: Text): Finding => ({ state: 'fail', what, remedy });
export const unknown = (what: Text, remedy?: Text): Finding => ({
  state: 'unknown',
  what,
  ...(remedy === undefined ? {} : { remedy }),
});

/** A key from any text: "udp://192.0.2.53" is "udp-192-0-2-53". */
export const keyOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

/** The protocol that is expected behind a port of a server. */
export type Expectation = 'http' | 'https' | 'smtps' | 'tls' | 'ssh';

/** A port of a server that the configuration routes traffic to: its health is measured. */
export interface ProbeTarget {
  /** Name of the listener, or "ssh". */
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly expects: Expectation;
  /** Names to request, without wildcards; the first is the main one. */
  readonly hostnames: readonly string[];
  readonly clientAddress: HostConfig['clientAddress'];
}

/** Settings for a server's own configuration, ready to be copied. */
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
  /** What is wrong if the path only carries `most` bytes, and how to fix it. */
  tooLarge(most: number): { readonly what: Text; readonly remedy: Text };
}

/** What a service adds to the diagnostics; loaded with them. */
export interface ServiceDiagnostics {
  readonly checks?: readonly Check[];
  /** The probes of a server: only what the configuration routes to it. */
  probes?(config: Config, host: HostConfig): readonly ProbeTarget[];
  /** `applianceAddress` is the own address from which the appliance connects to the server. */
  snippets?(config: Config, host: HostConfig, applianceAddress: string): readonly Snippet[];
  /** None while the service is off. */
  packetSizes?(config: Config): readonly PacketSize[];
}
