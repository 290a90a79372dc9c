/**
 * The description of a service. Each service has one (`NAME/describe.ts`), and `all.ts` lists them. The composition root, the
 * checks of the configuration, history, metrics, events, explanations and the admin API work with that list and name no
 * service. A description is small: the code of the data plane is behind an `import()`.
 */
import type { ConfigProblem } from '../config/problem.ts';
import type { Config, HostConfig } from '../config/schema.ts';
import { type PortRange, boundAddresses } from '../config/values.ts';
import type { Ourselves } from '../os/ourselves.ts';
import type { CounterTable } from '../runtime/counters.ts';
import type { EventKind } from '../runtime/event-kind.ts';
import type { Explain } from '../runtime/explain.ts';
import type { Service, ServiceContext } from '../runtime/service.ts';
import type { Text } from '../texts/text.ts';
import type { ServiceDiagnostics } from './check.ts';
import type { ServiceQueries } from './query-route.ts';

/** A service without a worker lacks the test hook. */
export type RunningService<Options = unknown> = Omit<Service<Options>, 'failWorker'> &
  Partial<Pick<Service<Options>, 'failWorker'>>;

export interface ServiceDescription<
  Options = unknown,
  S extends RunningService<Options> = RunningService<Options>,
> {
  /** The name of its report, its thread, its metrics, its part of the configuration and its pages. */
  readonly name: string;
  /** The name on the pages. */
  readonly title: Text;
  /** Its counters: names and explanations. */
  readonly counters: CounterTable;
  /** Numeric figures of its status that are useful as a graph, with an explanation. Other figures are not exported as metrics. */
  readonly gauges?: Readonly<Record<string, string>>;
  /** Its series in the history: name of the series -> unit and source. */
  readonly series?: Readonly<Record<string, Series>>;
  /** The kinds of events that it reports. */
  readonly events?: readonly EventKind[];
  /** Whether it runs in this environment at all. Default: everywhere. */
  isHere?(environment: NodeJS.ProcessEnv): boolean;
  /**
   * Selects its options from the configuration. `others`: ports that the configuration assigns to others. `embedding`: the
   * prefixes of all services in which IPv4 addresses are embedded.
   */
  options(config: Config, others: readonly PortUse[], embedding: readonly string[]): Options;
  /** Sets up what must exist before any service starts, for as long as the process runs. */
  prepare?(context: ServiceContext): Promise<AsyncDisposable>;
  /** Loads its code and starts it. */
  start(options: Options, context: ServiceContext): Promise<S>;
  /** Its files in the state directory that go into a backup, with their parsers. A parser throws if the content is invalid. */
  readonly files?: Readonly<Record<string, (content: Buffer) => unknown>>;
  /** Explains what it would do with traffic. */
  readonly explain?: {
    /** Whether it sees packets before the kernel looks for a socket: such services come first. */
    readonly isBeforeSockets: boolean;
    /** Loads the explainer for one configuration. */
    load(question: ExplainQuestion<S>): Promise<Explain>;
  };
  /** Its own outcomes of an explanation, with the text for an assertion that expects one. */
  readonly outcomes?: Readonly<Record<string, Text>>;
  /** Ports that the configuration assigns to it. */
  ports?(config: Config): readonly PortUse[];
  /** Sockets that should be open; `sshPorts` by name of the server. */
  sockets?(config: Config, sshPorts: Readonly<Record<string, number>>): readonly WantedSocket[];
  /** The SSH port of each server that has one. */
  sshPorts?(running: S): Readonly<Record<string, number>>;
  /** Addresses that the configuration declares as this appliance's own, as text. */
  ownAddresses?(config: Config): readonly string[];
  /** Prefixes in which IPv4 addresses are embedded: no server can be there. */
  prefixes?(config: Config): readonly EmbeddingPrefix[];
  /** Devices that it makes. */
  devices?(config: Config): readonly string[];
  /** Its example in the configuration reference. */
  readonly example?: { readonly config?: object; readonly assertion?: object };
  /** Queries about its internal state. */
  readonly queries?: ServiceQueries;
  /** Loads its checks, probes of servers and so on. */
  diagnostics?(): Promise<ServiceDiagnostics>;
  /** Where its own report is listed among the checks, and ids of the checks that explain its problems better. */
  readonly place?: { readonly area: string; readonly needs: readonly string[] };
  /** Checks of its part of the configuration that involve more than one field. `embedding`: the prefixes of all services. */
  check?(config: Config, embedding: readonly EmbeddingPrefix[]): readonly ConfigProblem[];
  /** The same for one server; `path` is the path of the server. */
  checkHost?(config: Config, host: HostConfig, path: string): readonly ConfigProblem[];
  /** Finds what in its part leads back to this machine itself. */
  checkOurselves?(config: Config, own: OwnAddresses): readonly ConfigProblem[];
}

