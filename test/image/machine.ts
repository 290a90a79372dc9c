/** The image in QEMU, with its network port in one of our namespaces. */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Child, Host, Output } from '../../lab/host.ts';
import { waitUntil } from '../../lab/wait.ts';

/** The emulated machines; image/debian-test/kernel.sh has the kernels. */
export type Model = 'virt' | 'raspi3b';

export const TAP = 'tap0';
/** The MAC that determines the DHCP and EUI-64 addresses. QEMU's usb-net always gives the guest one that starts with 40. */
const MAC = '40:00:5e:10:00:01';
const CONFIG_PARTITION_OFFSET = '4M';
const BOOT_A_OFFSET = '32M';
/** QEMU's SD card needs a size that is a power of two. */
const CARD_BYTES = 4 * 2 ** 30;

/** The EUI-64 of the MAC in a prefix that the router advertises: "2001:db8:1::". */
export const applianceIn = (prefix: string): string => `${prefix.replace(/::$/, ':0:')}4200:5eff:fe10:1`;

export const APPLIANCE = {
  mac: MAC,
  ipv4: '192.0.2.20',
  ipv6: applianceIn('2001:db8:1::'),
} as const;

/** Where `build-image.sh --debian-test` writes its files. */
export const IMAGES = process.env['TOMBOLO_IMAGE'] ?? new URL('../../build/image', import.meta.url).pathname;

/** A file of the image for `model`: img, vmlinuz, initrd, dtb, packages.tsv. */
export const imageFile = (model: Model, extension: string): string =>
  join(IMAGES, `tombolo-debian-${model}.${extension}`);

export interface Machine {
  readonly disk: string;
  readonly serialLog: string;
  /** A new card, larger than the image; the data of the old one is lost. */
  flash(): void;
  /** Files on the CONFIG partition, by name, put there by another computer while the power is off. */
  putFiles(files: Readonly<Record<string, string>>): void;
  /** The names of the files on the CONFIG partition. */
  configFiles(): string[];
  /** Power on. `isBesideNewCard`: with a newly flashed card in another slot, which the machine finds first. */
  boot(isBesideNewCard?: boolean): Child;
  /** The command line of slot A, as it is on the card. */
  commandLine(): string;
  /** Resolves when the commands of `shell` share one SSH connection: under emulation, opening each one takes seconds. */
  connect(): Promise<void>;
  /** A shell command as root, over SSH with the key of the preseed. */
  shell(command: string, timeoutMs?: number): Promise<Output>;
  serial(): string;
}

const PROCESSORS: Readonly<Record<Model, () => string[]>> = {
  virt: () => [
    ...['-M', 'virt', '-cpu', 'cortex-a72', '-smp', '2', '-m', '1024'],
    ...['-device', 'virtio-blk-pci,drive=card,addr=0x8', '-device', 'virtio-rng-pci'],
    ...['-device', `virtio-net-pci,netdev=wire,mac=${MAC},romfile=`],
  ],
  // Its 1 GiB, four processors and SD slot are part of the machine; the network port is on USB, as on the real one.
  raspi3b: () => [
    ...['-M', 'raspi3b', '-dtb', imageFile('raspi3b', 'dtb')],
    ...['-device', `usb-net,netdev=wire,mac=${MAC}`],
  ],
};
/**
 * TOMBOLO_STEADY=1, for a busy machine: the guest's clock counts instructions (2 ns each) instead of seconds, so that an
 * appliance that gets little processor time does not run into its own timeouts.
 */
export const IS_STEADY = process.env['TOMBOLO_STEADY'] === '1';
const CLOCK = IS_STEADY ? ['-icount', 'shift=1'] : [];
const DISKS: Readonly<Record<Model, string>> = { virt: 'if=none,id=card', raspi3b: 'if=sd' };
/** The raspi3b's first serial port is connected to its Bluetooth chip. */
const SERIAL: Readonly<Record<Model, readonly string[]>> = {
  virt: ['-serial'],
  raspi3b: ['-serial', 'null', '-serial'],
};
const PARAMETERS: Readonly<Record<Model, string>> = {
  virt: 'console=ttyAMA0',
  // QEMU has no VideoCore: Debian's driver for it fails, and sometimes crashes the kernel. cdc_subset takes QEMU's usb-net before
  // cdc_ether does, and invents a MAC. QEMU treats the start of the watchdog as a reset.
  raspi3b: 'console=ttyS1,115200 module_blacklist=vchiq,cdc_subset,bcm2835_wdt',
};

