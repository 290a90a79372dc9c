import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

/**
 *   left --- a --- router --- b (bridge) --- right1, right2
 */
const spec = {
  hosts: {
    left: {
      interfaces: { eth0: { segment: 'a', addresses: ['192.0.2.10/24', '2001:db8:a::10/64'] } },
      routes: ['default via 192.0.2.1', 'default via 2001:db8:a::1'],
      etc: { 'resolv.conf': 'nameserver 192.0.2.53\n' },
    },
    router: {
      interfaces: {
        a: { segment: 'a', addresses: ['192.0.2.1/24', '2001:db8:a::1/64'] },
        b: { segment: 'b', addresses: ['198.51.100.1/24', '2001:db8:b::1/64'] },
      },
      router: true,
    },
    right1: {
      interfaces: { eth0: { segment: 'b', addresses: ['198.51.100.10/24', '2001:db8:b::10/64'] } },
      routes: ['default via 198.51.100.1', 'default via 2001:db8:b::1'],
    },
    right2: {
      interfaces: { eth0: { segment: 'b', addresses: ['198.51.100.20/24', '2001:db8:b::20/64'] } },
      routes: ['default via 198.51.100.1', 'default via 2001:db8:b::1'],
    },
  },
} as const;

const remains = (pid: number) => [
  ...readdirSync('/run/netns').filter((name) => name.startsWith(`tombolo-${pid}`)),
  ...readdirSync('/tmp').filter((name) => name.startsWith(`tombolo-${pid}`)),
  ...(existsSync('/etc/netns') ? readdirSync('/etc/netns') : []).filter((name) =>
    name.startsWith(`tombolo-${pid}`),
  ),
];

describe('topology builder', () => {
  it('joins hosts by wires and bridges, usable at once', async () => {
    await using topology = await buildTopology(spec);
    const { left } = topology.hosts;
    for (const target of ['198.51.100.10', '198.51.100.20', '2001:db8:b::10', '2001:db8:b::20']) {
      await left.run('ping', ['-c', '1', '-W', '1', target]);
    }
    const { stdout } = await left.run('cat', ['/etc/resolv.conf']);
    assert.equal(stdout, 'nameserver 192.0.2.53\n');
  });

  it('reports a failed command with its error output', async () => {
    await using topology = await buildTopology({ hosts: { alone: { interfaces: {} } } });
    await assert.rejects(
      topology.hosts.alone.run('sh', ['-c', 'echo sad >&2; exit 3']),
      /alone: sh .* failed with code 3 .*\nsad/,
    );
    const killed = await topology.hosts.alone.attempt('sleep', ['60'], { timeoutMs: 50 });
    assert.equal(killed.code, undefined);
  });

  it('waits for listeners and lines of children, and stops them with all processes they started', async () => {
    const topology = await buildTopology({ hosts: { alone: { interfaces: {} } } });
    const { alone } = topology.hosts;
    const script = `require('net').createServer().listen(4711, () => console.log('listening on', 4711));
      require('child_process').spawn('sleep', ['3600'], { detached: true })`;
    const child = alone.spawn(process.execPath, ['-e', script]);
    await child.waitForListener('tcp', 4711);
    assert.equal((await child.waitForLine(/listening on (\d+)/))[1], '4711');
    const { stdout: pids } = await alone.run('sh', ['-c', `ip netns pids ${alone.namespace}`]);
    await topology[Symbol.asyncDispose]();
    const survivors = () =>
      pids
        .trim()
        .split('\n')
        .filter((pid) => existsSync(`/proc/${pid}/exe`));
    await waitUntil('all processes to end', () => survivors().length === 0);
    assert.deepEqual(remains(process.pid), []);
  });

  it('removes the parts it built if it cannot build all of it', async () => {
    const broken = { hosts: { left: { ...spec.hosts.left, routes: ['default via 203.0.113.1'] } } };
    await assert.rejects(buildTopology(broken), /cannot configure/);
    assert.deepEqual(remains(process.pid), []);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    it(`leaves nothing behind after ${signal}${signal === 'SIGKILL' ? ', once the next one is built' : ''}`, async () => {
      const script = `const { buildTopology } = await import('${import.meta.resolve('../../lab/topology.ts')}');
        const topology = await buildTopology({ hosts: { alone: { interfaces: {}, etc: { 'resolv.conf': '' } } } });
        topology.hosts.alone.spawn('sleep', ['3600']);
        console.log('built'); setInterval(() => {}, 1000);`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
      const pid = child.pid ?? 0;
      await once(child.stdout, 'data', { signal: AbortSignal.timeout(10_000) });
      assert.notDeepEqual(remains(pid), []);
      child.kill(signal);
      await once(child, 'exit');
      if (signal === 'SIGKILL') {
        const next = await buildTopology({ hosts: {} });
        await next[Symbol.asyncDispose]();
      }
      assert.deepEqual(remains(pid), []);
    });
  }
});
