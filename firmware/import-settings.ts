/**
 * Takes over what the person left on the CONFIG partition: rpi-preseed.toml of Raspberry Pi Imager (host name, SSH keys)
 * and tombolo.json (the configuration). Each is taken once: a file that is still there at the next start changes
 * nothing, an edited one is taken again. Run as root by tombolo-import.service; prepare-state has made the copies.
 */
import { createHash } from 'node:crypto';
import { chownSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfig } from '../src/config/load.ts';
import { formatProblem } from '../src/config/problem.ts';
import { writeFileAtomically } from '../src/os/atomic-write.ts';
import { formatAuthorizedKeys } from '../src/wire/ssh-public-key.ts';
import { parsePreseed } from './preseed.ts';

/** Where things are; tests have them elsewhere. */
export interface Places {
  /** Copies of the files, and the problem file's directory: /run/tombolo. */
  readonly run: string;
  /** The data partition. */
  readonly data: string;
  /** Writable kernel parameter with the host name. */
  readonly kernelHostname: string;
}

/** Takes over what is new; resolves with the problems, one a line. */
export async function importSettings(places: Places): Promise<string[]> {
  const problems: string[] = [];
  await takeOnce(places, 'rpi-preseed.toml', async (path) => {
    const preseed = parsePreseed(readFileSync(path, 'utf8'));
    problems.push(...preseed.problems.map((problem) => `rpi-preseed.toml: ${problem}`));
    if (preseed.authorizedKeys !== undefined) {
      // The list that the page shows and changes, too; install-ssh-keys gives it to sshd.
      const path = join(places.data, 'tombolo/authorized_keys');
      await replaceKeepingOwner(path, formatAuthorizedKeys(preseed.authorizedKeys));
    }
    if (preseed.hostname !== undefined) {
      await writeFileAtomically(join(places.data, 'hostname'), `${preseed.hostname}\n`, 0o644);
      writeFileSync(places.kernelHostname, preseed.hostname);
      await admitHostname(configPath(places), preseed.hostname);
    }
    return true;
  });
  await takeOnce(places, 'tombolo.json', async (path) => {
    const text = readFileSync(path, 'utf8');
    const loaded = loadConfig(text);
    if ('problems' in loaded) {
      problems.push(...loaded.problems.map((problem) => formatProblem(problem, 'tombolo.json')));
      return false;
    }
    await replaceKeepingOwner(configPath(places), text);
    return true;
  });
  return problems;
}

const configPath = ({ data }: Places): string => join(data, 'tombolo/config.json');

/** Calls `take` when the file is there and differs from the one that was taken last. What is refused is tried again. */
async function takeOnce(
  { run, data }: Places,
  name: string,
  take: (path: string) => Promise<boolean>,
): Promise<void> {
  const path = join(run, 'import', name);
  if (!existsSync(path)) return;
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  const mark = join(data, `imported-${name}.sha256`);
  if (existsSync(mark) && readFileSync(mark, 'utf8').trim() === digest) return;
  if (await take(path)) await writeFileAtomically(mark, `${digest}\n`, 0o600);
}

/**
 * Adds a name to admin.hostnames, so that the page answers under it, also with the numbers that avahi adds when others
 * have it. A file that is not as expected stays as it is.
 */
async function admitHostname(path: string, hostname: string): Promise<void> {
  const config = JSON.parse(readFileSync(path, 'utf8')) as { admin?: { hostnames?: string[] } };
  const names = ['', '-2', '-3', '-4', '-5'].map((suffix) => `${hostname}${suffix}.local`);
  const hostnames = config.admin?.hostnames ?? ['tombolo.local'];
  const missing = names.filter((name) => !hostnames.includes(name));
  if (missing.length === 0) return;
  const admin = { ...config.admin, hostnames: [...missing, ...hostnames] };
  await replaceKeepingOwner(path, `${JSON.stringify({ ...config, admin }, undefined, 2)}\n`);
}

/** A new file belongs to the owner of its directory. */
async function replaceKeepingOwner(path: string, text: string): Promise<void> {
  const { uid, gid } = statSync(existsSync(path) ? path : dirname(path));
  await writeFileAtomically(path, text, 0o600);
  chownSync(path, uid, gid);
}

if (import.meta.main) {
  const run = '/run/tombolo';
  let problems: string[];
  try {
    problems = await importSettings({ run, data: '/data', kernelHostname: '/proc/sys/kernel/hostname' });
  } catch (error) {
    problems = [`The settings on the CONFIG partition could not be taken over: ${(error as Error).message}`];
  }
  if (problems.length > 0) {
    writeFileSync(join(run, 'import-problem'), `${problems.join('\n')}\n`);
    console.error(problems.join('\n'));
  }
}
