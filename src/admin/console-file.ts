/** `console.json` in the runtime directory: the data for the screen of the appliance. Written if it has changed. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { interfaceAddresses } from '../os/interfaces.ts';
import { writeFileAtomically } from '../os/atomic-write.ts';
import type { Logger } from '../runtime/log.ts';
import type { ServiceReport } from '../runtime/report.ts';
import { overallState, problemsOf } from '../state/summary.ts';
import { english } from '../texts/text.ts';
import type { ConsoleFile } from './contract/auth.ts';
import { createInTurn } from '../os/in-turn.ts';

/** How soon a problem is on the screen. */
const REFRESH_MS = 2000;

export interface ConsoleWriter extends Disposable {
  /** Writes the file if the content has changed. Never rejects. */
  refresh(): Promise<void>;
}

/**
 * After the first `refresh`, writes the file every two seconds if it has changed, because addresses and problems come and go.
 * Without content, nothing is written.
 */
export function keepConsoleFile(
  directory: string,
  content: () => ConsoleFile | undefined,
  log: Logger,
): ConsoleWriter {
  const path = join(directory, 'console.json');
  let written: string | undefined;
  let reported = '';
  const inTurn = createInTurn();
  let timer: NodeJS.Timeout | undefined;
  const refresh = () => {
    timer ??= setInterval(() => void refresh(), REFRESH_MS).unref();
    return inTurn(async () => {
      try {
        const now = content();
        const text = `${JSON.stringify(now, undefined, 2)}\n`;
        if (now === undefined || text === written) return;
        await writeFileAtomically(path, text, 0o644);
        written = text;
        reported = '';
      } catch (err) {
        // Retried every two seconds, and reported once.
        const reason = codeOf(err);
        if (reason !== reported) log.warn({ err }, 'admin: could not write what the screen shows');
        reported = reason;
      }
    });
  };
  return { refresh, [Symbol.dispose]: () => clearInterval(timer) };
}

const codeOf = (error: unknown): string =>
  ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? String(error);

/** The part of the file that covers every part of the process. */
export const consoleState = (
  reports: readonly ServiceReport[],
): Pick<ConsoleFile, 'processId' | 'status' | 'services' | 'problem'> => ({
  processId: process.pid,
  status: overallState(reports),
  services: reports.map(({ name, status: { state, problem } }) => ({
    name,
    state,
    problem: problem === undefined ? null : english(problem),
  })),
  problem: problemsOf(reports).map(english).join(' ') || null,
});

/**
 * The URLs at which a browser finds the page: the name first, then each address that others can reach. `listening` are
 * addresses as in the configuration.
 */
export function pageUrls(
  listening: readonly string[],
  port: number,
  hostnames: readonly string[],
  isEncrypted: boolean,
  ownDevices: ReadonlySet<string>,
): string[] {
  const own = Object.entries(interfaceAddresses())
    // Devices made by services have addresses that cannot be reached from outside.
    .filter(([name]) => !ownDevices.has(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address));
  const reachable = own
    .filter(({ address, family }) => listening.some((each) => covers(each, address, family)))
    .map(({ address }) => address);
  if (reachable.length === 0) return [];
  const scheme = isEncrypted ? 'https' : 'http';
  // The name that multicast DNS answers, if it is one of ours.
  const name = hostnames.find((each) => each === `${hostname()}.local`) ?? hostnames[0];
  const hosts = [...(name === undefined ? [] : [name]), ...new Set(reachable)];
  return hosts.map((host) => `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/`);
}

const covers = (listening: string, address: string, family: string): boolean =>
  listening === address || listening === (family === 'IPv6' ? '::' : '0.0.0.0');
