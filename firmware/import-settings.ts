/**
 * Imports the settings that the user left on the CONFIG partition: rpi-preseed.toml of Raspberry Pi Imager (host name, SSH
 * keys) and tombolo.json (the configuration). Each file is imported once: at the next start, an unchanged file has no effect,
 * and an edited one is imported again. tombolo-import.service runs this as the service's user, because anybody can write these
 * files. prepare-state has made the copies. For the steps that need root, set-hostname and install-ssh-keys read the results
 * from the state directory.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../src/config/load.ts';
import { formatProblem } from '../src/config/problem.ts';
import { writeFileAtomically } from '../src/os/atomic-write.ts';
import { formatAuthorizedKeys } from '../src/wire/ssh-public-key.ts';
import { parsePreseed } from './preseed.ts';

/** The paths; tests use others. */
export interface Places {
  /** The copies of the files. */
  readonly files: string;
  /** The state directory. */
  readonly state: string;
}

/** Imports new files; resolves with the problems, one per line. A problem of one file does not stop the other. */
export async function importSettings(places: Places): Promise<string[]> {
  const problems: string[] = [];
  const configPath = join(places.state, 'config.json');
  await takeOnce(places, 'rpi-preseed.toml', problems, async (path) => {
    const preseed = parsePreseed(readFileSync(path, 'utf8'));
    problems.push(...preseed.problems.map((problem) => `rpi-preseed.toml: ${problem}`));
    if (preseed.authorizedKeys !== undefined) {
      // The page shows and changes this list too; install-ssh-keys passes it to sshd.
      await write(join(places.state, 'authorized_keys'), formatAuthorizedKeys(preseed.authorizedKeys));
    }
    if (preseed.hostname !== undefined) {
      await write(join(places.state, 'hostname'), `${preseed.hostname}\n`);
      await admitHostname(configPath, preseed.hostname);
    }
    return true;
  });
  await takeOnce(places, 'tombolo.json', problems, async (path) => {
    const text = readFileSync(path, 'utf8');
    const loaded = loadConfig(text);
    if ('problems' in loaded) {
      problems.push(...loaded.problems.map((problem) => formatProblem(problem, 'tombolo.json')));
      return false;
    }
    await write(configPath, text);
    return true;
  });
  return problems;
}

const write = (path: string, text: string): Promise<void> => writeFileAtomically(path, text, 0o600);

/** Calls `take` if the file exists and differs from the last one that was imported. A refused file is tried again. */
async function takeOnce(
  { files, state }: Places,
  name: string,
  problems: string[],
  take: (path: string) => Promise<boolean>,
): Promise<void> {
  try {
    const path = join(files, name);
    if (!existsSync(path)) return;
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
    const mark = join(state, `imported-${name}.sha256`);
    if (existsSync(mark) && readFileSync(mark, 'utf8').trim() === digest) return;
    if (await take(path)) await write(mark, `${digest}\n`);
  } catch (error) {
    problems.push(`${name} on the CONFIG partition could not be taken over: ${(error as Error).message}`);
  }
}

/**
 * Adds a name to admin.hostnames, so that the page answers under it, also with the numbers that avahi appends when other
 * devices have the name. A missing or refused configuration stays as it is: the service decides what runs then.
 */
async function admitHostname(path: string, hostname: string): Promise<void> {
  if (!existsSync(path)) return;
  const loaded = loadConfig(readFileSync(path, 'utf8'));
  if ('problems' in loaded) return;
  const config = loaded.document as { admin?: { hostnames?: string[] } };
  const names = ['', '-2', '-3', '-4', '-5'].map((suffix) => `${hostname}${suffix}.local`);
  const hostnames = config.admin?.hostnames ?? ['tombolo.local'];
  const missing = names.filter((name) => !hostnames.includes(name));
  if (missing.length === 0) return;
  const admin = { ...config.admin, hostnames: [...missing, ...hostnames] };
  await write(path, `${JSON.stringify({ ...config, admin }, undefined, 2)}\n`);
}

if (import.meta.main) {
  const problems = await importSettings({ files: '/run/tombolo/import', state: '/var/lib/tombolo' });
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    writeFileSync(join(process.env['RUNTIME_DIRECTORY'] ?? '.', 'problems'), `${problems.join('\n')}\n`);
  }
}
