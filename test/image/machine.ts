/** The image in QEMU, with its network port in a namespace of ours. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child, Host, Output } from '../../lab/host.ts';

export const TAP = 'tap0';
/** The MAC that DHCP and the EUI-64 address follow from. */
const MAC = '02:00:5e:10:00:01';
const CONFIG_PARTITION_OFFSET = '4M';
const DISK_BYTES = 3 * 2 ** 30;

export interface ImageFiles {
  readonly image: string;
  readonly kernel: string;
  readonly initrd: string;
}

/** What `build-image.sh --debian-test --out DIR` leaves. */
export const imageFiles = (directory: string): ImageFiles => ({
  image: join(directory, 'tombolo-debian-test.img'),
  kernel: join(directory, 'tombolo-debian-test.vmlinuz'),
  initrd: join(directory, 'tombolo-debian-test.initrd'),
});

export interface Machine {
  readonly disk: string;
  readonly serialLog: string;
  /** Power on. */
  boot(): Child;
  /** A shell command as root, over SSH with the key of the preseed. */
  shell(command: string, timeoutMs?: number): Promise<Output>;
  serial(): string;
}

/** A card, flashed: larger than the image, with these files on its CONFIG partition. Not yet powered on. */
export function flashCard(
  files: ImageFiles,
  host: Host,
  options: {
    directory: string;
    /** By name. */
    configFiles: Readonly<Record<string, string>>;
    sshKey: string;
    address: string;
  },
): Machine {
  const disk = join(options.directory, 'card.img');
  const serialLog = join(options.directory, 'serial.log');
  rmSync(disk, { force: true });
  execFileSync('cp', ['--sparse=always', files.image, disk]);
  truncateSync(disk, DISK_BYTES);
  for (const [name, content] of Object.entries(options.configFiles)) {
    const path = join(options.directory, name);
    writeFileSync(path, content);
    execFileSync('mcopy', ['-o', '-i', `${disk}@@${CONFIG_PARTITION_OFFSET}`, path, `::/${name}`]);
  }
  return {
    disk,
    serialLog,
    boot() {
      if (existsSync(serialLog)) copyFileSync(serialLog, `${serialLog}.previous`);
      return host.spawn('qemu-system-aarch64', [
        ...['-M', 'virt', '-cpu', 'cortex-a72', '-smp', '2', '-m', '1024', '-no-reboot'],
        ...['-kernel', files.kernel, '-initrd', files.initrd],
        ...['-append', 'root=PARTUUID=746f6d62-05 ro console=ttyAMA0 loglevel=4 systemd.show_status=0'],
        // A power cut must find on the disk what the guest was told is there.
        ...['-drive', `if=none,file=${disk},format=raw,id=card,cache=writeback`],
        ...['-device', 'virtio-blk-pci,drive=card'],
        ...['-netdev', `tap,id=wire,ifname=${TAP},script=no,downscript=no`],
        ...['-device', `virtio-net-pci,netdev=wire,mac=${MAC}`, '-device', 'virtio-rng-pci'],
        ...['-display', 'none', '-monitor', 'none', '-serial', `file:${serialLog}`],
      ]);
    },
    shell: (command, timeoutMs = 60_000) =>
      host.attempt(
        'ssh',
        [
          ...['-i', options.sshKey, '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
          ...['-o', 'LogLevel=ERROR', '-o', 'ConnectTimeout=20', '-o', 'BatchMode=yes'],
          `root@${options.address}`,
          command,
        ],
        { timeoutMs },
      ),
    serial: () => (existsSync(serialLog) ? readFileSync(serialLog, 'utf8') : ''),
  };
}

export const APPLIANCE = {
  mac: MAC,
  ipv4: '192.0.2.20',
  /** EUI-64 of the MAC in the prefix that the router advertises. */
  ipv6: '2001:db8:1::5eff:fe10:1',
} as const;
