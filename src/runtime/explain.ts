/**
 * Explaining which way traffic would take: each service says what it would do with it, by the very functions that decide
 * in the data plane, over any configuration and not only the one in force. admin/explain/way.ts asks them in turn.
 */

import { type Text, say } from '../texts/text.ts';

export type ExplainProtocol = 'tcp' | 'udp' | 'icmp';

/** Traffic somewhere on its way. Addresses are text. */
export interface Flow {
  readonly protocol: ExplainProtocol;
  /** Who sends. */
  readonly from: string;
  /** The name that the client asked for (DNS, Host, server name of TLS), in lower case; undefined when an address. */
  readonly name: string | undefined;
  /** Where it is sent; undefined while the name has not been looked up. */
  readonly to: string | undefined;
  /** undefined for ICMP. */
  readonly port: number | undefined;
  /** Whether it is for an address of the appliance itself, so that its sockets have it. */
  readonly isLocal: boolean;
}

/** Something that was looked at, and whether it lets the traffic pass. */
export interface WayStep {
  readonly isOk: boolean;
  /** What was found, as a sentence. */
  readonly text: Text;
  /** The counter that counts this. */
  readonly counter?: string;
  /** JSON pointer to what decided it in the configuration. */
  readonly configPath?: string;
}

/**
 * server: reaches one of `hosts`; appliance: the appliance itself answers; direct: does not come this way; refused: goes nowhere;
 * unknown: a name could not be looked up. Others are words of a service (`ServiceDescription.outcomes`).
 */
export interface WayOutcome {
  readonly kind: string;
  /** Name of the server. */
  readonly server: string | null;
  /** Where it arrives, when it does. */
  readonly address: string | null;
  readonly port: number | null;
  /** One sentence. */
  readonly text: Text;
}

/** The end of a way. */
export interface LastLeg {
  readonly steps: readonly WayStep[];
  readonly outcome: WayOutcome;
}

/** What a service does with traffic: the end of its way, or where it goes from there. */
export type Leg = LastLeg | { readonly steps: readonly WayStep[]; readonly next: Flow };

/** What a service does with traffic; undefined: it has nothing to do with it. */
export type Explain = (flow: Flow) => Promise<Leg | undefined>;

/** A service that can be asked, over one configuration. */
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

/** One more step, which ends the way. */
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

/** Whether a list of the configuration, such as dns64.allow, has an address that it must have. `counter`: of those that it has not. */
export function listStep(list: string, address: string, isListed: boolean, counter: string): WayStep {
  const configPath = `/${list.replace('.', '/')}`;
  return isListed
    ? { isOk: true, text: say('{list} lists {address}.', { list, address }), configPath }
    : { isOk: false, text: say('{list} does not list {address}.', { list, address }), counter, configPath };
}

/** An assertion of a configuration and what it comes to. */
export interface AssertionResult {
  readonly name: string;
  /** JSON pointer to the assertion. */
  readonly path: string;
  /** unknown: a name could not be looked up, which says nothing about the configuration. */
  readonly state: 'passed' | 'failed' | 'unknown';
  readonly expect: string;
  readonly way: Way;
  /** One sentence: what was expected, and what would happen instead. */
  readonly message: Text;
}
