/**
 * Holds one service during its life. Starts it, retries when it cannot start (a port in use, no TUN device), so that one
 * failing service does not stop the others, and passes its options to it.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Text, reasonOf, say } from '../texts/text.ts';
import { orAborted } from './drain.ts';
import type { ServiceReport } from './report.ts';
import type { Service, ServiceContext } from './service.ts';
import { createInTurn } from '../os/in-turn.ts';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

/** `S`: without the test hook, which a service without a worker does not have. */
export class ServiceSlot<Config, Options, S extends Omit<Service<Options>, 'failWorker'>>
  implements AsyncDisposable
{
  readonly name: string;
  readonly #select: (config: Config) => Options;
  readonly #start: (options: Options, context: ServiceContext) => Promise<S>;
  readonly #context: ServiceContext;
  #options: Options;
  #service: S | undefined;
  #problem: Text | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | undefined;
  /** Start, changes and stop run one after another. */
  readonly #inTurn = createInTurn();
  #disposed = false;

  /** `select` picks the service's options from the configuration; `start` is the service's own start function. */
  constructor(
    name: string,
    select: (config: Config) => Options,
    start: (options: Options, context: ServiceContext) => Promise<S>,
    config: Config,
    context: ServiceContext,
  ) {
    this.name = name;
    this.#select = select;
    this.#start = start;
    this.#options = select(config);
    this.#context = { ...context, log: context.log.child({ service: name }) };
  }

  /** The running service; undefined while it could not be started. */
  get service(): S | undefined {
    return this.#service;
  }

  /** First attempt; resolves with success or failure alike (see `report()`). */
  start(): Promise<void> {
    return this.#inTurn(() => this.#tryStart());
  }

  /**
   * Applies the part of a configuration that concerns this service; does nothing if that part is unchanged. If the service
   * refuses, rejects and the old options stay in force. A service that was not running is started.
   */
  reconfigure(config: Config): Promise<void> {
    return this.#inTurn(async () => {
      const options = this.#select(config);
      if (this.#service === undefined) {
        this.#options = options;
        await this.#tryStart();
      } else if (!isDeepStrictEqual(options, this.#options)) {
        await this.#service.reconfigure(options);
        this.#options = options;
      }
    });
  }

  report(): ServiceReport {
    const service = this.#service;
    if (service === undefined) {
      const problem = this.#problem ?? say('starting');
      const status = { state: 'failed', problem, restarts: 0, figures: {} } as const;
      return { name: this.name, status, counterTable: {}, counters: {} };
    }
    return {
      name: this.name,
      status: service.status(),
      counterTable: service.counterTable,
      counters: service.counters(),
      hosts: service.hosts?.(),
      health: service.health?.(),
      kernelContests: service.kernelContests?.(),
    };
  }

  /** Accepts no new clients and tries no new start; resolves when open work has finished, or when `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#stopTrying();
    const draining = this.#inTurn(async () => this.#service?.drain?.(signal));
    await orAborted(draining, signal);
    await draining.catch((err: unknown) =>
      this.#context.log.error({ err }, `${this.name}: could not finish what was open`),
    );
  }

  #stopTrying(): void {
    this.#disposed = true;
    clearTimeout(this.#retry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTrying();
    await this.#inTurn(async () => {
      await this.#service?.[Symbol.asyncDispose]();
      this.#service = undefined;
    });
  }

  async #tryStart(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#disposed) return;
    try {
      this.#service = await this.#start(this.#options, this.#context);
      this.#problem = undefined;
      this.#retryMs = FIRST_RETRY_MS;
    } catch (error) {
      this.#problem = reasonOf(error);
      this.#context.log.error(
        { err: error, retryMs: this.#retryMs },
        `${this.name}: could not start, will try again`,
      );
      this.#retry = setTimeout(() => void this.start(), this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    }
  }
}
