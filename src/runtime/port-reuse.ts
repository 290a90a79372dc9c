/**
 * Lets new connections to servers reuse the ports of ended ones. The side that ends a connection first keeps its port for a
 * minute (TIME-WAIT, RFC 9293 section 3.6.1). When the client ends first, the side that keeps the port towards the server is
 * this machine. A single client that opens and ends a few hundred connections a second would then take all local ports towards
 * that server, and nobody else could reach it. With timestamps (RFC 7323), a new connection can be told apart from late
 * segments of the old one after a second (RFC 6191). The kernel does that if it is allowed to.
 */
import { join } from 'node:path';
import { createInTurn } from '../os/in-turn.ts';
import { applySysctls } from '../os/kernel-state/apply.ts';
import { borrowSysctls } from '../os/kernel-state/borrowed-sysctls.ts';
import { NOTHING_FOUND, type SysctlItem } from '../os/kernel-state/items.ts';
import { sysctlReader } from '../os/sysctl.ts';
import { createKernelKeeper } from './kernel-keeper.ts';
import type { ServiceContext } from './service.ts';

const PARAMETER = 'net/ipv4/tcp_tw_reuse';
/** Allow it for all addresses. The kernel's default, 2, allows it for loopback only. */
const FOR_ALL = '1';
export const PORT_REUSE_FILE = 'ports-sysctl.json';
/** The kernel sends no notification about this parameter. */
const LOOK_INTERVAL_MS = 60_000;

/**
 * Sets the parameter until disposed, then restores the value that others want. Reports under the given service name. If it
 * cannot be set, this is reported and has no other effect.
 */
export async function keepPortReuse(
  service: string,
  { stateDirectory, events, log }: Pick<ServiceContext, 'stateDirectory' | 'events' | 'log'>,
): Promise<AsyncDisposable> {
  // Without the file, the parameter is not restored after a crash, which harms nobody.
  const sysctls = borrowSysctls(join(stateDirectory, PORT_REUSE_FILE), () => {});
  const keeper = createKernelKeeper({
    service,
    read() {
      const read = sysctlReader();
      const item = sysctls.want(PARAMETER, read, () => FOR_ALL);
      const value = read(PARAMETER);
      return {
        wanted: item === undefined ? [] : [item],
        found: { ...NOTHING_FOUND, sysctls: new Map(value === undefined ? [] : [[PARAMETER, value]]) },
      };
    },
    async apply(differences) {
      const refused = new Map<string, unknown>();
      applySysctls(
        differences.map(({ item }) => item as SysctlItem),
        refused,
        (items) => sysctls.note(items),
      );
      return refused;
    },
    events,
    log,
    monotonicMs: () => performance.now(),
    now: Date.now,
  });
  await keeper.look(new Map());
  const inTurn = createInTurn();
  const look = () =>
    inTurn(() => keeper.look(new Map())).catch((err: unknown) => {
      log.warn({ err, service }, 'the kernel parameter for the reuse of ports cannot be read back');
    });
  const timer = setInterval(() => void look(), LOOK_INTERVAL_MS).unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await inTurn(() => sysctls.restore());
    },
  };
}
