/**
 * The local route that makes the kernel deliver the answers to mapped addresses to this machine. It exists while a server uses
 * `mapped`, and until the last connection from such an address has ended.
 */
import { applyState } from '../../os/kernel-state/apply.ts';
import { type RouteItem, TABLE } from '../../os/kernel-state/items.ts';
import { type KernelReader, openKernelReader } from '../../os/kernel-state/read.ts';
import type { Changes } from '../../os/network-changes.ts';
import { localEndsOfIpv6 } from '../../os/proc-net.ts';
import { createKernelKeeper } from '../../runtime/kernel-keeper.ts';
import type { KernelContest } from '../../runtime/kernel-trouble.ts';
import { type KernelWatch, watchKernel } from '../../runtime/kernel-watch.ts';
import type { ServiceContext } from '../../runtime/service.ts';
import { type Text, TextError, reasonOf } from '../../texts/text.ts';
import { parseIpPrefix, prefixContains } from '../../wire/ip-prefix.ts';

const NOBODY: Changes['by'] = new Map();

/** Disposing removes the routes. */
export interface MappedRoute extends AsyncDisposable {
  /**
   * Prefixes that are needed from now on. Another one stays while there are connections from it. Throws if the kernel refuses a new
   * one; the previous ones then stay.
   */
  want(prefixes: readonly string[]): Promise<void>;
  problem(): Text | undefined;
  contests(): readonly KernelContest[];
}

type Context = Pick<ServiceContext, 'log' | 'events'>;

/** Starts with these prefixes, and removes what a killed process has left. What the kernel refuses is reported and retried. */
export async function keepMappedRoute(context: Context, first: readonly string[]): Promise<MappedRoute> {
  let wanted = first;
  /** Prefixes of earlier settings from which there are connections. */
  const earlier = new Set<string>();
  let keeping: Keeping | undefined;

  /** Why the kernel cannot be asked. */
  let failure: Text | undefined;

  function current(): string[] {
    if (earlier.size > 0) {
      const ends = localEndsOfIpv6();
      for (const prefix of earlier) if (!hasEnd(prefix, ends)) earlier.delete(prefix);
    }
    return [...new Set([...wanted, ...earlier])];
  }

  async function start(): Promise<void> {
    try {
      keeping = await startKeeping(context, current);
      failure = undefined;
    } catch (error) {
      failure = reasonOf(error);
      throw error;
    }
  }

  if (first.length === 0) await removeLeftBehind(context);
  else
    await start().catch((err: unknown) =>
      context.log.error({ err }, 'proxy: the route for mapped addresses cannot be set'),
    );

  return {
    async want(prefixes) {
      const before = wanted;
      for (const prefix of before) earlier.add(prefix);
      for (const prefix of prefixes) earlier.delete(prefix);
      wanted = prefixes;
      if (keeping === undefined) {
        if (prefixes.length > 0) await start();
        else failure = undefined;
      } else if (current().length === 0) {
        const ending = keeping;
        keeping = undefined;
        await ending[Symbol.asyncDispose]();
      } else {
        const [reason] = await keeping.watch.look();
        if (reason === undefined) return;
        wanted = before;
        throw new TextError(reason);
      }
    },
    problem: () => failure ?? keeping?.watch.problem(),
    contests: () => keeping?.contests() ?? [],
    async [Symbol.asyncDispose]() {
      await keeping?.[Symbol.asyncDispose]();
    },
  };
}

interface Keeping extends AsyncDisposable {
  readonly watch: KernelWatch;
  contests(): readonly KernelContest[];
}

async function startKeeping({ log, events }: Context, current: () => string[]): Promise<Keeping> {
  await using cleanUp = new AsyncDisposableStack();
  const reader = cleanUp.use(openKernelReader());
  let isEnding = false;
  const keeper = createKernelKeeper({
    service: 'proxy',
    read: () => readRoutes(reader, isEnding ? [] : current()),
    apply: (differences, found) => applyState(differences, found, { nft: reader.nft }),
    events,
    log,
    monotonicMs: () => performance.now(),
    now: Date.now,
  });
  cleanUp.defer(async () => {
    isEnding = true;
    await keeper.look(NOBODY);
  });
  const watch = cleanUp.use(await watchKernel({ service: 'proxy', keeper, log }));
  const running = cleanUp.move();
  return {
    watch,
    contests: () => keeper.contests(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The routes to these prefixes are wanted, and other ones of ours are not. */
function readRoutes(reader: KernelReader, prefixes: readonly string[]) {
  const unwanted = reader.ownLocalRoutes().filter((prefix) => !prefixes.includes(prefix));
  const wanted = [
    ...prefixes.map(localRoute),
    ...unwanted.map((prefix): RouteItem => ({ ...localRoute(prefix), isAbsent: true })),
  ];
  return { wanted, found: reader.state(wanted, reader.links(), () => undefined, new Set()) };
}

const localRoute = (prefix: string): RouteItem => ({
  kind: 'route',
  family: 6,
  prefix,
  table: TABLE.local,
  device: 'lo',
  isLocal: true,
});

function hasEnd(prefix: string, ends: readonly Uint8Array[]): boolean {
  const parsed = parseIpPrefix(prefix)!;
  return ends.some((end) => prefixContains(parsed, end));
}

/** Removes the routes of a killed process. */
async function removeLeftBehind({ log }: Context): Promise<void> {
  try {
    using reader = openKernelReader();
    const { wanted, found } = readRoutes(reader, []);
    if (wanted.length > 0)
      await applyState(
        wanted.map((item) => ({ item, how: 'changed' })),
        found,
        { nft: reader.nft },
      );
  } catch (err) {
    log.warn({ err }, 'proxy: local routes that another process may have left cannot be looked at');
  }
}
