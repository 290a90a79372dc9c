/** The appliance in QEMU with its surroundings, and the helpers that the tests use. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateAuthority } from '../../lab/certificates.ts';
import type { Child, Host, Output } from '../../lab/host.ts';
import { buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';
import { APPLIANCE, type Machine, type Model, createMachine } from './machine.ts';
import { WEB1, WEB1_SSH_PORT, startMainland } from './mainland.ts';

/** Prints the data that the first start makes and keeps: three lines, the last of which is the bootstrap token. */
export const IDENTITY = 'cat /data/machine-id /data/ssh/ssh_host_ed25519_key.pub /data/tombolo/admin-token';

/** The time limit of a start. A page that answers late is a different failure, which the test that measures reports. */
const PATIENCE_MS = 900_000;
const PAGE = `https://${APPLIANCE.ipv4}:8064`;

export interface StartTime {
  /** Milliseconds since power-on. */
  readonly ms: number;
  /** The share of a processor that programs other than QEMU used meanwhile: 1 is one processor all the time. */
  readonly othersShare: number;
}

export interface Bench extends AsyncDisposable {
  readonly peer: Host;
  readonly machine: Machine;
  readonly authority: CertificateAuthority;
  /** The tests' key, as a line. */
  readonly publicKey: string;
  /** rpi-preseed.toml with the tests' key, and a host name. */
  preseed(hostname?: string): string;
  /** `isBesideNewCard`: see Machine.boot. */
  powerOn(isBesideNewCard?: boolean): void;
  /** Requests a restart over the API, and resolves when QEMU has ended instead of restarting. */
  reboot(path: string, token: string, body?: unknown): Promise<void>;
  /** The guest is not notified. */
  cutPower(): Promise<void>;
  /** Resolves when the page answers. */
  pageAnswers(): Promise<StartTime>;
  /** Resolves when sshd answers, which only happens with the preseed's key. */
  sshAnswers(): Promise<void>;
  /** Standard output of a command in the appliance, which must succeed. */
  shell(command: string, timeoutMs?: number): Promise<string>;
  /** Runs curl for the page, whose certificate is self-signed; `path` starts with "/". */
  page(path: string, args?: readonly string[]): Promise<Output>;
  /** Resolves when every service has started or failed. */
  startEnds(): Promise<void>;
}

export async function startBench(model: Model): Promise<Bench> {
  const topology = await buildTopology({ hosts: { peer: { interfaces: {} } } });
  const { peer } = topology.hosts;
  const { directory } = topology;
  try {
    const sshKey = join(directory, 'id_ed25519');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test@example.com', '-f', sshKey]);
    const publicKey = readFileSync(`${sshKey}.pub`, 'utf8').trim();
    const authority = await startMainland(peer, directory);
    const machine = createMachine(model, peer, { directory, sshKey });
    let qemu: Child | undefined;
    let poweredOnAt = 0;
    let othersAtPowerOn = 0;
    const othersMs = () => processorMs() - (qemu === undefined ? 0 : processorMs(qemu.pid));
    const page: Bench['page'] = (path, args = []) =>
      peer.attempt('curl', ['-sSk', '-m', '60', ...args, PAGE + path], { timeoutMs: 120_000 });
    const whileRunning = async (what: string, condition: () => Promise<boolean>, intervalMs: number) => {
      await waitUntil(
        what,
        async () => {
          const ended = await Promise.race([qemu?.exited, false]);
          if (ended !== false)
            throw new Error(
              `QEMU ended (${ended}) before ${what}\n${qemu?.output()}\n${machine.serial().slice(-4000)}`,
            );
          return condition();
        },
        { timeoutMs: PATIENCE_MS, intervalMs, explain: () => machine.serial().slice(-4000) },
      );
    };
    return {
      peer,
      machine,
      authority,
      publicKey,
      preseed: (hostname) =>
        `${hostname === undefined ? '' : `[system]\nhostname = "${hostname}"\n`}[ssh]\nenabled = true\nauthorized_keys = ["${publicKey}"]\n`,
      powerOn(isBesideNewCard) {
        poweredOnAt = performance.now();
        qemu = machine.boot(isBesideNewCard);
        othersAtPowerOn = othersMs();
      },
      async reboot(path, token, body = {}) {
        const json = ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)];
        const answer = await page(path, ['-f', '-H', `Authorization: Bearer ${token}`, ...json]);
        assert.equal(answer.code, 0, answer.stderr);
        await waitUntil('the end of QEMU', () => Promise.race([qemu?.exited, undefined]), {
          timeoutMs: PATIENCE_MS,
          explain: () => machine.serial().slice(-4000),
        });
      },
      async cutPower() {
        await qemu?.stop('SIGKILL');
      },
      async pageAnswers() {
        await whileRunning(
          'the page',
          async () => (await page('/', ['-f', '-m', '30', '-o', '/dev/null'])).code === 0,
          250,
        );
        const ms = performance.now() - poweredOnAt;
        return { ms, othersShare: (othersMs() - othersAtPowerOn) / ms };
      },
      async sshAnswers() {
        await whileRunning('sshd', async () => (await machine.shell('true')).code === 0, 500);
        await machine.connect();
      },
      async shell(command, timeoutMs) {
        const { code, stdout, stderr } = await machine.shell(command, timeoutMs);
        assert.equal(code, 0, `${command}: ${stderr}${stdout}`);
        return stdout.trim();
      },
      page,
      startEnds: () =>
        whileRunning(
          'the end of the start',
          async () => /running|degraded/.test((await machine.shell('systemctl is-system-running')).stdout),
          1000,
        ),
      [Symbol.asyncDispose]: () => topology[Symbol.asyncDispose](),
    };
  } catch (error) {
    await topology[Symbol.asyncDispose]();
    throw error;
  }
}

/** Processor time of the whole machine, or of one process with its threads, in units of 10 ms (USER_HZ). */
function processorMs(pid?: number): number {
  const [line] = readFileSync(pid === undefined ? '/proc/stat' : `/proc/${pid}/stat`, 'utf8').split('\n');
  const fields = line.replace(/^.*\) /, '').split(/ +/);
  // proc(5): user, nice, system, idle, iowait, irq, softirq; and utime, stime after the name and what follows it.
  const counted = pid === undefined ? [1, 2, 3, 6, 7] : [11, 12];
  return counted.reduce((ticks, field) => ticks + Number(fields[field]), 0) * 10;
}

/** A configuration with one server, whose first host name contains `round`. */
export const configuration = (round?: number) => ({
  version: 1,
  hosts: [
    {
      name: 'web1',
      address: WEB1,
      hostnames: [...(round === undefined ? [] : [`round-${round}.example.com`]), 'example.com'],
      ssh: { port: WEB1_SSH_PORT },
    },
  ],
  dns64: { upstreams: ['udp://192.0.2.1'] },
  admin: { listen: ['::', '0.0.0.0'], hostnames: ['sandbar.local'] },
});

/** The conditions after every start; `problems`: the expected messages of prepare-state. */
export async function assertHealthy({ shell }: Pick<Bench, 'shell'>, problems = ''): Promise<void> {
  assert.equal(await shell('systemctl --failed --no-legend --plain'), '');
  assert.equal(await shell('cat /run/tombolo/problems 2>/dev/null || true'), problems);
  assert.match(await shell('findmnt --noheadings --output SOURCE,FSTYPE,OPTIONS /data'), /7 +ext4 +rw,/);
}