/** A machine with a new card in it, not yet powered on. */
export function createMachine(
  model: Model,
  host: Host,
  { directory, sshKey }: { readonly directory: string; readonly sshKey: string },
): Machine {
  const image = imageFile(model, 'img');
  if (!existsSync(image)) {
    throw new Error(`${image} is not there: as root, ./build-image.sh --debian-test ${model}`);
  }
  const disk = join(directory, 'card.img');
  const serialLog = join(directory, 'serial.log');
  const mtools = (command: string, args: readonly string[], offset = CONFIG_PARTITION_OFFSET) =>
    execFileSync(command, ['-i', `${disk}@@${offset}`, ...args], { encoding: 'utf8' });
  const commandLine = () => mtools('mtype', ['::/cmdline.txt'], BOOT_A_OFFSET).trim();
  const socket = join(directory, 'ssh');
  const ssh = [
    ...['-i', sshKey, '-S', socket, '-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
    ...['-o', 'LogLevel=ERROR', '-o', 'ConnectTimeout=60', '-o', 'BatchMode=yes', `root@${APPLIANCE.ipv4}`],
  ];
  let connection: Child | undefined;
  const machine: Machine = {
    disk,
    serialLog,
    flash() {
      rmSync(disk, { force: true });
      execFileSync('cp', ['--sparse=always', image, disk]);
      truncateSync(disk, CARD_BYTES);
    },
    putFiles(files) {
      for (const [name, content] of Object.entries(files)) {
        const path = join(directory, 'config-partition', name);
        mkdirSync(join(directory, 'config-partition'), { recursive: true });
        writeFileSync(path, content);
        mtools('mcopy', ['-o', path, `::/${name}`]);
      }
    },
    configFiles: () =>
      mtools('mdir', ['-b', '::/'])
        .split('\n')
        .map((line) => line.replace('::/', ''))
        .filter((line) => line !== ''),
    commandLine,
    boot(isBesideNewCard = false) {
      const newCard = join(directory, 'new-card.img');
      if (isBesideNewCard) execFileSync('cp', ['--sparse=always', image, newCard]);
      if (existsSync(serialLog)) copyFileSync(serialLog, `${serialLog}.previous`);
      // The old connection is not notified of the power cut.
      void connection?.stop('SIGKILL');
      rmSync(socket, { force: true });
      return host.spawn('qemu-system-aarch64', [
        ...[...PROCESSORS[model](), ...CLOCK],
        ...['-no-reboot', '-display', 'none', '-monitor', 'none', ...SERIAL[model], `file:${serialLog}`],
        ...['-kernel', imageFile(model, 'vmlinuz'), '-initrd', imageFile(model, 'initrd')],
        '-append',
        `${commandLine()} ${PARAMETERS[model]} loglevel=4 systemd.show_status=0`,
        ...(isBesideNewCard
          ? [
              ...['-drive', `if=none,id=new,file=${newCard},format=raw,cache=unsafe`],
              ...['-device', 'virtio-blk-pci,drive=new,addr=0x4'],
            ]
          : []),
        // After a power cut, the card must contain everything that was confirmed to the guest.
        ...['-drive', `${DISKS[model]},file=${disk},format=raw,cache=writeback`],
        ...['-netdev', `tap,id=wire,ifname=${TAP},script=no,downscript=no`],
      ]);
    },
    async connect() {
      connection = host.spawn('ssh', ['-M', '-N', ...ssh]);
      await waitUntil('an SSH connection', () => existsSync(socket), { timeoutMs: 180_000 });
    },
    shell: (command, timeoutMs = 180_000) => host.attempt('ssh', [...ssh, command], { timeoutMs }),
    serial: () => (existsSync(serialLog) ? readFileSync(serialLog, 'utf8') : ''),
  };
  machine.flash();
  return machine;
}
