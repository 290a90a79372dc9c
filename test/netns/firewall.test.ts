/**
 * The image's firewall, kept by its service: changes by other programs are undone.
 *
 *   stranger 192.0.2.10 ── wire ── appliance 192.0.2.1, with a program that must not be reachable
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Child } from '../../lab/host.ts';
import { type Topology, buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

const RULES = join(import.meta.dirname, '../../firmware/rootfs/etc/nftables.conf');
const SERVICE = join(import.meta.dirname, 'firewall/service.ts');
const PORT = 9000;
const SPEC = {
  hosts: {
    stranger: { interfaces: { eth0: { segment: 'wire', addresses: ['192.0.2.10/24'] } } },
    appliance: { interfaces: { eth0: { segment: 'wire', addresses: ['192.0.2.1/24'] } } },
  },
} as const;

const ROWS: readonly { readonly title: string; readonly change: string; readonly notice: RegExp }[] = [
  {
    title: 'the whole ruleset is flushed',
    change: 'nft flush ruleset',
    notice: /^The program nft \(process \d+\) removed the nftables table inet tombolo_firewall; put back\.$/,
  },
  {
    title: 'the table is deleted',
    change: 'nft delete table inet tombolo_firewall',
    notice: /removed the nftables table inet tombolo_firewall; put back/,
  },
  {
    title: 'everybody is let in',
    change: 'nft insert rule inet tombolo_firewall input accept',
    notice: /changed the nftables table inet tombolo_firewall; put back/,
  },
  {
    title: 'the policy is changed',
    change: "nft 'chain inet tombolo_firewall input { policy accept; }'",
    notice: /changed the nftables table inet tombolo_firewall; put back/,
  },
];

describe('the firewall', () => {
  let net: Topology<keyof typeof SPEC.hosts>;
  let service: Child;

  before(async () => {
    net = await buildTopology(SPEC);
    const { appliance } = net.hosts;
    const listener = appliance.spawn('socat', [`TCP-LISTEN:${PORT},fork,reuseaddr`, 'SYSTEM:echo reached']);
    await waitUntil('the listener', async () =>
      (await appliance.run('ss', ['-Hltn'])).stdout.includes(`:${PORT}`),
    );
    assert.ok(await reaches(), listener.output());
    service = appliance.spawn(process.execPath, [SERVICE, RULES]);
    await service.waitForLine(/^running$/, { timeoutMs: 120_000 });
  });
  after(() => net?.[Symbol.asyncDispose]());

  const reaches = async () =>
    (await net.hosts.stranger.attempt('socat', ['-T1', '-', `TCP:192.0.2.1:${PORT},connect-timeout=2`]))
      .stdout === 'reached\n';

  test('is in place, and reports nothing', async () => {
    assert.equal(await reaches(), false);
    assert.equal(service.output().trim(), 'running');
  });

  // Few enough that the service does not regard them as a conflict.
  for (const { title, change, notice } of ROWS)
    test(`${title}: put back`, async () => {
      const before = service.output().length;
      await net.hosts.appliance.run('sh', ['-c', change]);
      await waitUntil('the notice', () => notice.test(service.output().slice(before).trim()), {
        explain: () => service.output(),
        timeoutMs: 60_000,
      });
      await waitUntil('a closed port', async () => !(await reaches()), { timeoutMs: 60_000 });
    });

  test('an entry in the set of recent clients is not a change', async () => {
    const before = service.output().length;
    const { appliance } = net.hosts;
    await appliance.run('nft', [
      'add',
      'element',
      'inet',
      'tombolo_firewall',
      'ssh_clients',
      '{ 192.0.2.10 limit rate over 30/minute burst 30 packets }',
    ]);
    // A real change follows in the same sequence of notifications.
    await appliance.run('nft', ['flush', 'chain', 'inet', 'tombolo_firewall', 'forward']);
    await waitUntil('the notice', () => service.output().length > before, { timeoutMs: 120_000 });
    assert.doesNotMatch(
      (await appliance.run('nft', ['list', 'chain', 'inet', 'tombolo_firewall', 'forward'])).stdout,
      /^$/,
    );
    assert.match(
      (await appliance.run('nft', ['list', 'set', 'inet', 'tombolo_firewall', 'ssh_clients'])).stdout,
      /192\.0\.2\.10/,
    );
  });
});
