/** What the kernel tells of changes of the network, in a host of its own: "host" with one device, on a wire to nobody. */
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

/** Answers each message with whether something has changed since the one before. */
const LISTENER = `
import { watchNetworkChanges } from '${join(import.meta.dirname, '../../src/os/network-changes.ts')}';
const changes = watchNetworkChanges();
process.on('message', () => console.log(changes.any()));
console.log('listening');
`;

const CHANGES: readonly (readonly string[])[] = [
  ['addr', 'add', '192.0.2.9/24', 'dev', 'eth0'],
  ['addr', 'del', '192.0.2.9/24', 'dev', 'eth0'],
  ['addr', 'add', '2001:db8:a::9/64', 'dev', 'eth0', 'nodad'],
  ['route', 'add', 'default', 'via', '192.0.2.254'],
  ['-6', 'route', 'add', 'default', 'via', '2001:db8:a::254'],
  ['rule', 'add', 'from', '192.0.2.1', 'lookup', 'main', 'pref', '100'],
  ['link', 'set', 'eth0', 'mtu', '1400'],
  ['link', 'add', 'other', 'type', 'veth', 'peer', 'name', 'another'],
  ['link', 'del', 'other'],
];

test('each change is told once, and nothing when there was none', async () => {
  await using topology = await buildTopology(SPEC);
  const { host } = topology.hosts;
  const listener = host.spawn(process.execPath, ['--input-type=module', '-e', LISTENER], { ipc: true });
  const answers = () => listener.output().trim().split('\n').slice(1);
  await waitUntil('the listener', async () => listener.output().includes('listening'));
  async function ask(): Promise<string> {
    const before = answers().length;
    listener.process.send('look');
    await waitUntil('an answer', async () => answers().length > before);
    return answers()[before];
  }
  await waitUntil('quiet', async () => (await ask()) === 'false');
  for (const change of CHANGES) {
    await host.run('ip', change);
    // The kernel makes an IPv6 address ready, and tells of it, a moment after `ip` has ended; of the rest, before.
    if (change.includes('nodad')) await waitUntil(change.join(' '), async () => (await ask()) === 'true');
    else assert.equal(await ask(), 'true', change.join(' '));
    await waitUntil(`quiet after ${change.join(' ')}`, async () => (await ask()) === 'false');
  }
  await listener.stop();
});
