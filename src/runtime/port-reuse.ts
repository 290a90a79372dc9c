/**
 * Lets connections to servers have the ports of ended ones. Who ends a connection first keeps its port for a minute (TIME-WAIT,
 * RFC 9293 section 3.6.1). Towards a server that is this machine whenever the client was first, so one client that opens and ends a few
 * hundred connections a second would take every local port there is towards that server, and nobody else would reach it. With
 * timestamps (RFC 7323) a new connection can be told from the old one's late segments after a second (RFC 6191): the kernel does so when
 * it is allowed to.
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
/** For all addresses; the kernel's default, 2, is for loopback alone. */
const FOR_ALL = '1';
export const PORT_REUSE_FILE = 'ports-sysctl.json';
/** The kernel tells nobody of this parameter. */
const LOOK_INTERVAL_MS = 60_000;

/** Tells as the service of this name. Until it is disposed, which gives back what others want the parameter to be. Where it cannot be set, that is told and nothing else. */
export async function keepPortReuse(
  service: string,
  { stateDirectory, events, log }: Pick<ServiceContext, 'stateDirectory' | 'events' | 'log'>,
): Promise<AsyncDisposable> {
  // Without the file, the parameter does not come back after a crash: it harms nobody.
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
