/**
 * Explains which way traffic would take. Each service says what it would do with the traffic, using the same functions that
 * decide in the data plane. This works for any configuration, not only the active one. admin/explain/way.ts asks the services
 * one after another.
 */

import { type Text, say } from '../texts/text.ts';

export type ExplainProtocol = 'tcp' | 'udp' | 'icmp';

/** Traffic at some point of its way. Addresses are text. */
export interface Flow {
  readonly protocol: ExplainProtocol;
  /** The sender. */
  readonly from: string;
  /** The name that the client asked for (DNS, Host, TLS server name), in lower case; undefined if it used an address. */
  readonly name: string | undefined;
  /** The destination; undefined until the name has been looked up. */
  readonly to: string | undefined;
  /** undefined for ICMP. */
  readonly port: number | undefined;
  /** The protocols that the client offers in its ClientHello (ALPN). */
  readonly alpn?: readonly string[] | undefined;
  /** Whether the destination is an address of the appliance itself, so that its own sockets receive it. */
  readonly isLocal: boolean;
}

/** One step that was examined, and whether it lets the traffic pass. */
export interface WayStep {
  readonly isOk: boolean;
  /** The result, as a sentence. */
  readonly text: Text;
  /** The counter that counts this. */
  readonly counter?: string;
  /** JSON pointer to the setting that decided it. */
  readonly configPath?: string;
}

/**
 * server: reaches one of `hosts`; appliance: the appliance itself answers; direct: does not pass through the appliance;
 * refused: is dropped or rejected; unknown: a name could not be looked up. Services may add their own words
 * (`ServiceDescription.outcomes`).
 */
export interface WayOutcome {
  readonly kind: string;
  /** Name of the server. */
  readonly server: string | null;
  /** Where it arrives, if it arrives. */
  readonly address: string | null;
  readonly port: number | null;
  /** One sentence. */
  readonly text: Text;
}

/** The end of the way. */
export interface LastLeg {
  readonly steps: readonly WayStep[];
  readonly outcome: WayOutcome;
}

/** What a service does with traffic: the end of the way, or the next destination. */
export type Leg = LastLeg | { readonly steps: readonly WayStep[]; readonly next: Flow };

/** What a service does with traffic; undefined: the service does not handle it. */
export type Explain = (flow: Flow) => Promise<Leg | undefined>;

/** A service that can explain, for one configuration. */
export interface Explainer {
  readonly service: string;
  /** It sees packets before the kernel looks for a socket. */
  readonly isBeforeSockets: boolean;
  readonly explain: Explain;
}

/** The whole way. */
export interface Way {
  readonly steps: readonly (WayStep & { readonly service: string })[];
  readonly outcome: WayOutcome;
}

const nowhere = (kind: 'refused' | 'unknown' | 'appliance', text: Text): WayOutcome => ({
  kind,
  server: null,
  address: null,
  port: null,
  text,
});

/** A server, with its name in the configuration. */
export const arrives = (address: string, port: number | null, text: Text, server: string): WayOutcome => ({
  kind: 'server',
  server,
  address,
  port,
  text,
});

type Why = Pick<WayStep, 'counter' | 'configPath'>;

/** Adds the last step. */
export const endsRefused = (steps: readonly WayStep[], text: Text, why: Why = {}): LastLeg => ({
  steps: [...steps, { ...why, isOk: false, text }],
  outcome: nowhere('refused', text),
});

export const endsUnknown = (steps: readonly WayStep[], text: Text, why: Why = {}): LastLeg => ({
  steps: [...steps, { ...why, isOk: false, text }],
  outcome: nowhere('unknown', text),
});

/** The appliance itself answers. */
export const endsHere = (steps: readonly WayStep[], text: Text, why: Why = {}): LastLeg => ({
  steps: [...steps, { ...why, isOk: true, text }],
  outcome: nowhere('appliance', text),
});

/**
 * Whether a list of the configuration, such as dns64.allow, contains an address. `counter` counts the addresses that it does
 * not contain.
 */
export function listStep(list: string, address: string, isListed: boolean, counter: string): WayStep {
  const configPath = `/${list.replace('.', '/')}`;
  return isListed
    ? { isOk: true, text: say('{list} lists {address}.', { list, address }), configPath }
    : { isOk: false, text: say('{list} does not list {address}.', { list, address }), counter, configPath };
}

/** An assertion of a configuration, and its result. */
export interface AssertionResult {
  readonly name: string;
  /** JSON pointer to the assertion. */
  readonly path: string;
  /** unknown: a name could not be looked up, so nothing follows about the configuration. */
  readonly state: 'passed' | 'failed' | 'unknown';
  readonly expect: string;
  readonly way: Way;
  /** One sentence: what was expected, and what would happen instead. */
  readonly message: Text;
}
