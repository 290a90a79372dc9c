/**
 * What a service says of itself. One description a service (`NAME/describe.ts`), all of them in `all.ts`: the composition root,
 * the checks of the configuration, history, metrics, events, explanations and the admin API work over that list and name
 * no service. A description is light: whatever is code of the data plane is behind an `import()`.
 */
import type { ConfigProblem } from '../config/problem.ts';
import type { Config, HostConfig } from '../config/schema.ts';
import type { PortRange } from '../config/values.ts';
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
  /** Of its report, its thread, its metrics, its part of the configuration and its pages. */
  readonly name: string;
  /** As the pages call it. */
  readonly title: Text;
  /** What it counts: names and explanations. */
  readonly counters: CounterTable;
  /** Figures of its status that are numbers worth a graph, with what they are. Others are in no metric. */
  readonly gauges?: Readonly<Record<string, string>>;
  /** What the history keeps of it: name of the series -> unit and source. */
  readonly series?: Readonly<Record<string, Series>>;
  /** The kinds of events that it tells. */
  readonly events?: readonly EventKind[];
  /** Whether it runs in this environment at all; without it, everywhere. */
  isHere?(environment: NodeJS.ProcessEnv): boolean;
  /** What concerns it. `others`: ports that the configuration gives to others. */
  options(config: Config, others: readonly PortUse[]): Options;
  /** What it puts in place before any service starts, for as long as the process runs. */
  prepare?(context: ServiceContext): Promise<AsyncDisposable>;
  /** Loads its code and starts it. */
  start(options: Options, context: ServiceContext): Promise<S>;
  /** Its files in the state directory that a backup has, with what reads them: it throws when they are not as written. */
  readonly files?: Readonly<Record<string, (content: Buffer) => unknown>>;
  /** What it would do with traffic. */
  readonly explain?: {
    /** Whether it sees packets before the kernel looks for a socket: such services are asked first. */
    readonly isBeforeSockets: boolean;
    /** Loads what explains, for one configuration. */
    load(question: ExplainQuestion<S>): Promise<Explain>;
  };
  /** Outcomes of an explanation that are its own, with what an assertion that expects one expects. */
  readonly outcomes?: Readonly<Record<string, Text>>;
  /** Ports that the configuration gives it. */
  ports?(config: Config): readonly PortUse[];
  /** Sockets that are to be open, `sshPorts` by name of the server. */
  sockets?(config: Config, sshPorts: Readonly<Record<string, number>>): readonly WantedSocket[];
  /** The SSH port of each server that has one. */
  sshPorts?(running: S): Readonly<Record<string, number>>;
  /** Addresses that the configuration says are this appliance's own, as texts. */
  ownAddresses?(config: Config): readonly string[];
  /** Prefixes in which IPv4 addresses are embedded: no server is there. */
  prefixes?(config: Config): readonly EmbeddingPrefix[];
  /** Devices that it makes. */
  devices?(config: Config): readonly string[];
  /** What the reference of the configuration shows of it. */
  readonly example?: { readonly config?: object; readonly assertion?: object };
  /** What may be asked about its inside. */
  readonly queries?: ServiceQueries;
  /** Loads its checks, probes of servers and so on. */
  diagnostics?(): Promise<ServiceDiagnostics>;
  /** Where its own report stands among the checks, and ids of those that explain its trouble better. */
  readonly place?: { readonly area: string; readonly needs: readonly string[] };
  /** What of its part no single field can tell. */
  check?(config: Config): readonly ConfigProblem[];
  /** The same of one server; `path` is the server's. */
  checkHost?(config: Config, host: HostConfig, path: string): readonly ConfigProblem[];
  /** What of its part leads to this machine itself. */
  checkOurselves?(config: Config, own: OwnAddresses): readonly ConfigProblem[];
}

/** This machine, as far as a check of the configuration asks. Addresses are 16 bytes. */
export interface OwnAddresses {
  /** What is sent there comes to this machine, by whatever way. */
  has(address: Uint8Array): boolean;
  /** What is sent there comes to a socket of ours that is bound to one of `listening`. */
  listensAt(address: Uint8Array, listening: readonly string[]): boolean;
}

/** A description as the list holds it. */
export const describeService = <Options, S extends RunningService<Options>>(
  description: ServiceDescription<Options, S>,
): ServiceDescription => description as unknown as ServiceDescription;

export interface ExplainQuestion<S> {
  readonly config: Config;
  /** Under that configuration. */
  readonly ourselves: Ourselves;
  /** The configuration is the one in force: what the running service holds counts. */
  readonly isLive: boolean;
  /** What it would be started with. */
  readonly options: unknown;
  readonly running: S | undefined;
}

/** A series of the history: the sum of the rates of some counters, or a figure of the status. */
export type Series = { readonly unit: string } & (
  | { readonly rateOf: (counter: string) => boolean }
  | { readonly figure: string }
);

/** The growth of these counters, added up. */
export const rateOf = (unit: string, ...counters: string[]): Series => ({
  unit,
  rateOf: (counter) => counters.includes(counter),
});

export const figureOf = (unit: string, figure: string): Series => ({ unit, figure });

/** Ports taken on some addresses, and who takes them. */
export interface PortUse {
  /**
   * listens: there are sockets. chooses: ports of sockets of its own are chosen from there. steers: packets to these ports
   * are its own before any socket sees them.
   */
  readonly use: 'listens' | 'chooses' | 'steers';
  /** Where the configuration says so. */
  readonly path: string;
  /** What the configuration says there. */
  readonly value: number | string;
  readonly what: Text;
  readonly protocols: readonly ('tcp' | 'udp' | 'icmp')[];
  readonly addresses: readonly string[];
  readonly range: PortRange;
  /** Switched off: nothing is there now, and yet no other port is chosen so. */
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
  /** Who takes the clients of the Internet: "proxy https", "forward web1"; undefined for ports that are not for them. */
  readonly taker: string | undefined;
}

/** The same port on several addresses. */
export const socketsAt = (
  addresses: readonly string[],
  port: number,
  wantedBy: Text,
  taker?: string,
  protocol: 'tcp' | 'udp' = 'tcp',
): WantedSocket[] => addresses.map((address) => ({ protocol, address, port, wantedBy, taker }));

export interface EmbeddingPrefix {
  readonly text: string;
  /** The service translates what is sent there. */
  readonly isTranslated?: boolean;
  /** Where the configuration says that addresses in it are given to clients: then somebody must translate it. */
  readonly promisedAt?: string;
  /** Switched off: a server may be there. */
  readonly isOff?: boolean;
}
