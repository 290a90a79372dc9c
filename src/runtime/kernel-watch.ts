/** Lets a keeper of kernel state look at the right times: when the kernel reports a change, once a minute, and when a repair is due. */
import { createInTurn } from '../os/in-turn.ts';
import { type Changes, watchNetworkChanges } from '../os/network-changes.ts';
import { type Text, english, reasonOf } from '../texts/text.ts';
import type { KernelKeeper } from './kernel-keeper.ts';
import type { Logger } from './log.ts';

const LOOK_INTERVAL_MS = 1000;
/** How often everything is read even if the kernel reports no change. */
const REGULAR_MS = 60_000;
const NOBODY: Changes['by'] = new Map();

export interface KernelWatchOptions {
  /** The name of the service, for the log. */
  readonly service: string;
  readonly keeper: Pick<KernelKeeper, 'look' | 'isDue' | 'problem'>;
  readonly log: Pick<Logger, 'warn'>;
}

/** Disposing stops looking; what is in the kernel stays. */
export interface KernelWatch extends AsyncDisposable {
  /** Looks now, for a change of our own. Returns the reasons why newly wanted items could not be set. */
  look(): Promise<readonly Text[]>;
  /** What is not in place, or why that cannot be read. */
  problem(): Text | undefined;
}

/** Looks for the first time, and from then on. Throws when the kernel cannot be read. */
export async function watchKernel({ service, keeper, log }: KernelWatchOptions): Promise<KernelWatch> {
  await using cleanUp = new AsyncDisposableStack();
  const changes = cleanUp.use(watchNetworkChanges());
  await keeper.look(NOBODY);
  const inTurn = createInTurn();
  let lookedMs = performance.now();
  let failure: Text | undefined;

  async function look(by: Changes['by']): Promise<readonly Text[]> {
    lookedMs = performance.now();
    try {
      const refused = await keeper.look(by);
      failure = undefined;
      return refused;
    } catch (error) {
      const reason = reasonOf(error);
      if (failure === undefined || english(failure) !== english(reason))
        log.warn({ err: error }, `${service}: the state in the kernel cannot be read back`);
      failure = reason;
      return [reason];
    }
  }

  async function lookIfNeeded(): Promise<void> {
    // Not part of the condition: the reports of the kernel must be taken in any case.
    const { hasChanged, by } = changes.take();
    const isRegular = performance.now() - lookedMs >= REGULAR_MS;
    if (hasChanged || isRegular || keeper.isDue()) await look(by);
  }

  const timer = setInterval(() => void inTurn(lookIfNeeded), LOOK_INTERVAL_MS).unref();
  cleanUp.defer(async () => {
    clearInterval(timer);
    await inTurn(() => {});
  });
  const running = cleanUp.move();
  return {
    look: () => inTurn(() => look(NOBODY)),
    problem: () => failure ?? keeper.problem(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
