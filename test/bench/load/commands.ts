/**
 * Load processes run in a namespace and receive orders over Node's message channel, one at a time. A process answers when the
 * order is finished, and may block until then.
 */
import type { Child, Host } from '../../../lab/host.ts';

/** Orders by name, with argument and result (structured-cloneable as JSON). */
export type Orders = Readonly<Record<string, (argument: never) => unknown>>;

interface Order {
  readonly name: string;
  readonly argument: unknown;
}

type Answer = { readonly result: unknown } | { readonly error: string };

const answer = (message: Answer) => process.send?.(message);

/** The path of a script of this directory. */
export const loadScript = (file: string): string => new URL(file, import.meta.url).pathname;

/** The load process's side: carries out orders until the channel closes. */
export function serveOrders(orders: Orders): void {
  process.on('message', async ({ name, argument }: Order) => {
    try {
      answer({ result: await orders[name](argument as never) });
    } catch (error) {
      answer({
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  });
  process.on('disconnect', () => process.exit());
  answer({ result: 'ready' });
}

/** The benchmark's side of a load process. */
export interface LoadProcess<Table extends Orders> {
  readonly child: Child;
  /** Has an order carried out; rejects if it fails or the process ends. */
  order<Name extends keyof Table & string>(
    name: Name,
    argument: Parameters<Table[Name]>[0],
  ): Promise<Awaited<ReturnType<Table[Name]>>>;
}

/** Starts `load/<file>` on a host, pinned to one CPU if `cpu` is given; resolves when it accepts orders. */
export async function startLoad<Table extends Orders>(
  host: Host,
  file: string,
  cpu?: number,
): Promise<LoadProcess<Table>> {
  const pin = cpu === undefined ? [] : ['taskset', '--cpu-list', String(cpu)];
  const [command, ...args] = [...pin, process.execPath, loadScript(file)];
  const child = host.spawn(command, args, { ipc: true });
  const nextAnswer = () =>
    new Promise<unknown>((resolve, reject) => {
      const onExit = () => reject(new Error(`${file} ended\n${child.output()}`));
      child.process.once('exit', onExit);
      child.process.once('message', (message: Answer) => {
        child.process.off('exit', onExit);
        if ('error' in message) reject(new Error(`${file}: ${message.error}`));
        else resolve(message.result);
      });
    });
  await nextAnswer();
  return {
    child,
    async order(name, argument) {
      const answer = nextAnswer();
      child.process.send({ name, argument } satisfies Order);
      return (await answer) as never;
    },
  };
}
