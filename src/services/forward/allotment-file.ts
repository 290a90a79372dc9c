/** The allotted SSH ports in the state directory. */
import type { Storage } from '../../runtime/storage.ts';
import { notAsWritten } from '../../texts/text.ts';
import type { Allotment, Allotments } from './allot-ports.ts';

export const FILE_NAME = 'ssh-ports.json';
const VERSION = 1;

/**
 * The stored allotments; empty on a new appliance. If the file cannot be parsed or read, allotting starts again from nothing,
 * and the storage reports the problem. Never rejects.
 */
export async function loadAllotments(storage: Storage): Promise<Allotments> {
  const found = await storage.file(FILE_NAME).read(parseAllotments);
  return found.verdict === 'good' ? found.value : {};
}

/** Resolves after the attempt to write. The ports are used even if they cannot be stored, which the storage reports. Never rejects. */
export async function saveAllotments(storage: Storage, ports: Allotments): Promise<void> {
  const text = JSON.stringify({ version: VERSION, ports }, undefined, 2);
  await storage.file(FILE_NAME).write(`${text}\n`);
}

/** Throws with the problem: an unknown version, an invalid port, or one port for two servers. */
export function parseAllotments(content: Buffer): Allotments {
  const { version, ports } = (JSON.parse(content.toString('utf8')) ?? {}) as {
    version?: unknown;
    ports?: unknown;
  };
  if (version !== VERSION) notAsWritten('version');
  if (typeof ports !== 'object' || ports === null || Array.isArray(ports)) notAsWritten('ports');
  const seen = new Set<number>();
  for (const [name, allotment] of Object.entries(ports as Record<string, Partial<Allotment> | null>)) {
    const { port, releasedAtMs } = allotment ?? {};
    const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535;
    if (!isPort || seen.has(port)) return notAsWritten(name);
    if (releasedAtMs !== undefined && typeof releasedAtMs !== 'number') notAsWritten(name);
    seen.add(port);
  }
  return ports as Allotments;
}
