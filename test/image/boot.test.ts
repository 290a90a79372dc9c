/**
 * The image from nothing to a served page, in QEMU (TCG): first start with the CONFIG partition's files, the main
 * checks of the lab against it, what is open and what is writable, and a power cut.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { CertificateAuthority } from '../../lab/certificates.ts';
import type { Child, Host } from '../../lab/host.ts';
import { type Topology, buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';
import { IPV4_ONLY_NAME, WEB1, WEB1_SSH_PORT, startMainland } from './mainland.ts';
import { APPLIANCE, type Machine, flashCard, imageFiles } from './machine.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const OUT = join(ROOT, 'build/image');
const FIRST_PAGE_MS = 120_000;
const RAM_LIMIT_MIB = 250;
const USED_MIB =
  "awk '/^MemTotal:/ { t = $2 } /^MemAvailable:/ { a = $2 } END { print int((t - a) / 1024) }' /proc/meminfo";
const PAGE = `http://${APPLIANCE.ipv4}:8064/`;

const CONFIGURATION = {
  version: 1,
  hosts: [
    {
      name: 'web1',
      address: WEB1,
      hostnames: ['example.com'],
      ssh: { port: WEB1_SSH_PORT },
    },
  ],
  dns64: { upstreams: ['udp://192.0.2.1'] },
  admin: { listen: ['::', '0.0.0.0'], hostnames: ['sandbar.local'] },
};

describe('the image', { timeout: 1_800_000 }, () => {
  let topology: Topology<'peer'>;
  let peer: Host;
  let machine: Machine;
  let qemu: Child;
  let authority: CertificateAuthority;

  before(async () => {
    // TOMBOLO_IMAGE: test what is there instead of building it.
    if (process.env['TOMBOLO_IMAGE'] === undefined) {
      execFileSync(join(ROOT, 'build-image.sh'), ['--debian-test', '--out', OUT], { stdio: 'inherit' });
    }
    topology = await buildTopology({ hosts: { peer: { interfaces: {} } } });
    peer = topology.hosts.peer;
    const { directory } = topology;
    const sshKey = join(directory, 'id_ed25519');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test@example.com', '-f', sshKey]);
    const publicKey = readFileSync(`${sshKey}.pub`, 'utf8').trim();
    authority = await startMainland(peer, directory);
    machine = flashCard(imageFiles(process.env['TOMBOLO_IMAGE'] ?? OUT), peer, {
      directory,
      sshKey,
      address: APPLIANCE.ipv4,
      configFiles: {
        'rpi-preseed.toml': `[system]\nhostname = "sandbar"\n[ssh]\nenabled = true\nauthorized_keys = ["${publicKey}"]\n`,
        'tombolo.json': JSON.stringify(CONFIGURATION),
      },
    });
  });
  after(() => topology?.[Symbol.asyncDispose]());

  const pageAnswers = () =>
    waitUntil(
      'the page',
      async () =>
        (await peer.attempt('curl', ['-fsS', '-m', '5', '-o', '/dev/null', PAGE])).code === 0 || undefined,
      { timeoutMs: 2 * FIRST_PAGE_MS, intervalMs: 250, explain: () => machine.serial().slice(-4000) },
    );
  const shell = async (command: string, timeoutMs?: number): Promise<string> => {
    const { code, stdout, stderr } = await machine.shell(command, timeoutMs);
    assert.equal(code, 0, `${command}: ${stderr}${stdout}`);
    return stdout.trim();
  };

  /** Longer than curl's own limit, so that it says itself what happened. */
  const run = (command: string, args: readonly string[]) => peer.run(command, args, { timeoutMs: 40_000 });

  test('the first page answers within 120 s of power-on', async (t) => {
    const poweredOnAt = performance.now();
    qemu = machine.boot();
    await pageAnswers();
    const elapsedMs = performance.now() - poweredOnAt;
    t.diagnostic(`first page after ${(elapsedMs / 1000).toFixed(1)} s`);
    assert.ok(elapsedMs < FIRST_PAGE_MS, `${elapsedMs} ms`);
  });

  test('host name, key and configuration came from the CONFIG partition', async () => {
    await waitUntil('sshd', async () => (await machine.shell('true')).code === 0 || undefined, {
      timeoutMs: 120_000,
      intervalMs: 500,
    });
    assert.equal(await shell('cat /proc/sys/kernel/hostname'), 'sandbar');
    assert.equal(await shell('cat /data/tombolo/config.json'), JSON.stringify(CONFIGURATION));
    assert.equal(await shell('stat -c %U:%a /data/tombolo/config.json'), 'tombolo:600');
  });

  test('every unit runs, and ours is confined', async (t) => {
    await waitUntil(
      'the end of the start',
      async () =>
        /running|degraded/.test((await machine.shell('systemctl is-system-running')).stdout) || undefined,
      { timeoutMs: 180_000, intervalMs: 1000 },
    );
    assert.equal(await shell('systemctl --failed --no-legend --plain'), '');
    const verdict = await shell('systemd-analyze security --no-pager tombolo.service | tail -n 1');
    t.diagnostic(verdict);
    const exposure = Number(/([0-9.]+) [A-Z]+/.exec(verdict)?.[1]);
    assert.ok(exposure <= 2.5, verdict);
    assert.equal(
      await shell('stat -c %U /proc/$(systemctl show -p MainPID --value tombolo.service)'),
      'tombolo',
    );
  });

  test('nothing but the data partition is writable, and it grew to the end of the card', async () => {
    const mounts = (
      JSON.parse(await shell('findmnt --json --list --real -o TARGET,SOURCE,FSTYPE,OPTIONS')) as {
        filesystems: { target: string; source: string; fstype: string; options: string }[];
      }
    ).filesystems.filter(({ source }) => source.startsWith('/dev/'));
    const writable = mounts.filter(({ options }) => options.split(',').includes('rw'));
    assert.ok(writable.some(({ target }) => target === '/data'));
    for (const { target, source } of writable) assert.match(source, /^\/dev\/vda7(\[|$)/, target);
    assert.notEqual((await machine.shell('touch /etc/x /usr/x /var/lib/x /root/x 2>/dev/null')).code, 0);
    assert.ok(Number(await shell('df --output=size -BM /data | tail -n 1 | tr -dc 0-9')) > 400);
  });

  test('SNI: https to web1 through the appliance', async () => {
    const { stdout } = await run('curl', [
      ...['-fsS', '-m', '20', '--cacert', authority.certificate],
      ...['--resolve', `example.com:443:${APPLIANCE.ipv4}`, 'https://example.com/'],
    ]);
    assert.equal(stdout, 'web1 by https\n');
  });

  test('http by Host, and the SSH port', async () => {
    const { stdout } = await run('curl', [
      ...['-fsS', '-m', '20', '-H', 'Host: example.com', `http://${APPLIANCE.ipv4}/`],
    ]);
    assert.equal(stdout, 'web1 by http\n');
    const banner = await run('curl', ['-sS', '-m', '20', `telnet://${APPLIANCE.ipv4}:${WEB1_SSH_PORT}`]);
    assert.equal(banner.stdout, 'SSH-2.0-web1\r\n');
  });

  test('DNS64 synthesises, and NAT64 translates to where it leads', async () => {
    const { stdout } = await run('dig', [
      ...['+short', '+time=10', `@${APPLIANCE.ipv6}`, '-b', WEB1, IPV4_ONLY_NAME, 'AAAA'],
    ]);
    const address = stdout.trim();
    assert.equal(address, '64:ff9b::c633:6450');
    const page = await run('curl', ['-fsS', '-m', '20', '--interface', WEB1, `http://[${address}]/`]);
    assert.equal(page.stdout, `mainland to ${APPLIANCE.ipv4}\n`);
  });

  test('a port scan finds what is meant, and nothing else', async () => {
    const open = async (args: readonly string[]) => {
      const { stdout } = await peer.run(
        'nmap',
        ['-n', '-Pn', '-sS', '-T4', '--min-rate', '3000', '--max-retries', '2', '-oG', '-', ...args],
        { timeoutMs: 300_000 },
      );
      return [...stdout.matchAll(/(\d+)\/open\/tcp/g)].map(([, port]) => Number(port)).sort((a, b) => a - b);
    };
    const ports = ['-p', '1-32767'];
    assert.deepEqual(await open([...ports, APPLIANCE.ipv4]), [22, 53, 80, 443, 8064, WEB1_SSH_PORT]);
    assert.deepEqual(await open([...ports, '-6', APPLIANCE.ipv6]), [22, 53, 8064]);
  });

  test('memory after the start', async (t) => {
    const used = Number(await shell(USED_MIB));
    t.diagnostic(`${used} MiB used in all`);
    assert.ok(used < RAM_LIMIT_MIB, `${used} MiB`);
  });

  test('after a power cut it serves again, with its configuration and identity', async () => {
    const identity = 'cat /data/machine-id /data/ssh/ssh_host_ed25519_key.pub /data/tombolo/admin-token';
    const kept = await shell(identity);
    await qemu.stop('SIGKILL');
    qemu = machine.boot();
    await pageAnswers();
    await waitUntil('sshd', async () => (await machine.shell('true')).code === 0 || undefined, {
      timeoutMs: 120_000,
      intervalMs: 500,
    });
    assert.equal(await shell(identity), kept);
    assert.equal(await shell('cat /data/tombolo/config.json'), JSON.stringify(CONFIGURATION));
    assert.equal(await shell('systemctl --failed --no-legend --plain'), '');
  });
});
