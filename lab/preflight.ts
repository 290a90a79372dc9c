/** Checks the requirements of the machine before anything is built. Errors say how to fix the problem. */
import { accessSync, constants, existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { PATH } from './host.ts';

let namespacesWork = false;

/** Throws unless this process may create network namespaces. */
export function requireNamespaces(): void {
  if (namespacesWork) return;
  requireRoot('make network namespaces');
  const probe = spawnSync('unshare', ['--net', '--mount', 'true'], {
    env: { ...process.env, PATH },
    encoding: 'utf8',
  });
  if (probe.status !== 0) {
    throw new Error(
      `this machine does not let root make network namespaces (unshare --net: ${probe.stderr.trim()}). ` +
        'In a container, run it with --privileged; on a kernel of your own, enable CONFIG_NET_NS.',
    );
  }
  namespacesWork = true;
}

/** Throws unless TUN devices can be created. */
export function requireTun(): void {
  if (!existsSync('/dev/net/tun')) {
    throw new Error(
      '/dev/net/tun is missing, which NAT64 needs. Run "modprobe tun"; ' +
        'in a container, pass it with --device /dev/net/tun.',
    );
  }
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw new Error('/dev/net/tun may not be opened. Run this as root.', { cause });
  }
}

/** Throws unless this process runs as root. */
export function requireRoot(purpose: string): void {
  if (process.getuid?.() !== 0) throw new Error(`this must run as root to ${purpose}. Run it with sudo.`);
}
