/** The kernel's notifications about changes of the network, in a separate host: "host" with one device, on a wire to nowhere. */
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

/** Answers each message with the changes since the previous one and who made them. If the message is a command, runs it first. */
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

/** A change, and what is known about its author: an ended process has no name, except for nftables. */
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

test('each change is reported once, with its author, and nothing is reported without a change', async () => {
  await using topology = await buildTopology(SPEC);
  const { host } = topology.hosts;
  const { ask, stop } = await startListener(host);
  const quiet = (what: string) => waitUntil(`quiet ${what}`, async () => !(await ask()).hasChanged);
  await quiet('at the start');
  for (const { change, kind, name } of CHANGES) {
    const title = change.join(' ');
    const [program, ...args] = change;
    await host.run(program, args);
    // An IPv6 address becomes ready, and is reported, a moment after `ip` has ended; all other changes are reported before that.
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

test('a change by a command of the process itself is not reported', async () => {
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
