/**
 * The Debian packages (12 and 13) that the lab, the tests and the benchmarks use, and their installation:
 *
 *   node lab/packages.ts [PURPOSE]
 *
 * The daemons in them are neither started nor enabled: the lab runs its own, in network namespaces.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PATH } from './host.ts';

/** Package -> a command or path that shows that it is installed. */
type Packages = Readonly<Record<string, string>>;

/** Debian's name of this processor. */
export const MACHINE = process.arch === 'x64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu';

const LAB: Packages = {
  'bind9-dnsutils': 'dig',
  curl: 'curl',
  'dovecot-imapd': '/usr/lib/dovecot/imap',
  iproute2: 'ip',
  'iputils-ping': 'ping',
  libbpf1: `/usr/lib/${MACHINE}/libbpf.so.1`,
  nftables: 'nft',
  nginx: 'nginx',
  'openssh-client': 'ssh',
  'openssh-server': 'sshd',
  openssl: 'openssl',
  postfix: 'postfix',
};

/** By purpose. */
export const PACKAGES = {
  lab: LAB,
  test: {
    age: 'age',
    ...LAB,
    'apache2-bin': 'apache2',
    'apache2-utils': 'ab',
    dosfstools: 'mkfs.vfat',
    e2fsprogs: 'mke2fs',
    ethtool: 'ethtool',
    haproxy: 'haproxy',
    'iputils-tracepath': 'tracepath',
    'libnginx-mod-stream': '/usr/lib/nginx/modules/ngx_stream_module.so',
    python3: '/usr/bin/python3',
    'python3-urllib3': '/usr/lib/python3/dist-packages/urllib3/__init__.py',
    shellcheck: 'shellcheck',
    shfmt: 'shfmt',
    socat: 'socat',
    systemd: 'systemd-analyze',
    traceroute: 'traceroute',
    unbound: 'unbound',
    wget: 'wget',
    wrk: 'wrk',
  },
  browser: {
    ...LAB,
    socat: 'socat',
    chromium: 'chromium',
    // Chromium has no fonts of its own.
    'fonts-dejavu-core': '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  },
  bench: {
    ...LAB,
    dnsperf: 'dnsperf',
    haproxy: 'haproxy',
    iperf3: 'iperf3',
    'libnginx-mod-stream': '/usr/lib/nginx/modules/ngx_stream_module.so',
    tayga: 'tayga',
    unbound: 'unbound',
  },
  /** Needed to compile the kernel's part of NAT64 (tools/build-bpf.ts). */
  bpf: {
    clang: 'clang',
    'libbpf-dev': '/usr/include/bpf/bpf_helpers.h',
    'linux-libc-dev': `/usr/include/${MACHINE}/asm/types.h`,
    llvm: 'llvm-strip',
  },
  image: {
    ...LAB,
    'arch-test': 'arch-test',
    cpio: 'cpio',
    'dnsmasq-base': 'dnsmasq',
    dosfstools: 'mkfs.vfat',
    e2fsprogs: 'mke2fs',
    fdisk: 'sfdisk',
    git: 'git',
    kmod: 'depmod',
    mmdebstrap: 'mmdebstrap',
    mtools: 'mcopy',
    nmap: 'nmap',
    'qemu-system-arm': 'qemu-system-aarch64',
    'qemu-user-static': 'qemu-aarch64-static',
    socat: 'socat',
    'xz-utils': 'xz',
  },
} as const satisfies Record<string, Packages>;

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const ENVIRONMENT = { ...process.env, PATH, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };

/** As root, installs missing packages; otherwise rejects with the command that does. `log` receives the progress. */
export function ensurePackages(packages: Packages, log: (line: string) => void): void {
  const missing = Object.keys(packages).filter((name) => !isThere(packages[name]));
  if (missing.length === 0) return;
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  if (process.getuid?.() !== 0) {
    throw new Error(`Debian packages are missing. As root: apt-get update && apt-get ${install.join(' ')}`);
  }
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Error(`this is no Debian: no apt-get. What ${missing.join(', ')} contain must be installed.`);
  }
  log(`installing Debian packages: ${missing.join(' ')}`);
  const before = new Set(installed());
  // Debian starts a daemon as soon as it is installed, unless this script forbids it (invoke-rc.d(8)).
  const ownPolicy = !existsSync(POLICY_FILE);
  if (ownPolicy) writeFileSync(POLICY_FILE, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    apt(['update']);
    // Postfix asks for its configuration type; an earlier answer is kept.
    if (missing.includes('postfix')) preseed('postfix postfix/main_mailer_type select No configuration');
    apt(install);
    disableUnits(installed().filter((name) => !before.has(name)));
  } finally {
    if (ownPolicy) rmSync(POLICY_FILE, { force: true });
  }
  const still = missing.filter((name) => !isThere(packages[name]));
  if (still.length > 0)
    throw new Error(`installed, but not found: ${still.map((n) => packages[n]).join(', ')}`);
}

/** Whether all of them are there. */
export const hasPackages = (packages: Packages): boolean => Object.values(packages).every(isThere);

function isThere(file: string): boolean {
  const candidates = file.startsWith('/') ? [file] : PATH.split(':').map((folder) => join(folder, file));
  return candidates.some((path) => {
    try {
      accessSync(path, constants.R_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function apt(args: readonly string[]): void {
  const result = spawnSync('apt-get', ['--quiet=2', '--option=Dpkg::Use-Pty=0', ...args], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (result.status === 0) return;
  const reason = result.stderr.trim().split('\n').slice(-10).join('\n');
  throw new Error(`apt-get ${args.join(' ')} failed:\n${reason}`, { cause: result.error });
}

function preseed(selection: string): void {
  spawnSync('debconf-set-selections', { env: ENVIRONMENT, input: `${selection}\n` });
}

function installed(): string[] {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders.
  const format = '${db:Status-Abbrev}${Package}\\n';
  const query = spawnSync('dpkg-query', ['--show', '--showformat', format], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return query.stdout.split('\n').flatMap((line) => (line.startsWith('ii ') ? [line.slice(3)] : []));
}

/** Keeps the daemons of new packages from starting at the next boot. */
function disableUnits(packages: readonly string[]): void {
  if (packages.length === 0 || !isThere('systemctl')) return;
  const list = spawnSync('dpkg-query', ['--listfiles', ...packages], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const units =
    list.stdout.match(/(?<=^(?:\/usr)?\/lib\/systemd\/system\/)[^/@\n]+\.(?:service|socket|timer)$/gm) ?? [];
  if (units.length > 0) spawnSync('systemctl', ['disable', '--quiet', ...units], { env: ENVIRONMENT });
}

if (import.meta.main) {
  const purpose = process.argv[2] ?? 'lab';
  if (!Object.hasOwn(PACKAGES, purpose)) {
    throw new Error(`"${purpose}": expected ${Object.keys(PACKAGES).join(', ')}`);
  }
  ensurePackages(PACKAGES[purpose as keyof typeof PACKAGES], console.log);
}