/** The addresses of this machine, for checks of the configuration. Addresses are 16 bytes. */
export interface OwnAddresses {
  /** Whether traffic to this address arrives at this machine, by any path. */
  has(address: Uint8Array): boolean;
  /** Whether traffic to this address arrives at a socket of ours that is bound to one of `listening`. */
  listensAt(address: Uint8Array, listening: readonly string[]): boolean;
}

/** A description in the type that the list needs. */
export const describeService = <Options, S extends RunningService<Options>>(
  description: ServiceDescription<Options, S>,
): ServiceDescription => description as unknown as ServiceDescription;

export interface ExplainQuestion<S> {
  readonly config: Config;
  /** The own addresses under that configuration. */
  readonly ourselves: Ourselves;
  /** The configuration is the active one, so the state of the running service counts. */
  readonly isLive: boolean;
  /** The options that the service would be started with. */
  readonly options: unknown;
  readonly running: S | undefined;
}

/** A series of the history: the sum of the rates of some counters, or a figure of the status. */
export type Series = { readonly unit: string } & (
  | { readonly rateOf: (counter: string) => boolean }
  | { readonly figure: string }
);

/** The sum of the growth of these counters. */
export const rateOf = (unit: string, ...counters: string[]): Series => ({
  unit,
  rateOf: (counter) => counters.includes(counter),
});

export const figureOf = (unit: string, figure: string): Series => ({ unit, figure });

/** Ports that are in use on some addresses, and by what. */
export interface PortUse {
  /**
   * listens: there are sockets. chooses: the ports of its own sockets are chosen from this range. steers: packets to these
   * ports go to it before any socket sees them.
   */
  readonly use: 'listens' | 'chooses' | 'steers';
  /** The path of the setting in the configuration. */
  readonly path: string;
  /** The value of the setting. */
  readonly value: number | string;
  readonly what: Text;
  readonly protocols: readonly ('tcp' | 'udp' | 'icmp')[];
  readonly addresses: readonly string[];
  readonly range: PortRange;
  /** Switched off: the ports are not in use now, but are not assigned to anything else either. */
  readonly isOff?: boolean;
}

export const singlePort = (port: number): PortRange => ({ first: port, last: port });

export interface WantedSocket {
  readonly protocol: 'tcp' | 'udp';
  /** As configured. */
  readonly address: string;
  readonly port: number;
  /** "listener https", "SSH port of web1", ... */
  readonly wantedBy: Text;
  /** What accepts clients from the Internet there: "proxy https", "forward web1"; undefined for ports that are not for them. */
  readonly taker: string | undefined;
}

/** The same port on several addresses. */
export const socketsAt = (
  addresses: readonly string[],
  port: number,
  wantedBy: Text,
  taker?: string,
  protocol: 'tcp' | 'udp' = 'tcp',
): WantedSocket[] =>
  boundAddresses(addresses).map((address) => ({ protocol, address, port, wantedBy, taker }));

export interface EmbeddingPrefix {
  readonly text: string;
  /** The service translates traffic to this prefix. */
  readonly isTranslated?: boolean;
  /** The setting by which addresses in this prefix are given to clients: then something must translate them. */
  readonly promisedAt?: string;
  /** The setting by which the appliance itself has every address of the prefix: nothing else may use it. */
  readonly ownedAt?: string;
  /** Switched off: a server may have an address in it. */
  readonly isOff?: boolean;
}
