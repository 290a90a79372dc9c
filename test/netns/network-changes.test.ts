/** What the kernel reports of changes of the network, in a separate host: "host" with one device, on a wire that leads nowhere. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildTopology } from '../../lab/topology.ts';
import { waitUntil } from '../../lab/wait.ts';

const SPEC = {
  hosts: {
    host: { interfaces: { eth0: { segment: 'a', addresses: ['192.0.2.1/24', '2001:db8:a::1/64'] } } },
    peer: { interfaces: { eth0: { segment: 'a', addresses: ['192.0.2.2/24'] } } },
  },
} as const;

const src = (path: string) => join(import.meta.dirname, '../../src', path);

/** Answers each message: what has changed since the one before, with who did it; or does it itself. */
const LISTENER = `
import { watchNetworkChanges } from '${src('os/network-changes.ts')}';
import { runCommand } from '${src('os/command.ts')}';
const changes = watchNetworkChanges();
process.on('message', async (command) => {
  if (command.length > 0) await runCommand(command[0], command.slice(1));
  const { hasChanged, by } = changes.take();
  console.log(JSON.stringify([hasChanged, Object.fromEntries(by)]));
});
console.log('listening');
`;

interface Answer {
  readonly hasChanged: boolean;
  readonly by: Readonly<Record<string, { pid: number; name?: string }>>;
}

/** A change, and what is known of who made it: a process that is no more has no name, but for nftables. */
const CHANGES: readonly {
  readonly change: readonly string[];
  readonly kind?: string;
  readonly name?: string;
}[] = [
  { change: ['ip', 'addr', 'add', '192.0.2.9/24', 'dev', 'eth0'], kind: 'address' },
  { change: ['ip', 'addr', 'del', '192.0.2.9/24', 'dev', 'eth0'], kind: 'address' },
  { change: ['ip', 'addr', 'add', '2001:db8:a::9/64', 'dev', 'eth0', 'nodad'] },
  { change: ['ip', 'route', 'add', 'default', 'via', '192.0.2.254'], kind: 'route' },
  { change: ['ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:a::254'], kind: 'route' },
  { change: ['ip', 'rule', 'add', 'from', '192.0.2.1', 'lookup', 'main', 'pref', '100'], kind: 'rule' },
  {
    change: ['ip', '-6', 'rule', 'add', 'from', '2001:db8:a::1', 'lookup', 'main', 'pref', '100'],
    kind: 'rule',
  },
  { change: ['ip', 'link', 'set', 'eth0', 'mtu', '1400'] },
  { change: ['ip', 'link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'another'] },
  { change: ['ip', 'link', 'del', 'other'] },
  { change: ['sysctl', '-qw', 'net.ipv4.ip_forward=1'] },
  { change: ['sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1'] },
  { change: ['sysctl', '-qw', 'net.ipv4.conf.eth0.rp_filter=1'] },
  { change: ['nft', 'add', 'table', 'inet', 'other'], kind: 'nftables', name: 'nft' },
  { change: ['nft', 'flush', 'ruleset'], kind: 'nftables', name: 'nft' },
];

async function startListener(
  host: Awaited<ReturnType<typeof buildTopology<'host' | 'peer'>>>['hosts']['host'],
) {
  const listener = host.spawn(process.execPath, ['--input-type=module', '-e', LISTENER], { ipc: true });
  const answers = () => listener.output().trim().split('\n').slice(1);
  await waitUntil('the listener', async () => listener.output().includes('listening'));
  return {
    /** `command`: the listener runs it itself before it looks. */
    async ask(...command: string[]): Promise<Answer> {
      const before = answers().length;
      listener.process.send(command);
      await waitUntil('an answer', async () => answers().length > before);
      const [hasChanged, by] = JSON.parse(answers()[before]) as [boolean, Answer['by']];
      return { hasChanged, by };
    },
    stop: () => listener.stop(),
  };
}

test('each change is told once, with who made it, and nothing when there was none', async () => {
  await using topology = await buildTopology(SPEC);
  const { host } = topology.hosts;
  const { ask, stop } = await startListener(host);
  const quiet = (what: string) => waitUntil(`quiet ${what}`, async () => !(await ask()).hasChanged);
  await quiet('at the start');
  for (const { change, kind, name } of CHANGES) {
    const title = change.join(' ');
    const [program, ...args] = change;
    await host.run(program, args);
    // The kernel makes an IPv6 address ready, and tells of it, a moment after `ip` has ended; of the rest, before.
    if (change.includes('nodad')) await waitUntil(title, async () => (await ask()).hasChanged);
    else {
      const { hasChanged, by } = await ask();
      assert.equal(hasChanged, true, title);
      if (kind !== undefined) assert.ok(by[kind].pid > 0, `${title}: ${JSON.stringify(by)}`);
      if (name !== undefined) assert.equal(by[kind!].name, name);
    }
    await quiet(`after ${title}`);
  }
  await stop();
});

test('what a command of the process itself changes is no news', async () => {
  await using topology = await buildTopology(SPEC);
  const { ask, stop } = await startListener(topology.hosts.host);
  await waitUntil('quiet', async () => !(await ask()).hasChanged);
  for (const command of [
    ['ip', 'rule', 'add', 'from', '192.0.2.1', 'lookup', 'main', 'pref', '100'],
    ['nft', 'add', 'table', 'inet', 'other'],
  ])
    assert.deepEqual(await ask(...command), { hasChanged: false, by: {} }, command.join(' '));
  await stop();
});
