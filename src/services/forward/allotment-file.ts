/** The allotted SSH ports in the state directory. */
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../../os/atomic-write.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Allotment, Allotments } from './allot-ports.ts';

const FILE_NAME = 'ssh-ports.json';
const VERSION = 1;

/**
 * What was allotted; empty on a new appliance. A file that cannot be understood is kept aside as
 * "ssh-ports.json.corrupt", with an error in the log, and allotting starts afresh. Throws when it cannot be read.
 */
export function loadAllotments(stateDirectory: string, log: Logger): Allotments {
  const path = join(stateDirectory, FILE_NAME);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Error(`read ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    return parseAllotments(text);
  } catch (error) {
    const aside = `${path}.corrupt`;
    renameSync(path, aside);
    log.error(
      { err: error, aside },
      `${path} is corrupt: SSH ports are allotted afresh, the file was kept aside`,
    );
    return {};
  }
}

/** Rejects when the file cannot be written; the old one is then still there. */
export async function saveAllotments(stateDirectory: string, ports: Allotments): Promise<void> {
  const text = JSON.stringify({ version: VERSION, ports }, undefined, 2);
  await writeFileAtomically(join(stateDirectory, FILE_NAME), `${text}\n`, 0o600);
}

function parseAllotments(text: string): Allotments {
  const { version, ports } = (JSON.parse(text) ?? {}) as { version?: unknown; ports?: unknown };
  if (version !== VERSION) throw new Error(`version ${JSON.stringify(version)}, expected ${VERSION}`);
  if (typeof ports !== 'object' || ports === null) throw new Error('"ports" is no object');
  const seen = new Set<number>();
  for (const [name, allotment] of Object.entries(ports as Record<string, Partial<Allotment> | null>)) {
    const port = allotment?.port;
    const releasedAtMs = allotment?.releasedAtMs;
    if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535 || seen.has(port)) {
      throw new Error(`port of "${name}": ${JSON.stringify(port)}, expected a port number that no other has`);
    }
    if (releasedAtMs !== undefined && typeof releasedAtMs !== 'number') {
      throw new Error(`releasedAtMs of "${name}": ${JSON.stringify(releasedAtMs)}, expected a number`);
    }
    seen.add(port);
  }
  return ports as Allotments;
}
