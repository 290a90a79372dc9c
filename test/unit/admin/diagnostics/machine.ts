/** A machine without problems. Tests replace parts of it; it does not touch the real machine. */
import type { Machine } from '../../../../src/os/machine.ts';
import type { CheckDeps } from '../../../../src/admin/diagnostics/check.ts';
import { fillDefaults } from '../../../../src/config/load.ts';
import type { Config } from '../../../../src/config/schema.ts';
import type { ListeningSocket } from '../../../../src/os/proc-net.ts';
import { asIs } from '../../../../src/texts/text.ts';
import { parseIpAddress, parseIpv4 } from '../../../../src/wire/ip-address.ts';

export const NOW = new Date('2026-06-01T12:00:00Z');

export const FILES: Readonly<Record<string, string>> = {
  '/etc/resolv.conf': 'nameserver 192.0.2.53\nnameserver 2001:db8:1::53\n',
  '/etc/hosts': '127.0.0.1 localhost\n2001:db8:1::20 web2.example.org web2 # the second\n',
  '/sys/class/thermal/thermal_zone0/temp': '48312',
  '/sys/devices/platform/soc/soc:firmware/get_throttled': '0',
  '/sys/fs/ext4/mmcblk0p4/errors_count': '0',
};

export const socketOf = (
  address: string,
  port: number,
  inode: number,
  protocol: 'tcp' | 'udp' = 'tcp',
): ListeningSocket => ({
  protocol,
  address: parseIpAddress(address) ?? new Uint8Array(16),
  isIpv6: address.includes(':'),
  port,
  userId: 0,
  inode,
});

/** `files`: the only files that can be read. */
export function fakeMachine(
  changes: Partial<Machine> = {},
  files: Readonly<Record<string, string>> = FILES,
): Machine {
  return {
    hostname: () => 'tombolo',
    read: async (path) => files[path],
    list: async (path) => [
      ...new Set(
        Object.keys(files).flatMap((file) =>
          file.startsWith(`${path}/`) ? file.slice(path.length + 1).split('/')[0] : [],
        ),
      ),
    ],
    interfaces: async () => [
      {
        name: 'eth0',
        index: 2,
        isUp: true,
        mac: '02:00:00:00:00:01',
        mtuBytes: 1500,
        addresses: [
          { address: '192.0.2.1', prefixBits: 24 },
          { address: 'fe80::1', prefixBits: 64 },
          { address: '2001:db8:1::1', prefixBits: 64 },
        ],
      },
    ],
    gateways: (family) => [
      family === 4
        ? { address: '192.0.2.254', interface: 'eth0', metric: 100 }
        : { address: 'fe80::fe', interface: 'eth0', metric: 100 },
    ],
    sourceIpv4: () => parseIpv4('192.0.2.1'),
    own: () => [],
    askRouter: async () => undefined,
    pathTo: () => ({ source: '2001:db8:1::1', mtuBytes: 1500 }),
    connectFrom: async () => 'accepted',
    ping: async () => [{ address: '192.0.2.254', afterMs: 0.5 }],
    sockets: () => [],
    ownSockets: () => new Set(),
    socketOwner: async () => asIs('nginx (process 812)'),
    neighbours: async () => [],
    firewall: async () => ({ nftables: '{"nftables": []}', legacy: [] }),
    clock: () => ({ isSynchronised: true, maxErrorMs: 12 }),
    disk: async () => ({
      totalBytes: 32e9,
      freeBytes: 20e9,
      totalFiles: 1e6,
      freeFiles: 9e5,
      isWritable: true,
      device: 'mmcblk0p4',
    }),
    lookUp: async () => ({ kind: 'none' }),
    ...changes,
  };
}

export const configOf = (document: object = {}): Config => fillDefaults(document as Record<string, unknown>);

/** The dependencies of one check: this machine, with this configuration. */
export const checkDeps = (machine: Machine, changes: Partial<CheckDeps> = {}): CheckDeps => ({
  machine,
  config: configOf(),
  services: [],
  countersBefore: undefined,
  sshPorts: {},
  queries: () => undefined,
  askHttps: async () => undefined,
  stateDirectory: '/var/lib/tombolo',
  now: NOW,
  publicIpv4: async () => ({ address: '192.0.2.1', kind: 'own', text: asIs('It is 192.0.2.1.') }),
  seenFromOutside: async () => new Map(),
  probe: async () => ({ state: 'unknown', checkedAt: null, probes: [] }),
  only: undefined,
  ...changes,
});
