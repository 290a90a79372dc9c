/** `console.json` in the runtime directory: what the screen at the appliance shows. Written when it has changed. */
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

/** Trouble is on the screen this soon. */
const REFRESH_MS = 2000;

export interface ConsoleWriter extends Disposable {
  /** Writes the file if anything has changed. Never rejects. */
  refresh(): Promise<void>;
}

/**
 * Writes it from the first `refresh` on, every two seconds if it has changed: addresses come and go, and so do problems. Without content,
 * nothing is written.
 */
export function keepConsoleFile(
  directory: string,
  content: () => ConsoleFile | undefined,
  log: Logger,
): ConsoleWriter {
  const path = join(directory, 'console.json');
  let written: string | undefined;
  let told = '';
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
        told = '';
      } catch (err) {
        // Tried again every two seconds, and told once.
        const reason = codeOf(err);
        if (reason !== told) log.warn({ err }, 'admin: could not write what the screen shows');
        told = reason;
      }
    });
  };
  return { refresh, [Symbol.dispose]: () => clearInterval(timer) };
}

const codeOf = (error: unknown): string =>
  ((error as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? String(error);

/** The part of the file that every part of the process has its place in. */
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
 * Where a browser finds the page: by name first, then at each address that others can reach. `listening` are addresses
 * as the configuration has them.
 */
export function pageUrls(
  listening: readonly string[],
  port: number,
  hostnames: readonly string[],
  isEncrypted: boolean,
  ownDevices: ReadonlySet<string>,
): string[] {
  const own = Object.entries(interfaceAddresses())
    // Devices that services make have addresses that lead nowhere from outside.
    .filter(([name]) => !ownDevices.has(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address));
  const reachable = own
    .filter(({ address, family }) => listening.some((each) => covers(each, address, family)))
    .map(({ address }) => address);
  if (reachable.length === 0) return [];
  const scheme = isEncrypted ? 'https' : 'http';
  // The name that multicast DNS answers to, if it is one of ours.
  const name = hostnames.find((each) => each === `${hostname()}.local`) ?? hostnames[0];
  const hosts = [...(name === undefined ? [] : [name]), ...new Set(reachable)];
  return hosts.map((host) => `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/`);
}

const covers = (listening: string, address: string, family: string): boolean =>
  listening === address || listening === (family === 'IPv6' ? '::' : '0.0.0.0');
