/** The program that owns a socket, as far as this process may know. */
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Text, asIs, say } from '../texts/text.ts';
import { runCommand } from './command.ts';
import { type ListeningSocket, isInTheWay, listeningSockets } from './proc-net.ts';

const CGROUPS = '/sys/fs/cgroup';
/** Slice, service, and a level for templates. */
const CGROUP_DEPTH = 4;

/** Inodes of this process's own sockets. */
export const ownSocketInodes = (): Set<number> => new Set(socketInodesOf('self'));

/**
 * The owner in words: "nginx (process 812)"; "nginx.service" if other users' processes are hidden from us, as on the appliance;
 * at least the user.
 */
export async function socketOwner(socket: {
  readonly inode: number;
  readonly userId: number;
}): Promise<Text> {
  return (
    findProcess(socket.inode) ??
    (await findUnit(socket.inode)) ??
    say('a program of user {user}', { user: userName(socket.userId) })
  );
}

/** The program that keeps an address and port from being bound, in words; undefined when none is visible. */
export async function findPortOwner(
  wanted: Pick<ListeningSocket, 'protocol' | 'address' | 'port'>,
): Promise<Text | undefined> {
  const own = ownSocketInodes();
  const obstacle = listeningSockets().find((socket) => isInTheWay(socket, wanted) && !own.has(socket.inode));
  return obstacle === undefined ? undefined : socketOwner(obstacle);
}

function findProcess(inode: number): Text | undefined {
  for (const entry of readdirSync('/proc')) {
    if (/^[0-9]+$/.test(entry) && socketInodesOf(entry).includes(inode)) {
      const program = readFileSync(`/proc/${entry}/comm`, 'utf8').trim();
      return say('{program} (process {number})', { program, number: entry });
    }
  }
  return undefined;
}

/** Empty for processes that have ended or that we may not inspect. */
function socketInodesOf(process: string): number[] {
  const directory = `/proc/${process}/fd`;
  try {
    return readdirSync(directory).flatMap((fd) => {
      const match = /^socket:\[([0-9]+)\]$/.exec(linkOf(`${directory}/${fd}`));
      return match === null ? [] : [Number(match[1])];
    });
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}

/** The systemd unit, by the number of the socket's control group, which every process may read. */
async function findUnit(inode: number): Promise<Text | undefined> {
  const output = await runCommand('ss', ['-H', '-l', '-n', '-t', '-u', '-e', '--cgroup']).catch(() => '');
  const line = output.split('\n').find((each) => each.includes(` ino:${inode} `));
  const cgroup = /cgroup:(\S+)/.exec(line ?? '')?.[1];
  if (cgroup === undefined) return undefined;
  const id = /^unreachable:([0-9a-f]+)$/.exec(cgroup)?.[1];
  const path = id === undefined ? cgroup : findCgroup(CGROUPS, Number.parseInt(id, 16), CGROUP_DEPTH);
  const unit = path?.split('/').findLast((part) => /\.(service|scope|socket)$/.test(part));
  return unit === undefined ? undefined : asIs(unit);
}

/** The directory whose inode is the number of the control group. */
function findCgroup(directory: string, id: number, depth: number): string | undefined {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const path = join(directory, entry.name);
      if (statSync(path).ino === id) return path;
      const below = depth > 0 ? findCgroup(path, id, depth - 1) : undefined;
      if (below !== undefined) return below;
    }
  } catch {
    // It has disappeared meanwhile.
  }
  return undefined;
}

function userName(userId: number): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((each) => each.split(':')[2] === String(userId));
    return line?.split(':')[0] ?? String(userId);
  } catch {
    return String(userId);
  }
}
